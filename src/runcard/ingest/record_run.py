"""Recording a run: every door and every importer ends here.

The order of checks is that of section 3.8 of the v1 contract; all of them come before the first row is staged.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from runcard.domain.actor import Actor, UserActor
from runcard.domain.errors import InvalidInput, Issue, PermissionDenied, QuotaExceeded
from runcard.domain.ids import new_id, new_run_id
from runcard.domain.organization import Organization
from runcard.domain.report import MAX_NAME_LENGTH, RunReport
from runcard.domain.run import RunDocument
from runcard.domain.text import lookup_key
from runcard.ingest.assembly import find_sub_units, link_sub_units
from runcard.ingest.resolve import (
    Place,
    Reference,
    check_creation,
    create_missing,
    create_missing_version,
    resolve_operator,
    resolve_placement,
    resolve_procedure,
)
from runcard.store.creator import Creator
from runcard.store.documents import pack_document
from runcard.store.lookups import UnitKey, UnitRow
from runcard.store.runs import RunRow, count_runs_since, stage_run, stage_sub_units
from runcard.store.transaction import Transaction
from runcard.store.units import move_unit, stage_unit


class RunClient(NamedTuple):
    """The program that sent a report, as it calls itself; kept for diagnosis only."""

    name: str | None = None
    version: str | None = None


class PreparedRun(Struct, frozen=True):
    """A checked report, ready to be recorded: its inside is encoded already and no longer part of `report`."""

    id: UUID
    report: RunReport
    document: bytes
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    client: RunClient

    def unit_keys(self, organization_id: UUID) -> list[UnitKey]:
        """The units that recording this run will look up."""
        serials = (self.report.serial_number, *self.report.sub_units)
        return [(organization_id, lookup_key(serial)) for serial in serials]


def prepare_run(
    report: RunReport,
    *,
    received_at: datetime | None = None,
    client: str | None = None,
    client_version: str | None = None,
) -> PreparedRun:
    """Check what can be checked without the record, and pack the document. Raises InvalidInput.

    received_at: None: now. client, client_version: the program that sends the report.
    """
    program = RunClient(client, client_version)
    issues = list(_issues(report, program))
    if issues:
        raise InvalidInput(issues)
    received_at = received_at or datetime.now(UTC)
    started_at = report.started_at or received_at
    try:
        ended_at = started_at + report.duration
    except OverflowError as error:
        raise InvalidInput.at("duration", f"Run would end after the year 9999: {report.duration}.") from error
    document = pack_document(RunDocument(report.phases, report.logs, report.steps))
    header = replace(report, phases=(), logs=(), steps=None)
    return PreparedRun(new_run_id(), header, document, started_at, ended_at, received_at, program)


def record_run(tx: Transaction, actor: Actor, run: PreparedRun) -> UUID:
    """Id of the run, which is recorded when the transaction is committed.

    Raises PermissionDenied for a viewer; then StationNotAuthorized, ProcedureNotFound, OperatorNotFound,
    PartNumberMissing, PartNumberUnreadable, SubUnitsNotFound, CircularParentage, CreationForbidden or QuotaExceeded,
    in this order, before anything is staged.
    """
    if isinstance(actor, UserActor) and actor.role == "viewer":
        raise PermissionDenied("Viewers cannot record runs. Ask an admin for another role.")
    report, catalog = run.report, tx.catalog
    organization = catalog.organization(actor.organization_id)
    procedure_id = resolve_procedure(catalog, actor, report.procedure)
    operator_id = resolve_operator(catalog, organization.id, report.operated_by)
    tag = report.procedure_version
    version = Reference(tag, None if tag is None else catalog.version(procedure_id, tag))
    unit = catalog.unit(organization.id, report.serial_number)
    placement = resolve_placement(catalog, organization, unit, report)
    sub_units = find_sub_units(tx, organization.id, unit, report.sub_units)
    check_creation(organization, actor, placement, unit_is_new=unit is None, version=version)
    _check_quota(tx, organization, run.received_at)

    creator = Creator.of(actor)
    place = create_missing(tx, organization.id, placement, creator)
    version_id = create_missing_version(tx, organization.id, procedure_id, version, creator)
    unit_id = _place_unit(tx, organization.id, run, unit, place, creator)
    row = RunRow(
        id=run.id,
        organization_id=organization.id,
        procedure_id=procedure_id,
        version_id=version_id,
        unit_id=unit_id,
        part_id=place.part_id,
        revision_id=place.revision_id,
        batch_id=place.batch_id,
        operator_id=operator_id,
        outcome=report.outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        docstring=report.docstring,
        client=run.client.name,
        client_version=run.client.version,
        created_at=run.received_at,
    )
    stage_run(tx, row, run.document, creator)
    stage_sub_units(tx, row, sub_units)
    link_sub_units(tx, organization.id, unit_id, sub_units, run.id)
    return run.id


def _place_unit(
    tx: Transaction,
    organization_id: UUID,
    run: PreparedRun,
    unit: UnitRow | None,
    place: Place,
    creator: Creator,
) -> UUID:
    if unit is None:
        unit = UnitRow(new_id(), run.report.serial_number, *place, parent_id=None)
        stage_unit(tx, organization_id, unit, creator, run.id)
    else:
        move_unit(tx, organization_id, unit, unit._replace(**place._asdict()), run.id)
    return unit.id


def _check_quota(tx: Transaction, organization: Organization, now: datetime) -> None:
    quota = organization.monthly_run_quota
    if quota is None:
        return
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if count_runs_since(tx.connection, organization.id, month, quota) >= quota:
        raise QuotaExceeded


def _issues(report: RunReport, program: RunClient) -> Iterator[Issue]:
    """What no report may hold, whichever door it came through."""
    for field in ("procedure", "serial_number"):
        if not getattr(report, field):
            yield Issue((field,), f"{field} is empty; give at least 1 character")
    for field in _NAMES:
        yield from _name_issues((field,), getattr(report, field))
    for position, serial in enumerate(report.sub_units):
        if not serial:
            yield Issue(("sub_units", position), "serial_number is empty; give at least 1 character")
        yield from _name_issues(("sub_units", position), serial)
    texts = {"docstring": report.docstring, "client": program.name, "client_version": program.version}
    for field, text in texts.items():
        if text is not None and "\0" in text:
            yield Issue((field,), f"{field} contains a NUL character; remove it")
    if report.duration.days < 0:
        yield Issue(("duration",), f"duration {report.duration} is negative; give zero or more")


_NAMES = (
    "procedure",
    "serial_number",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure_version",
    "operated_by",
)


def _name_issues(path: tuple[str | int, ...], name: str | None) -> Iterator[Issue]:
    if name is None:
        return
    if len(name) > MAX_NAME_LENGTH:
        yield Issue(path, f"{path[0]} has {len(name)} characters; use at most {MAX_NAME_LENGTH} characters")
    if "\0" in name:
        yield Issue(path, f"{path[0]} contains a NUL character; remove it")
