"""Stations, as people manage them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, delete, exists, func, or_, select, update

from runcard.domain.errors import StationNotFound
from runcard.domain.ids import first_id_at
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.lists.followed_merges import follow_merges
from runcard.store.lists.noted import has_cause, has_tag
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import Named, ProcedureRef
from runcard.store.metadata import MetadataTest, delete_metadata, keeps
from runcard.store.procedures.rows import list_procedures
from runcard.store.stations.rows import check_station_name
from runcard.store.trail.watching import watch


class StationRecord(NamedTuple):
    """all_procedures: as in `Station`. archived_at: since when the station is kept only for its history."""

    id: UUID
    name: str
    all_procedures: bool
    archived_at: datetime | None
    image_id: UUID | None
    team: Named | None


class StationFilter(NamedTuple):
    """Conditions that a station must all meet. None: no condition.

    search: part of the name. procedure_ids: it may report at least one of these. archived: list archived stations
    instead of those in use.
    """

    search: str | None = None
    procedure_ids: Sequence[UUID] | None = None
    metadata: Sequence[MetadataTest] = ()
    archived: bool = False
    tags: Sequence[str] | None = None
    causes: Sequence[str] | None = None


def get_station_record(scope: Scope, station_id: UUID) -> StationRecord:
    """The station with this id, even if it is archived. Raises StationNotFound."""
    query = _stations(scope.organization_id).where(t.stations.c.id == station_id)
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise StationNotFound(station_id)
    return _station(*row)


def get_station_in_use(scope: Scope, station_id: UUID) -> StationRecord:
    """The station with this id. Raises StationNotFound, also if it is archived."""
    station = get_station_record(scope, station_id)
    if station.archived_at is not None:
        raise StationNotFound(station_id)
    return station


def read_stations_in_use(scope: Scope, station_ids: Collection[UUID]) -> Sequence[StationRecord]:
    """Those of these stations that exist and are not archived, sorted by name."""
    s = t.stations.c
    found: list[StationRecord] = []
    for some in in_chunks(station_ids):
        query = _stations(scope.organization_id).where(s.id.in_(some), s.archived_at.is_(None))
        found += [_station(*row) for row in scope.connection.execute(query)]
    return sorted(found, key=lambda station: lookup_key(station.name))


def list_station_records(scope: Scope, station_filter: StationFilter, page: Page) -> Listed[StationRecord]:
    """A page of the stations in use, or of the archived ones, newest first."""
    s = t.stations.c
    query = _stations(scope.organization_id).where(
        s.archived_at.is_not(None) if station_filter.archived else s.archived_at.is_(None),
        *known_at(page, "station_created", s.id),
    )
    if station_filter.search is not None:
        query = query.where(s.name.icontains(station_filter.search, autoescape=True))
    if station_filter.procedure_ids is not None:
        p, link = t.procedures.c, t.station_procedures.c
        ids = follow_merges(scope, station_filter.procedure_ids)
        linked = exists().where(link.station_id == s.id, link.procedure_id.in_(ids))
        there = exists().where(scope.owns(p), p.id.in_(ids))
        query = query.where(there, or_(s.all_procedures.is_(True), linked))
    if station_filter.tags is not None:
        query = query.where(has_tag(scope.organization_id, s.id, station_filter.tags))
    if station_filter.causes is not None:
        query = query.where(has_cause(scope.organization_id, s.id, station_filter.causes))
    for test in station_filter.metadata:
        query = query.where(keeps(scope.organization_id, s.id, test))
    return fetch_page(scope.connection, query.order_by(s.created_at.desc(), s.id.desc()), page, _station)


def list_stations_for(scope: Scope, procedure_id: UUID) -> Sequence[Named]:
    """The stations in use that may report runs of a procedure, sorted by name."""
    s, link = t.stations.c, t.station_procedures.c
    linked = exists().where(link.station_id == s.id, link.procedure_id == procedure_id)
    query = select(s.id, s.name).where(
        scope.owns(s),
        s.archived_at.is_(None),
        or_(s.all_procedures.is_(True), linked),
    )
    return [Named(*row) for row in scope.connection.execute(query.order_by(s.name_key))]


def list_procedures_of(
    scope: Scope, stations: Collection[StationRecord]
) -> Mapping[UUID, Sequence[ProcedureRef]]:
    """The procedures that each of these stations may report, oldest first, archived ones last."""
    found: dict[UUID, Sequence[ProcedureRef]] = defaultdict(list)
    found |= _linked_procedures(scope, [station.id for station in stations])
    free = [station.id for station in stations if station.all_procedures]
    if free:
        every = [ProcedureRef(found.id, found.name, found.identifier) for found in list_procedures(scope)]
        found |= dict.fromkeys(free, every)
    return found


def count_runs_of(scope: Scope, station_id: UUID) -> Mapping[UUID, int]:
    """How many runs a station has reported, by procedure; no entry for a procedure without runs."""
    r = t.runs.c
    query = (
        select(r.procedure_id, func.count())
        .where(scope.owns(r), r.created_by_station_id == station_id)
        .group_by(r.procedure_id)
    )
    return {row[0]: row[1] for row in scope.connection.execute(query)}


def has_reported_since(scope: Scope, station_id: UUID, moment: datetime) -> bool:
    """Whether a station has reported a run since this moment."""
    r = t.runs.c
    query = select(r.id).where(
        r.id >= first_id_at(moment),
        scope.owns(r),
        r.created_by_station_id == station_id,
    )
    return scope.connection.execute(query.order_by(r.id.desc()).limit(1)).first() is not None


def find_key_prefix(scope: Scope, station_id: UUID, now: datetime) -> str | None:
    """The first characters of the newest key of a station that works now; None if it has none."""
    k = t.api_keys.c
    query = select(k.prefix).where(
        scope.owns(k),
        k.station_id == station_id,
        k.revoked_at.is_(None),
        or_(k.expires_at.is_(None), k.expires_at > now),
    )
    return scope.connection.execute(
        query.order_by(k.created_at.desc(), k.id.desc()).limit(1)
    ).scalar_one_or_none()


def change_station(tx: Transaction, after: StationRecord) -> None:
    """Give a station the name, image and team of `after`. Raises InvalidInput or AlreadyExists for the name."""
    check_station_name(tx.scope, after.name, but=after.id)
    _update(
        tx,
        after.id,
        name=after.name,
        name_key=lookup_key(after.name),
        image_id=after.image_id,
        team_id=after.team.id if after.team else None,
    )


def remove_station(tx: Transaction, station_id: UUID) -> None:
    """Delete a station with its keys and links, or archive it if any record was created by it.

    An archived station keeps its history. Its keys no longer work, and its name is free for another station.
    """
    if _has_made_something(tx.connection, station_id):
        # No name has this key: the key of a name never begins with a space.
        _update(tx, station_id, archived_at=tx.now, name_key=f" {station_id}")
        return
    watch(tx, t.stations, [station_id])
    delete_metadata(tx, [station_id])
    k, s = t.api_keys.c, t.stations.c
    of_station = (tx.owns(k), k.station_id == station_id)
    key_ids = tx.connection.execute(select(k.id).where(*of_station)).scalars().all()
    watch(tx, t.api_keys, key_ids)
    u = t.key_uses.c
    tx.connection.execute(delete(t.key_uses).where(tx.owns(u), u.key_id.in_(key_ids)))
    tx.connection.execute(delete(t.api_keys).where(*of_station))
    tx.connection.execute(delete(t.stations).where(tx.owns(s), s.id == station_id))


def _update(tx: Transaction, station_id: UUID, **values: Any) -> None:
    s = t.stations.c
    mine = (tx.owns(s), s.id == station_id)
    watch(tx, t.stations, [station_id])
    tx.connection.execute(update(t.stations).where(*mine).values(**values))


# Unscoped: the station was found in the scope.
def _has_made_something(connection: Connection, station_id: UUID) -> bool:
    makers = [
        table.c.created_by_station_id
        for table in t.metadata.sorted_tables
        if "created_by_station_id" in table.c
    ]
    return any(
        connection.execute(select(maker).where(maker == station_id).limit(1)).first() for maker in makers
    )


def _linked_procedures(scope: Scope, station_ids: Collection[UUID]) -> Mapping[UUID, Sequence[ProcedureRef]]:
    p, link = t.procedures.c, t.station_procedures.c
    found: dict[UUID, list[ProcedureRef]] = defaultdict(list)
    for some in in_chunks(station_ids):
        query = (
            select(link.station_id, p.id, p.name, p.identifier)
            .join_from(t.station_procedures, t.procedures, p.id == link.procedure_id)
            .where(
                scope.owns(link),
                link.station_id.in_(some),
                p.merged_into_id.is_(None),
            )
        )
        query = query.order_by(p.archived_at.is_not(None), p.created_at, p.id)
        for station_id, *procedure in scope.connection.execute(query):
            found[station_id].append(ProcedureRef(*procedure))
    return found


def _stations(organization_id: UUID) -> Select[Any]:
    s, team = t.stations.c, t.teams.c
    return (
        select(s.id, s.name, s.all_procedures, s.archived_at, s.image_id, team.id, team.name)
        .select_from(t.stations.outerjoin(t.teams, team.id == s.team_id))
        .where(owned_by(organization_id, s))
    )


def _station(*row: Any) -> StationRecord:
    *own, team_id, team = row
    return StationRecord._make((*own, None if team_id is None else Named(team_id, team)))
