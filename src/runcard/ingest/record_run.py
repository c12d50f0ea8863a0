"""The recording of runs, where every door and every importer ends.

The checks are in the order of section 3.8 of the v1 contract; all of them come before the first row is staged.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runcard.domain.actor import Actor, check_may_record
from runcard.domain.errors import Conflict, InvalidInput, Issue, QuotaExceeded
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.sample import SampleClass
from runcard.domain.floor.statement import StatedField
from runcard.domain.ids import new_id, new_run_id
from runcard.domain.instant import format_duration
from runcard.domain.metadata import metadata_issues
from runcard.domain.number import too_large_integers
from runcard.domain.runs.clock import Times, counted_times, is_wrong
from runcard.domain.runs.report import RunReport, name_issues
from runcard.domain.runs.run import RunDocument
from runcard.domain.runs.sequence import sequence_issues
from runcard.domain.text import lookup_key
from runcard.ingest.assembly import find_sub_units, link_sub_units
from runcard.ingest.described_units import create_described, missing_sub_units
from runcard.ingest.resolve import (
    Operator,
    Reference,
    ResolvedPlace,
    check_creation,
    check_deployment,
    create_missing,
    create_missing_version,
    resolve_named_procedure,
    resolve_operator,
    resolve_placement,
    resolve_procedure,
)
from runcard.store.commit.documents import PackedDocument, pack_document
from runcard.store.commit.lookups import UnitKey, UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.products.part_merges import bring_unit_over
from runcard.store.runs.rows import (
    RunRow,
    count_runs_since,
    find_reported_run,
    is_slot_taken,
    stage_run,
    stage_sub_units,
)
from runcard.store.trail.metadata import change_metadata
from runcard.store.units.rows import move_unit, stage_unit


class RunClient(NamedTuple):
    """The program that sent a report, by the name that it gives itself; kept for diagnosis only."""

    name: str | None = None
    version: str | None = None


class PreparedRun(Struct, frozen=True):
    """A checked report, ready to be recorded: its contents are encoded already and no longer part of `report`.

    digest: of the whole report; None if it came without a key of its station's own. started_at, ended_at: the times
    that count. reported: the station's own times, if its clock is wrong. stated: the fields that the sender of the file
    stated.
    """

    id: UUID
    report: RunReport
    document: PackedDocument
    digest: bytes | None
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    client: RunClient
    reported: Times | None = None
    stated: tuple[StatedField, ...] = ()

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
    stated: tuple[StatedField, ...] = (),
) -> PreparedRun:
    """Check what can be checked without the record, and pack the document. Raises InvalidInput.

    received_at: None: now. client, client_version: the program that sends the report. stated: fields that were stated.
    """
    program = RunClient(client, client_version)
    issues = list(_issues(report, program))
    if issues:
        raise InvalidInput(issues)
    received_at = received_at or datetime.now(UTC)
    started_at, ended_at, reported = _times(report, received_at)
    try:
        document = pack_document(
            RunDocument(
                report.phases, report.logs, report.steps, report.sequences, report.config, report.secrets
            )
        )
        digest = None if report.client_run_ref is None else _digest_of(report)
    except OverflowError as error:
        raise InvalidInput(list(too_large_integers(report))) from error
    header = replace(report, phases=(), logs=(), steps=None, sequences=(), config=(), secrets=())
    return PreparedRun(
        new_run_id(), header, document, digest, started_at, ended_at, received_at, program, reported, stated
    )


def _times(report: RunReport, received_at: datetime) -> tuple[datetime, datetime, Times | None]:
    """The start and the end that count for a run, and the station's own times if its clock is wrong.

    Raises InvalidInput if the run would end after the year 9999 by a right clock. By a wrong clock it ends with that
    year.
    """
    started_at, reported = report.started_at or received_at, None
    try:
        ended_at = started_at + report.duration
    except OverflowError as error:
        if not is_wrong(started_at, received_at):
            message = f"duration {report.duration} is too long: the run would end after the year 9999"
            raise InvalidInput.at("duration", message) from error
        ended_at = datetime.max.replace(tzinfo=UTC)
    if is_wrong(started_at, received_at):
        reported = Times(started_at, ended_at)
        started_at, ended_at = counted_times(reported, received_at)
    return started_at, ended_at, reported


def _digest_of(report: RunReport) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(report, order="deterministic")).digest()


def record_run(tx: Transaction, actor: Actor, run: PreparedRun) -> UUID:
    """Stage a run, and return its id; the commit records it. A report that came before under its `client_run_ref` is
    not recorded again: the id of its run is returned.

    Raises PermissionDenied for a viewer; then StationNotAuthorized, ProcedureNotFound, Conflict if another report came
    under the same `client_run_ref` or into the same slot, DeploymentNotFound, OperatorNotFound, PartNumberMissing,
    PartNumberUnreadable, SubUnitsNotFound, CircularParentage, CreationForbidden or QuotaExceeded, in this order, before
    anything is staged.
    """
    check_may_record(actor)
    report, catalog = run.report, tx.catalog
    organization = catalog.organization(actor.organization_id)
    if report.procedure_is_name:
        procedure_id = resolve_named_procedure(tx, actor, report.procedure)
    else:
        procedure_id = resolve_procedure(catalog, actor, report.procedure)
    if (known_id := _find_same(tx, run)) is not None:
        return known_id
    _check_slot(tx, report)
    check_deployment(tx, procedure_id, report)
    operator = resolve_operator(catalog, organization.id, report)
    tag = report.procedure_version
    version = Reference(tag, None if tag is None else catalog.version(procedure_id, tag))
    unit = catalog.unit(organization.id, report.serial_number)
    placement = resolve_placement(catalog, organization, unit, report)
    if unit is not None and placement.part.id not in (None, unit.part_id):
        # Perhaps the report names the part that its part was merged into a moment ago. Then it is not moved.
        unit = bring_unit_over(tx, unit)
        placement = resolve_placement(catalog, organization, unit, report)
    missing = missing_sub_units(catalog, actor, organization, report)
    named = [serial for serial in report.sub_units if lookup_key(serial) not in missing]
    find_sub_units(tx, unit, named)  # before anything is staged
    check_creation(organization, actor, placement, unit_is_new=unit is None, version=version)
    _check_quota(tx, organization, run.received_at)

    creator = Creator.of(actor, by_report=True)
    place = create_missing(tx, placement, creator)
    version_id = create_missing_version(tx, procedure_id, version, creator)
    unit_id = _place_unit(tx, run, unit, place, creator)
    sample = None if unit is None else unit.sample
    references = _References(procedure_id, version_id, unit_id, place, operator, sample)
    row = _header(organization.id, run, references)
    stage_run(tx, row, run.document, creator, report.metadata)
    created = {
        key: create_described(tx, organization, description, creator, run.id)
        for key, description in missing.items()
    }
    sub_units = _in_order(tx, report.sub_units, created)
    stage_sub_units(tx, row, sub_units)
    link_sub_units(tx, unit_id, sub_units, run.id)
    return run.id


def _in_order(
    tx: Transaction, serial_numbers: Sequence[str], created: Mapping[str, UnitRow]
) -> Sequence[UnitRow]:
    """The units with these serial numbers, each once, in order. created: those that this run creates, by lookup key."""
    found: dict[UUID, UnitRow] = {}
    for serial in serial_numbers:
        unit = created.get(lookup_key(serial)) or tx.catalog.get_unit(tx.organization_id, serial)
        found.setdefault(unit.id, unit)
    return list(found.values())


def _find_same(tx: Transaction, run: PreparedRun) -> UUID | None:
    """The run that this report made before; None if it made none. Raises Conflict if another report has its key."""
    reference = run.report.client_run_ref
    if reference is None:
        return None
    known = find_reported_run(tx.scope, reference)
    if known is None:
        return None
    if known.digest != run.digest:
        raise Conflict(
            f"client_run_ref {reference} belongs to another report, recorded as run {known.id}. "
            "Give each report its own client_run_ref."
        )
    return known.id


def _check_slot(tx: Transaction, report: RunReport) -> None:
    execution_id, slot_key = report.execution_id, report.slot_key
    if execution_id is None or slot_key is None:
        return
    if is_slot_taken(tx.scope, execution_id, slot_key):
        raise Conflict(
            f"Execution {execution_id} already has a run in slot {slot_key}. "
            "Use a new execution_id for each start."
        )


class _References(NamedTuple):
    """The records that a run refers to. sample: the sample class of its unit."""

    procedure_id: UUID
    version_id: UUID | None
    unit_id: UUID
    place: ResolvedPlace
    operator: Operator
    sample: SampleClass | None


def _header(organization_id: UUID, run: PreparedRun, references: _References) -> RunRow:
    procedure_id, version_id, unit_id, place, operator, sample = references
    report = run.report
    return RunRow(
        id=run.id,
        organization_id=organization_id,
        procedure_id=procedure_id,
        version_id=version_id,
        unit_id=unit_id,
        part_id=place.part_id,
        revision_id=place.revision_id,
        batch_id=place.batch_id,
        operator_id=operator.id,
        outcome=report.outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        docstring=report.docstring,
        client=run.client.name,
        client_version=run.client.version,
        created_at=run.received_at,
        operator_name=operator.name,
        deployment_id=report.deployment_id,
        execution_id=report.execution_id,
        slot_key=report.slot_key,
        slot_name=report.slot_name,
        client_run_ref=report.client_run_ref,
        report_digest=run.digest,
        reported_started_at=None if run.reported is None else run.reported.started_at,
        reported_ended_at=None if run.reported is None else run.reported.ended_at,
        sample=sample,
        serial_number=report.serial_number,
    )


def _place_unit(
    tx: Transaction,
    run: PreparedRun,
    unit: UnitRow | None,
    place: ResolvedPlace,
    creator: Creator,
) -> UUID:
    metadata = run.report.unit_metadata
    if unit is None:
        unit = UnitRow(new_id(), run.report.serial_number, *place, parent_id=None)
        stage_unit(tx, unit, creator, run.id, metadata)
    else:
        move_unit(tx, unit, unit._replace(**place._asdict()), run.id)
        if metadata:
            change_metadata(tx, "unit", unit.id, "unit_metadata", metadata, by_report=True)
    return unit.id


def _check_quota(tx: Transaction, organization: Organization, now: datetime) -> None:
    quota = organization.monthly_run_quota
    if quota is None:
        return
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if count_runs_since(tx.scope, month, quota) >= quota:
        raise QuotaExceeded


def _issues(report: RunReport, program: RunClient) -> Iterator[Issue]:
    """The faults of a report, by the rules of every door."""
    for field in ("procedure", "serial_number"):
        if not getattr(report, field):
            yield Issue((field,), f"{field} is empty; give at least 1 character")
    for field in _NAMES:
        yield from name_issues((field,), getattr(report, field))
    yield from _sub_unit_issues(report)
    texts = {"docstring": report.docstring, "client": program.name, "client_version": program.version}
    for field, text in texts.items():
        if text is not None and "\0" in text:
            yield Issue((field,), f"{field} contains a NUL character; remove it")
    if report.duration.days < 0:
        yield Issue(
            ("duration",),
            f"{format_duration(report.duration)} is negative; send zero or more, such as PT2M30S",
        )
    yield from sequence_issues(report.sequences, report.phases)
    for field, needed in (("slot_key", "execution_id"), ("slot_name", "slot_key")):
        if getattr(report, field) is not None and getattr(report, needed) is None:
            yield Issue((field,), f"{field} needs {needed}; give both or neither")
    for field in ("metadata", "unit_metadata"):
        yield from metadata_issues(field, getattr(report, field) or {})


def _sub_unit_issues(report: RunReport) -> Iterator[Issue]:
    for position, serial in enumerate(report.sub_units):
        if not serial:
            yield Issue(("sub_units", position), "serial_number is empty; give at least 1 character")
        yield from name_issues(("sub_units", position), serial)
    for position, described in enumerate(report.new_sub_units):
        for field in ("part_number", "revision_number"):
            yield from name_issues(("sub_units", position, field), getattr(described, field))


_NAMES = (
    "procedure",
    "serial_number",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure_version",
    "operated_by",
    "operator",
    "client_run_ref",
    "execution_id",
    "slot_key",
    "slot_name",
)
