"""The reach of a key: which records of others it may change.

A user may change what their role allows. A station may change runs of the procedures that it may report now. It may
change units that it created or recorded a run of, that have a run of such a procedure, or that have no run yet. A
station that may report no procedure changes nothing.
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
    """Check that the actor may add records. Raises PermissionDenied for viewers and for stations without procedures."""
    check_may_record(actor)
    if isinstance(actor, StationActor) and not is_linked(connection, actor.station_id):
        raise StationNotLinked


def check_may_create(tx: Transaction, actor: Actor, entity: str) -> None:
    """Check that the actor may create such an entity, with or without a run. Raises CreationForbidden."""
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
    """Check that the actor may change this run. A station must be allowed to report its procedure now.

    Raises RunNotFound and StationNotAuthorized.
    """
    procedure_id = find_procedure_of(tx.scope, run_id)
    if procedure_id is None:
        raise RunNotFound(run_id)
    if isinstance(actor, StationActor):
        check_station_link(tx.catalog, actor, procedure_id)


def check_reaches_unit(tx: Transaction, actor: Actor, unit: UnitRow) -> None:
    """Check that the actor may change this unit. Raises UnitNotReached.

    A station may if the unit has no run, if it created the unit or one of its runs, or if it may report one of them.
    """
    if isinstance(actor, StationActor) and not may_report_unit(tx.connection, actor.station_id, unit.id):
        raise UnitNotReached(unit.serial_number)


def check_brought(tx: Transaction, actor: Actor, unit: UnitRow, attachment_ids: Collection[UUID]) -> None:
    """Check that the actor may delete these files of a unit. A station must have added each. Raises FileNotBrought."""
    if isinstance(actor, StationActor):
        foreign = find_foreign_files(tx.connection, actor.station_id, unit.id, attachment_ids)
        for attachment_id in foreign:
            raise FileNotBrought(attachment_id)
