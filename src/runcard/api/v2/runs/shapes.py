"""Runs as v2 shows them: as an item of a list, and in full."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from runcard.api.v2.runs.measurement_shapes import MeasurementOut, measurement_out
from runcard.api.v2.shapes import (
    CreatorRefEmail,
    IdName,
    IdNumber,
    MetadataBody,
    creator_with_email,
    named,
)
from runcard.domain.floor.sample import SampleClass
from runcard.domain.ids import RunPart, part_id
from runcard.domain.instant import format_duration
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.inside import attempts_of
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome, RunOutcome, SequenceOutcome
from runcard.domain.runs.parameter import ParameterSource
from runcard.domain.runs.run import RunDocument
from runcard.domain.runs.sequence import PhaseSequence
from runcard.edge.requests.paging import PageMeta
from runcard.store.files.attachments import Attachment
from runcard.store.runs.records import RunRecord, SubUnitRef


class VersionRef(Struct):
    id: UUID
    tag: str


class RunProcedure(Struct):
    id: UUID
    name: str
    version: VersionRef | None


class PartWithRevision(Struct):
    id: UUID
    number: str
    name: str
    revision: IdNumber


class RunUnitOut(Struct):
    """part, with its revision, and batch: those of the unit at the time of the run."""

    id: UUID
    serial_number: str
    sample: SampleClass | None
    part: PartWithRevision
    batch: IdNumber | None


class OperatorRef(Struct):
    """An operator who is not a member has only a name."""

    id: UUID | None
    name: str | None
    email: str | None


class SequenceOut(Struct):
    id: UUID
    path: str
    key: str
    parent_path: str | None
    name: str
    source: str | None
    outcome: SequenceOutcome
    started_at: datetime | None
    ended_at: datetime | None
    duration: str | None


class VoidOut(Struct):
    """That the run was voided: no figure counts it. by: the id of the user."""

    at: datetime
    reason: str
    by: UUID


class RunHeader(Struct):
    """What a run shows both in a list and in full."""

    id: UUID
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    duration: str
    outcome: RunOutcome
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    procedure: RunProcedure
    unit: RunUnitOut
    docstring: str | None
    created_by_user: CreatorRefEmail | None
    created_by_station: IdName | None
    operated_by: OperatorRef | None
    voided: VoidOut | None
    as_reported: Mapping[str, str | None]


class RunListItem(RunHeader):
    metadata: MetadataBody | UnsetType = UNSET
    sequences: list[SequenceOut] | UnsetType = UNSET


class RunListResponse(Struct):
    data: list[RunListItem]
    meta: PageMeta


class ParameterOut(Struct):
    key: str
    value: str | float | int | bool
    variable_id: str | None
    version: int | None
    source: ParameterSource | None


class SecretOut(Struct):
    key: str
    variable_id: str | None
    version: int | None
    source: ParameterSource | None


class PhaseOut(Struct):
    id: UUID
    name: str
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    duration: str
    retry_count: int
    sequence_path: str | None
    measurements: list[MeasurementOut]
    docstring: str | None


class RunAttachment(Struct):
    """size, content_type, download_url: null until the bytes have arrived."""

    id: UUID
    name: str
    size: int | None
    content_type: str | None
    is_report: bool
    download_url: str | None


class RunLog(Struct):
    id: UUID
    level: LogLevel
    timestamp: datetime
    message: str
    source_file: str
    line_number: int


class RunSubUnit(Struct):
    id: UUID
    serial_number: str
    part_number: str
    part_name: str | None


class RunGetResponse(RunHeader, kw_only=True):
    config: list[ParameterOut]
    secrets: list[SecretOut]
    phases: list[PhaseOut]
    sequences: list[SequenceOut]
    attachments: list[RunAttachment]
    logs: list[RunLog]
    sub_units: list[RunSubUnit]
    metadata: MetadataBody


class WholeRun(NamedTuple):
    """A recorded run with all that v2 shows of it."""

    record: RunRecord
    document: RunDocument
    attachments: Sequence[Attachment]
    sub_units: Sequence[SubUnitRef]
    metadata: MetadataBody


def run_item(
    record: RunRecord,
    metadata: MetadataBody | UnsetType = UNSET,
    sequences: Sequence[PhaseSequence] | UnsetType = UNSET,
) -> RunListItem:
    """A run as an item of a list. metadata, sequences: left out if they are UNSET; of sequences only the top ones."""
    top: list[SequenceOut] | UnsetType = UNSET
    if sequences is not UNSET:
        top = sequences_out(record.id, [sequence for sequence in sequences if sequence.parent_path is None])
    return RunListItem(**asdict(_header(record)), metadata=metadata, sequences=top)


def whole_run(run: WholeRun, link_to: Callable[[Attachment], str]) -> RunGetResponse:
    """A run with everything inside it. link_to: makes the download URL of an attachment."""
    run_id, document = run.record.id, run.document
    return RunGetResponse(
        **asdict(_header(run.record)),
        config=[
            ParameterOut(
                parameter.key, parameter.value, parameter.variable_id, parameter.version, parameter.source
            )
            for parameter in document.config
        ],
        secrets=[
            SecretOut(secret.key, secret.variable_id, secret.version, secret.source)
            for secret in document.secrets
        ],
        phases=_phases(run_id, document),
        sequences=sequences_out(run_id, document.sequences),
        attachments=[_attachment(attachment, link_to) for attachment in run.attachments],
        logs=[
            RunLog(
                part_id(run_id, RunPart.LOG, position),
                log.level,
                log.timestamp,
                log.message,
                log.source_file,
                log.line_number,
            )
            for position, log in enumerate(document.logs)
        ],
        sub_units=[
            RunSubUnit(unit.id, unit.serial_number, unit.part.number, unit.part.name)
            for unit in run.sub_units
        ],
        metadata=run.metadata,
    )


def sequences_out(run_id: UUID, sequences: Sequence[PhaseSequence]) -> list[SequenceOut]:
    """Sequences in the order of their start, parents first. Their ids are made of their paths: nobody looks them up."""
    never = datetime.max.replace(tzinfo=UTC)
    ordered = sorted(sequences, key=lambda sequence: (sequence.path.count("/"), sequence.started_at or never))
    return [
        SequenceOut(
            uuid5(run_id, f"sequence {sequence.path}"),
            sequence.path,
            sequence.key,
            sequence.parent_path,
            sequence.name,
            sequence.source,
            sequence.outcome,
            sequence.started_at,
            sequence.ended_at,
            None
            if sequence.started_at is None or sequence.ended_at is None
            else format_duration(sequence.ended_at - sequence.started_at),
        )
        for sequence in ordered
    ]


def _header(record: RunRecord) -> RunHeader:
    procedure, version, part = record.procedure, record.version, record.part
    shown_version = None if version is None else VersionRef(version.id, version.name)
    revision, reported = IdNumber(record.revision.id, record.revision.name), reported_times(record)
    return RunHeader(
        id=record.id,
        created_at=record.created_at,
        started_at=reported.started_at,
        ended_at=reported.ended_at,
        duration=format_duration(reported.duration),
        outcome=record.outcome,
        execution_id=record.execution_id,
        slot_key=record.slot_key,
        slot_name=record.slot_name,
        procedure=RunProcedure(procedure.id, procedure.name, shown_version),
        unit=RunUnitOut(
            record.unit.id,
            record.unit.serial_number,
            record.unit.sample,
            PartWithRevision(part.id, part.number, part.name, revision),
            None if record.batch is None else IdNumber(record.batch.id, record.batch.name),
        ),
        docstring=record.docstring,
        created_by_user=creator_with_email(record.created_by_user),
        created_by_station=named(record.created_by_station),
        operated_by=_operator(record),
        voided=None if record.void is None else VoidOut(*record.void),
        as_reported={str(field): said for field, said in record.corrected.items()},
    )


def _operator(record: RunRecord) -> OperatorRef | None:
    if record.operator is not None:
        return OperatorRef(record.operator.id, record.operator.name, record.operator.email)
    return None if record.operator_name is None else OperatorRef(None, record.operator_name, None)


def _phases(run_id: UUID, document: RunDocument) -> list[PhaseOut]:
    """Phases in the order of their start. Their ids are made from their places in the document."""
    shown = [
        PhaseOut(
            part_id(run_id, RunPart.PHASE, position),
            phase.name,
            phase.outcome,
            phase.started_at,
            phase.ended_at,
            format_duration(phase.ended_at - phase.started_at),
            phase.retry_count,
            phase.sequence_path,
            [
                measurement_out(run_id, at, measurement)
                for at, measurement in enumerate(phase.measurements, measured)
            ],
            phase.docstring,
        )
        for position, phase, _, measured in attempts_of(document)
    ]
    return _in_order(shown)


def _in_order(phases: Sequence[PhaseOut]) -> list[PhaseOut]:
    """Phases in the order of their start, then as recorded; attempts of a phase with equal start by retry_count."""
    waiting: dict[tuple[datetime, str | None, str], deque[PhaseOut]] = defaultdict(deque)
    for phase in sorted(phases, key=lambda phase: phase.retry_count):
        waiting[phase.started_at, phase.sequence_path, phase.name].append(phase)
    by_start = sorted(phases, key=lambda phase: phase.started_at)
    return [waiting[phase.started_at, phase.sequence_path, phase.name].popleft() for phase in by_start]


def _attachment(attachment: Attachment, link_to: Callable[[Attachment], str]) -> RunAttachment:
    has_arrived = attachment.size_bytes is not None
    return RunAttachment(
        attachment.id,
        attachment.name,
        attachment.size_bytes,
        attachment.shown_content_type if has_arrived else None,
        attachment.is_report,
        link_to(attachment) if has_arrived else None,
    )
