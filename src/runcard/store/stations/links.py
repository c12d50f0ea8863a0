"""Linking many stations to procedures at once, or unlinking them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select

from runcard.domain.errors import ProcedureNotFound
from runcard.domain.floor.at_once import check_count
from runcard.store.commit.lookups import find_procedure
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import station_procedures, stations
from runcard.store.stations.records import StationRecord, read_stations_in_use
from runcard.store.trail.watching import watch


class LinkPlan(NamedTuple):
    """What linking stations to procedures changes, or unlinking them. Stations are sorted by name.

    changing: the procedures that each station gets or loses; no entry for a station that stays as it is. free: stations
    that may report all procedures, which are left out.
    """

    are_linked: bool
    stations: Sequence[StationRecord]
    changing: Mapping[UUID, Sequence[UUID]]
    free: Collection[UUID]

    @property
    def same_count(self) -> int:
        """How many stations are as they shall be already."""
        return len(self.stations) - len(self.changing) - len(self.free)


def plan_links(
    scope: Scope, station_ids: Collection[UUID], procedure_ids: Collection[UUID], *, are_linked: bool
) -> LinkPlan:
    """What has to change so that these stations are linked to these procedures, or are not.

    Archived stations and ids that no station has are left out. Raises ProcedureNotFound, and InvalidInput for more than
    MAX_AT_ONCE stations.
    """
    check_count("station_ids", len(station_ids), least=0)
    known = _known(scope, procedure_ids)
    found = read_stations_in_use(scope, station_ids)
    bound = [one.id for one in found if not one.all_procedures]
    there = _links(scope, bound, known)
    changing = {
        station_id: [one for one in known if (one in there[station_id]) is not are_linked]
        for station_id in bound
    }
    free = [one.id for one in found if one.all_procedures]
    return LinkPlan(are_linked, found, {key: ids for key, ids in changing.items() if ids}, free)


def apply_links(tx: Transaction, plan: LinkPlan) -> None:
    """Change the links as planned, each station with an entry. It changes records that catalogs remember."""
    watch(tx, stations, plan.changing)
    pairs = [(station_id, one) for station_id, ids in plan.changing.items() for one in ids]
    if plan.are_linked:
        rows = [
            {"station_id": station_id, "procedure_id": one, "organization_id": tx.organization_id}
            for station_id, one in pairs
        ]
        if rows:
            insert_rows(tx.connection, station_procedures, rows)
        return
    link, procedure_ids = station_procedures.c, {one for _, one in pairs}
    for some in in_chunks(plan.changing):
        mine = (tx.owns(link), link.station_id.in_(some), link.procedure_id.in_(procedure_ids))
        tx.connection.execute(delete(station_procedures).where(*mine))


def _known(scope: Scope, procedure_ids: Collection[UUID]) -> Sequence[UUID]:
    """These procedures, in order and each once; the target of its merge stands for a merged one."""
    found: list[UUID] = []
    for named_id in procedure_ids:
        procedure_id = find_procedure(scope, named_id)
        if procedure_id is None:
            raise ProcedureNotFound(str(named_id))
        found.append(procedure_id)
    return list(dict.fromkeys(found))


def _links(
    scope: Scope, station_ids: Collection[UUID], procedure_ids: Collection[UUID]
) -> Mapping[UUID, set[UUID]]:
    """Which of these procedures each of these stations is linked to."""
    link = station_procedures.c
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for some in in_chunks(station_ids):
        query = select(link.station_id, link.procedure_id).where(
            scope.owns(link), link.station_id.in_(some), link.procedure_id.in_(procedure_ids)
        )
        for station_id, procedure_id in scope.connection.execute(query):
            found[station_id].add(procedure_id)
    return found
