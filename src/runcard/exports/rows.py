"""Runs and measurements as rows of an export, read page by page, so that an export can have any length.

No transaction stays open between two pages. So an export has every run that existed at its start and is not deleted
before its page is read. It may also have some of the runs that are recorded meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.inside import Measured, measured_in
from runcard.domain.runs.measurement import ValueKind, effective_limits
from runcard.domain.runs.outcome import MeasurementOutcome, RunOutcome
from runcard.store.contents.measurements import MeasurementFilter
from runcard.store.engine.database import Connection
from runcard.store.engine.readable import Readable
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.records import RunRecord, list_runs_by_id, read_documents

# Documents held at once.
RUNS_AT_ONCE = 200


class ExportedRun(Struct, frozen=True, gc=False):
    """station: the one that reported the run; None where a user did. operator: name, or else e-mail.

    void_reason: None: the run counts. reported_serial_number: None: that which the unit has.
    """

    id: UUID
    serial_number: str
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    duration_s: float
    procedure_id: UUID
    procedure: str
    procedure_version: str | None
    part_number: str
    revision_number: str
    batch_number: str | None
    station: str | None
    operator: str | None
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    created_at: datetime
    void_reason: str | None
    reported_serial_number: str | None


class ExportedMeasurement(Struct, frozen=True, gc=False):
    """At most one of value, bool_value and string_value is set, as `kind` says; series and JSON are not exported.

    low, high: the decisive limits, strict ones too. run_started_at: the start of the run; started_at: of the phase.
    """

    id: UUID
    run_id: UUID
    serial_number: str
    part_number: str
    procedure: str
    run_outcome: RunOutcome
    run_started_at: datetime
    phase: str
    name: str
    started_at: datetime
    outcome: MeasurementOutcome
    value: float | None
    bool_value: bool | None
    string_value: str | None
    unit: str | None
    low: float | None
    high: float | None
    kind: ValueKind
    retry_count: int
    is_final_attempt: bool
    run_void_reason: str | None


Row = TypeVar("Row", ExportedRun, ExportedMeasurement)


def export_runs(
    database: Readable, organization_id: UUID, run_filter: RunFilter
) -> Iterator[Sequence[ExportedRun]]:
    """The runs that the filter matches, page by page, in the order in which they were recorded."""

    def rows(_connection: Connection, runs: Sequence[RunRecord]) -> list[ExportedRun]:
        return [_exported_run(run) for run in runs]

    return _export(database, organization_id, run_filter, rows)


def export_measurements(
    database: Readable, organization_id: UUID, runs: RunFilter, measurement_filter: MeasurementFilter
) -> Iterator[Sequence[ExportedMeasurement]]:
    """The measurements that both filters match, page by page: runs in recorded order, each in document order."""

    def rows(connection: Connection, found: Sequence[RunRecord]) -> list[ExportedMeasurement]:
        documents = read_documents(Scope(connection, organization_id), [run.id for run in found])
        return [
            _exported_measurement(run, measured)
            for run in found
            for measured in measured_in(documents[run.id])
            if measurement_filter.keeps(measured)
        ]

    return _export(database, organization_id, runs, rows)


def _export(
    database: Readable,
    organization_id: UUID,
    run_filter: RunFilter,
    rows: Callable[[Connection, Sequence[RunRecord]], list[Row]],
) -> Iterator[Sequence[Row]]:
    after: UUID | None = None
    while True:
        with database.read_in(organization_id) as scope:
            runs = list_runs_by_id(scope, run_filter, RUNS_AT_ONCE, after)
            made = rows(scope.connection, runs)
        if made:
            yield made
        if len(runs) < RUNS_AT_ONCE:
            return
        after = runs[-1].id


def _exported_run(run: RunRecord) -> ExportedRun:
    operator, reported = run.operator, reported_times(run)
    return ExportedRun(
        run.id,
        run.unit.serial_number,
        run.outcome,
        reported.started_at,
        reported.ended_at,
        reported.duration.total_seconds(),
        run.procedure.id,
        run.procedure.name,
        None if run.version is None else run.version.name,
        run.part.number,
        run.revision.name,
        None if run.batch is None else run.batch.name,
        None if run.created_by_station is None else run.created_by_station.name,
        run.operator_name if operator is None else operator.name or operator.email,
        run.execution_id,
        run.slot_key,
        run.slot_name,
        run.created_at,
        None if run.void is None else run.void.reason,
        run.former_serial_number or None,
    )


def _exported_measurement(run: RunRecord, measured: Measured) -> ExportedMeasurement:
    measurement, phase = measured.measurement, measured.attempt.phase
    kind, value = measurement.kind, measurement.value
    limits = effective_limits(measurement)
    return ExportedMeasurement(
        part_id(run.id, RunPart.MEASUREMENT, measured.position),
        run.id,
        run.unit.serial_number,
        run.part.number,
        run.procedure.name,
        run.outcome,
        reported_times(run).started_at,
        phase.name,
        measurement.name,
        phase.started_at,
        measurement.outcome,
        float(value) if kind == "numeric" else None,
        value if kind == "boolean" else None,
        value if kind == "string" else None,
        measurement.uom,
        limits.lower,
        limits.upper,
        kind,
        phase.retry_count,
        measured.attempt.is_final,
        None if run.void is None else run.void.reason,
    )
