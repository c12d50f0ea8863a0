"""How far a key reaches: what it may change of what others recorded too.

Users are held to their role. A station changes runs of the procedures that it may report now, and units that it
recorded, that have such a run, or that have none yet. One that may report no procedure changes nothing.
"""

from collections.abc import Collection
from uuid import UUID

from runcard.domain.actor import Actor, StationActor, check_may_record
from runcard.domain.errors import (
    CreationForbidden,
    FileNotBrought,
    RunNotFound,
    StationNotLinked,
    UnitNotReached,
)
from runcard.ingest.resolve import check_station_link
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Connection
from runcard.store.runs.rows import find_procedure_of
from runcard.store.stations.reach import find_foreign_files, is_linked, may_report_unit


def check_may_add(connection: Connection, actor: Actor) -> None:
    """Raises PermissionDenied for a viewer, and for a station that is linked to no procedure."""
    check_may_record(actor)
    if isinstance(actor, StationActor) and not is_linked(connection, actor.station_id):
        raise StationNotLinked


def check_may_create(tx: Transaction, actor: Actor, entity: str) -> None:
    """Raises CreationForbidden where stations may not bring such an entity into being, be it by a run or without."""
    if not isinstance(actor, StationActor):
        return
    organization = tx.catalog.organization(actor.organization_id)
    may_be_created = {
        "Part": organization.station_may_create_parts,
        "Revision": organization.station_may_create_revisions,
        "Batch": organization.station_may_create_batches,
        "Unit": organization.station_may_create_units,
        "Version": organization.station_may_create_versions,
    }
    if not may_be_created[entity]:
        raise CreationForbidden([entity])


def check_reaches_run(tx: Transaction, actor: Actor, run_id: UUID) -> None:
    """Raises RunNotFound, and StationNotAuthorized where a station may not report such runs now."""
    procedure_id = find_procedure_of(tx.scope, run_id)
    if procedure_id is None:
        raise RunNotFound(run_id)
    if isinstance(actor, StationActor):
        check_station_link(tx.catalog, actor, procedure_id)


def check_reaches_unit(tx: Transaction, actor: Actor, unit: UnitRow) -> None:
    """Raises UnitNotReached where a unit has runs, a station made neither it nor one of them, and may report none."""
    if isinstance(actor, StationActor) and not may_report_unit(tx.connection, actor.station_id, unit.id):
        raise UnitNotReached(unit.serial_number)


def check_brought(tx: Transaction, actor: Actor, unit: UnitRow, attachment_ids: Collection[UUID]) -> None:
    """Raises FileNotBrought for a file of a unit that a station wants to delete and did not bring."""
    if isinstance(actor, StationActor):
        foreign = find_foreign_files(tx.connection, actor.station_id, unit.id, attachment_ids)
        for attachment_id in foreign:
            raise FileNotBrought(attachment_id)
