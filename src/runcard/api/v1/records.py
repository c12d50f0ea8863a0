"""Recorded runs as v1 shows them."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from runcard.domain.ids import RunPart, part_id
from runcard.domain.instant import format_duration, format_instant
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.inside import attempts_of
from runcard.domain.runs.measurement import Measurement, shown_validators
from runcard.domain.runs.outcome import LogLevel, MeasurementOutcome, PhaseOutcome, RunOutcome
from runcard.domain.runs.phase import Log
from runcard.domain.runs.run import RunDocument
from runcard.edge.answers.values import wire_number, wire_value
from runcard.store.files.attachments import Attachment
from runcard.store.lists.refs import Named, UserRef
from runcard.store.runs.records import RunRecord, SubUnitRef


class UserBody(Struct):
    id: str
    name: str
    email: str
    image: str | None = None


class StationBody(Struct):
    id: str
    name: str
    image: str | None = None


class VersionBody(Struct):
    id: str
    tag: str


class ProcedureBody(Struct):
    id: str
    name: str
    identifier: str
    version: VersionBody | None


class ProcedureVersionBody(Struct):
    id: str
    value: str


class NumberedBody(Struct):
    id: str
    number: str


class PartBody(Struct):
    id: str
    number: str
    name: str
    revision: NumberedBody


class ComponentBody(Struct):
    id: str
    part_number: str
    name: str


class RevisionBody(Struct):
    id: str
    identifier: str
    image: str | None
    component: ComponentBody


class UnitBody(Struct):
    id: str
    serial_number: str
    part: PartBody
    batch: NumberedBody | None
    revision: RevisionBody


class SeriesBody(Struct):
    data: list[Any]
    units: str | None


class MeasurementRecordBody(Struct):
    """measured_value: of any kind. The next four fields each hold only their own kind. NaN and infinities are texts."""

    id: str
    name: str
    outcome: MeasurementOutcome
    measured_value: Any
    value: Any
    string_value: str | None
    bool_value: bool | None
    json_value: Any
    data_series: list[SeriesBody] | None
    units: str | None
    lower_limit: float | None
    upper_limit: float | None
    validators: list[str]


class PhaseRecordBody(Struct):
    id: str
    name: str
    outcome: PhaseOutcome
    started_at: str
    ended_at: str
    duration: str
    measurements: list[MeasurementRecordBody]
    docstring: str | UnsetType = UNSET


class LogRecordBody(Struct):
    id: str
    timestamp: str
    level: LogLevel
    message: str
    source_file: str
    line_number: int


class AttachmentBody(Struct):
    id: str
    name: str
    filename: str
    content_type: str
    size: int
    url: str


class UploadBody(Struct):
    id: str
    name: str
    size: int
    content_type: str


class FileImportBody(Struct):
    id: str
    upload: UploadBody


class SubUnitRecordBody(Struct):
    id: str
    serial_number: str


class RunRecordBody(Struct):
    id: str
    created_at: str
    started_at: str
    ended_at: str
    duration: str
    outcome: RunOutcome
    created_by_user: UserBody | None
    created_by_station: StationBody | None
    operated_by: UserBody | None
    procedure: ProcedureBody
    procedure_version: ProcedureVersionBody | None
    unit: UnitBody
    phases: list[PhaseRecordBody]
    attachments: list[AttachmentBody]
    file_import: FileImportBody | None
    logs: list[LogRecordBody]
    sub_units: list[SubUnitRecordBody]
    docstring: str | UnsetType = UNSET


class RunsEnvelopeBody(Struct):
    """The list of runs for clients before 2.2.1, which expect an object."""

    message: str
    data: list[RunRecordBody]
    result: list[RunRecordBody]


class RecordedRun(NamedTuple):
    """A recorded run with all that v1 shows of it."""

    record: RunRecord
    document: RunDocument
    attachments: list[Attachment]
    sub_units: list[SubUnitRef]


def run_body(run: RecordedRun, link_to: Callable[[Attachment], str]) -> RunRecordBody:
    """A run as v1 shows it. link_to: makes the download URL of an attachment."""
    record, reported = run.record, reported_times(run.record)
    stored = [attachment for attachment in run.attachments if attachment.size_bytes is not None]
    reports = [attachment for attachment in stored if attachment.is_report]
    return RunRecordBody(
        id=str(record.id),
        created_at=format_instant(record.created_at),
        started_at=format_instant(reported.started_at),
        ended_at=format_instant(reported.ended_at),
        duration=format_duration(reported.duration),
        outcome=record.outcome,
        created_by_user=_user(record.created_by_user),
        created_by_station=_station(record.created_by_station),
        operated_by=_user(record.operator),
        procedure=_procedure(record),
        procedure_version=record.version
        and ProcedureVersionBody(str(record.version.id), record.version.name),
        unit=_unit(record),
        phases=_phases(record.id, run.document),
        attachments=[_attachment(item, link_to(item)) for item in stored if not item.is_report],
        file_import=_file_import(reports[0]) if reports else None,
        logs=[_log(record.id, position, log) for position, log in enumerate(run.document.logs)],
        sub_units=[SubUnitRecordBody(str(unit.id), unit.serial_number) for unit in run.sub_units],
        docstring=record.docstring or UNSET,
    )


def _user(user: UserRef | None) -> UserBody | None:
    return None if user is None else UserBody(str(user.id), user.name, user.email)


def _station(station: Named | None) -> StationBody | None:
    return None if station is None else StationBody(str(station.id), station.name)


def _procedure(record: RunRecord) -> ProcedureBody:
    procedure, version = record.procedure, record.version
    shown = None if version is None else VersionBody(str(version.id), version.name)
    return ProcedureBody(str(procedure.id), procedure.name, procedure.identifier, shown)


def _unit(record: RunRecord) -> UnitBody:
    part, revision, batch = record.part, record.revision, record.batch
    component = ComponentBody(str(part.id), part.number, part.name)
    return UnitBody(
        id=str(record.unit.id),
        serial_number=record.unit.serial_number,
        part=PartBody(str(part.id), part.number, part.name, NumberedBody(str(revision.id), revision.name)),
        batch=None if batch is None else NumberedBody(str(batch.id), batch.name),
        revision=RevisionBody(str(revision.id), revision.name, None, component),
    )


def _phases(run_id: UUID, document: RunDocument) -> list[PhaseRecordBody]:
    return [
        PhaseRecordBody(
            id=str(part_id(run_id, RunPart.PHASE, position)),
            name=phase.name,
            outcome=phase.outcome,
            started_at=format_instant(phase.started_at),
            ended_at=format_instant(phase.ended_at),
            duration=format_duration(phase.ended_at - phase.started_at),
            measurements=[
                _measurement(run_id, place, item) for place, item in enumerate(phase.measurements, measured)
            ],
            docstring=phase.docstring or UNSET,
        )
        for position, phase, _, measured in attempts_of(document)
    ]


def _measurement(run_id: UUID, position: int, measurement: Measurement) -> MeasurementRecordBody:
    kind, value = measurement.kind, wire_value(measurement)
    return MeasurementRecordBody(
        id=str(part_id(run_id, RunPart.MEASUREMENT, position)),
        name=measurement.name,
        outcome=measurement.outcome,
        measured_value=value,
        value=value if kind == "numeric" and not isinstance(value, str) else None,
        string_value=value if kind == "string" else None,
        bool_value=value if kind == "boolean" else None,
        json_value=value if kind == "json" else None,
        data_series=[
            SeriesBody([wire_number(number) for number in series.data], series.uom)
            for series in measurement.series
        ]
        or None,
        units=measurement.uom,
        lower_limit=measurement.lower_limit,
        upper_limit=measurement.upper_limit,
        # One text may stand for several checks.
        validators=list(dict.fromkeys(item.expression for item in shown_validators(measurement))),
    )


def _log(run_id: UUID, position: int, log: Log) -> LogRecordBody:
    return LogRecordBody(
        id=str(part_id(run_id, RunPart.LOG, position)),
        timestamp=format_instant(log.timestamp),
        level=log.level,
        message=log.message,
        source_file=log.source_file,
        line_number=log.line_number,
    )


def _attachment(attachment: Attachment, url: str) -> AttachmentBody:
    return AttachmentBody(
        id=str(attachment.id),
        name=attachment.name,
        filename=attachment.name,
        content_type=attachment.shown_content_type,
        size=attachment.size_bytes or 0,
        url=url,
    )


def _file_import(report: Attachment) -> FileImportBody:
    return FileImportBody(
        str(report.id),
        UploadBody(str(report.id), report.name, report.size_bytes or 0, report.shown_content_type),
    )
