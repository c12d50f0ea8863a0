"""Stations: the places on the floor that report runs, and the procedures that each may report."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runcard.domain.errors import AlreadyExists, InvalidInput, NotFound, ProcedureNotFound
from runcard.domain.ids import new_id
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.domain.text import lookup_key
from runcard.store.commit.lookups import find_procedure
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import procedures, station_procedures, stations
from runcard.store.lists.followed_merges import follow_merges
from runcard.store.procedures.rows import Procedure
from runcard.store.trail.watching import watch, watch_new


class Station(NamedTuple):
    """all_procedures: it may report every procedure of its organization, present and future."""

    id: UUID
    name: str
    all_procedures: bool


def create_station(
    tx: Transaction,
    name: str,
    *,
    all_procedures: bool = False,
    team_id: UUID | None = None,
) -> Station:
    """Add a station, and return it. Raises InvalidInput, and AlreadyExists if the name is taken."""
    name = name.strip()
    check_station_name(tx.scope, name)
    station = Station(new_id(), name, all_procedures)
    row = {**station._asdict(), "organization_id": tx.organization_id, "name_key": lookup_key(name)}
    tx.connection.execute(insert(stations).values(**row, team_id=team_id, created_at=tx.now))
    watch_new(tx, stations, station.id)
    return station


def check_station_name(scope: Scope, name: str, *, but: UUID | None = None) -> None:
    """Check that a station may take this name. Raises InvalidInput and AlreadyExists. but: this station may have it."""
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInput.at("name", f"{name!r} is no station name; use 1 to {MAX_NAME_LENGTH} characters")
    s = stations.c
    taken = select(s.id).where(scope.owns(s), s.name_key == lookup_key(name))
    if scope.connection.execute(taken).scalar_one_or_none() not in (None, but):
        raise AlreadyExists("Station", name)


def get_station(scope: Scope, reference: str) -> Station:
    """The station with this name or id. Raises NotFound."""
    s = stations.c
    named = [s.name_key == lookup_key(reference)]
    with suppress(ValueError):  # not an id: a name, then
        named.append(s.id == UUID(reference))
    for condition in named:
        row = scope.connection.execute(
            select(s.id, s.name, s.all_procedures).where(scope.owns(s), condition)
        ).one_or_none()
        if row is not None:
            return Station(*row)
    raise NotFound(f"Station not found: {reference}. `runcard station list` shows those that exist.")


def list_stations(scope: Scope) -> Sequence[Station]:
    """All stations in use, sorted by name."""
    s = stations.c
    query = select(s.id, s.name, s.all_procedures).where(scope.owns(s), s.archived_at.is_(None))
    return [Station(*row) for row in scope.connection.execute(query.order_by(s.name_key))]


def list_linked_procedures(scope: Scope, station_id: UUID) -> Sequence[Procedure]:
    """The procedures that a station is linked to, oldest first, whether or not it may report all procedures."""
    p, link = procedures.c, station_procedures.c
    query = (
        select(*(p[name] for name in Procedure._fields))
        .join_from(procedures, station_procedures, link.procedure_id == p.id)
        .where(
            scope.owns(link),
            link.station_id == station_id,
            p.merged_into_id.is_(None),
        )
    )
    return [Procedure(*row) for row in scope.connection.execute(query.order_by(p.created_at, p.id))]


def link_procedures(tx: Transaction, station_id: UUID, procedure_ids: Iterable[UUID]) -> None:
    """Let a station report these procedures too. Raises ProcedureNotFound."""
    link = station_procedures.c
    watch(tx, stations, [station_id])
    for named_id in procedure_ids:
        procedure_id = find_procedure(tx.scope, named_id)
        if procedure_id is None:
            raise ProcedureNotFound(str(named_id))
        there = select(link.station_id).where(
            tx.owns(link), link.station_id == station_id, link.procedure_id == procedure_id
        )
        if tx.connection.execute(there).first() is None:
            row = {
                "station_id": station_id,
                "procedure_id": procedure_id,
                "organization_id": tx.organization_id,
            }
            tx.connection.execute(insert(station_procedures).values(row))


def unlink_procedures(tx: Transaction, station_id: UUID, procedure_ids: Iterable[UUID]) -> None:
    """From the next run on, let a station no longer report these procedures."""
    link = station_procedures.c
    ids = follow_merges(tx.scope, list(procedure_ids))
    watch(tx, stations, [station_id])
    tx.connection.execute(
        delete(station_procedures).where(
            tx.owns(link),
            link.station_id == station_id,
            link.procedure_id.in_(ids),
        )
    )


def allow_all_procedures(tx: Transaction, station_id: UUID, *, allowed: bool) -> None:
    """Let a station report every procedure of its organization, or only those it is linked to."""
    s = stations.c
    mine = (tx.owns(s), s.id == station_id)
    watch(tx, stations, [station_id])
    tx.connection.execute(update(stations).where(*mine).values(all_procedures=allowed))
