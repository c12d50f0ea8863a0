"""What a station may change: runs of its procedures, units that it has to do with, files that it added."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, exists, or_, select

from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.tables import attachments, runs, station_procedures, stations, units


# Unscoped: the station was found by its key.
def is_linked(connection: Connection, station_id: UUID) -> bool:
    """Whether a station may report runs of at least one procedure, or of all present and future procedures."""
    s, link = stations.c, station_procedures.c
    linked = exists().where(link.station_id == s.id)
    query = select(s.id).where(s.id == station_id, or_(s.all_procedures.is_(True), linked))
    return connection.execute(query).scalar_one_or_none() is not None


# Unscoped: the station was found by its key.
def may_report_unit(connection: Connection, station_id: UUID, unit_id: UUID) -> bool:
    """Whether the station created the unit, recorded a run of it, or may report a procedure that the unit has a run of.

    Also true if the unit has no run yet: the first run may come from this station.
    """
    s, r, u, link = stations.c, runs.c, units.c, station_procedures.c
    may_report = or_(
        exists().where(s.id == station_id, s.all_procedures.is_(True)),
        exists().where(link.station_id == station_id, link.procedure_id == r.procedure_id),
    )
    query = select(u.id).where(
        u.id == unit_id,
        or_(
            u.created_by_station_id == station_id,
            ~exists().where(r.unit_id == u.id),
            exists().where(r.unit_id == u.id, or_(r.created_by_station_id == station_id, may_report)),
        ),
    )
    return connection.execute(query).scalar_one_or_none() is not None


# Unscoped: the unit was found in the scope.
def find_foreign_files(
    connection: Connection, station_id: UUID, unit_id: UUID, attachment_ids: Collection[UUID]
) -> Collection[UUID]:
    """Those of these files of a unit that the station did not add."""
    a = attachments.c
    found: list[UUID] = []
    for some in in_chunks(attachment_ids):
        is_foreign = a.created_by_station_id.is_distinct_from(station_id)
        query = select(a.id).where(a.id.in_(some), a.unit_id == unit_id, is_foreign)
        found += connection.execute(query).scalars()
    return found
