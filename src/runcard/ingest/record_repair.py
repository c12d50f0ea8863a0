"""The recording of repairs."""

from collections.abc import Iterator
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput, Issue, UnitNotFound
from runcard.domain.floor.repair import RepairReport
from runcard.domain.ids import new_id
from runcard.domain.runs.report import UnitDescription, name_issues
from runcard.ingest.described_units import check_described, create_described
from runcard.ingest.reach import check_may_add
from runcard.ingest.resolve import operator_called
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.units.repairs import RepairRow, stage_repair

_NAMES = ("serial_number", "operation", "part_number", "revision_number", "operator")


def check_repair(report: RepairReport) -> None:
    """Check what can be checked without the record. Raises InvalidInput."""
    issues = list(_issues(report))
    if issues:
        raise InvalidInput(issues)


def record_repair(tx: Transaction, actor: Actor, report: RepairReport, file_import_id: UUID) -> RepairRow:
    """Stage a repair, and return it; the commit records it. If the unit does not exist, it is created.

    Raises PermissionDenied for a viewer; then UnitNotFound if a new unit comes without its part, or CreationForbidden.
    """
    check_may_add(tx.connection, actor)
    organization = tx.catalog.organization(actor.organization_id)
    operator = operator_called(tx.catalog, organization.id, report.operator)
    unit = tx.catalog.unit(organization.id, report.serial_number) or _create_unit(tx, actor, report)
    row = RepairRow(new_id(), unit.id, file_import_id, report.started_at, operator.id, operator.name)
    stage_repair(tx, row, report, Creator.of(actor, by_report=True))
    return row


def _create_unit(tx: Transaction, actor: Actor, report: RepairReport) -> UnitRow:
    if report.part_number is None:
        raise UnitNotFound(report.serial_number)
    organization = tx.catalog.organization(actor.organization_id)
    described = UnitDescription(report.serial_number, report.part_number, report.revision_number)
    check_described(tx.catalog, actor, organization, described)
    return create_described(tx, organization, described, Creator.of(actor, by_report=True), None)


def _issues(report: RepairReport) -> Iterator[Issue]:
    for field in _NAMES:
        yield from name_issues((field,), getattr(report, field))
