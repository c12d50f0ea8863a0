"""The body of runs.create. Fields that may be null may also be left out."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

from runcard.api.v2.shapes import SOME_TEXT, MetadataBody, Name60
from runcard.domain.runs.outcome import (
    LogLevel,
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
    SequenceOutcome,
)
from runcard.domain.runs.parameter import ParameterSource
from runcard.domain.runs.phase import MAX_LINE_NUMBER, Log

AnyLog = TypeVar("AnyLog")
Number = float | int
# The integers that every client can send exactly.
Integer = Annotated[int, Meta(ge=-(2**53), le=2**53)]
# Clients of 2.2 send whole numbers as floats.
LineNumber = (
    Annotated[int, Meta(ge=-MAX_LINE_NUMBER, le=MAX_LINE_NUMBER)]
    | Annotated[float, Meta(ge=-MAX_LINE_NUMBER, le=MAX_LINE_NUMBER, multiple_of=1)]
)
Named = Annotated[str, Meta(min_length=1)]
Name100 = Annotated[str, Meta(min_length=1, max_length=100, pattern=SOME_TEXT)]
Name255 = Annotated[str, Meta(min_length=1, max_length=255, pattern=SOME_TEXT)]


class ValidatorIn(Struct, gc=False):
    """expected_value: a number, text or boolean, or a list of numbers or texts; anything else is kept as text."""

    outcome: MeasurementOutcome | None = None
    operator: str | None = None
    expected_value: Any = None
    expression: str | None = None
    is_decisive: bool | None = None


class AggregationIn(Struct, gc=False):
    type: str
    outcome: MeasurementOutcome | None = None
    value: Number | str | bool | None = None
    unit: str | None = None
    validators: list[ValidatorIn] | None = None


class SeriesIn(Struct, gc=False):
    data: list[Number]
    units: str | None = None
    name: str | None = None
    description: str | None = None
    validators: list[ValidatorIn] | None = None
    aggregations: list[AggregationIn] | None = None


class MeasurementIn(Struct, gc=False):
    """measured_value: any JSON value; a list of lists of numbers is a table with a row for each point."""

    name: Named
    outcome: MeasurementOutcome
    x_axis: SeriesIn | None = None
    y_axis: list[SeriesIn] | None = None
    measured_value: Any = None
    units: str | list[str | None] | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    validators: list[ValidatorIn] | None = None
    aggregations: list[AggregationIn] | None = None
    docstring: str | None = None


class PhaseIn(Struct, gc=False):
    name: Named
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    docstring: str | None = None
    measurements: list[MeasurementIn] | None = None
    retry_count: Annotated[int, Meta(ge=0, le=1_000_000)] | None = 0
    sequence_path: str | None = None


class SequenceIn(Struct, gc=False):
    path: Named
    name: str
    outcome: SequenceOutcome
    source: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class LogIn(Struct, gc=False):
    level: LogLevel
    timestamp: datetime
    message: str
    source_file: str
    line_number: LineNumber


class ParameterIn(Struct, gc=False):
    key: Named
    value: str | Number | bool
    variable_id: str | None = None
    version: Integer | None = None
    source: ParameterSource | None = None


class SecretIn(Struct, gc=False, forbid_unknown_fields=True):
    """Says that a secret was used. No other field is allowed, least of all its value."""

    key: Named
    variable_id: str | None = None
    version: Integer | None = None
    source: ParameterSource | None = None


class RunIn(Struct, Generic[AnyLog], gc=False):
    outcome: RunOutcome
    procedure_id: UUID
    started_at: datetime
    ended_at: datetime
    serial_number: Name60
    deployment_id: UUID | None = None
    client_run_ref: Name255 | None = None
    execution_id: Name255 | None = None
    slot_key: Name255 | None = None
    slot_name: Name255 | None = None
    procedure_version: Name60 | None = None
    operated_by: Name255 | None = None
    part_number: Name60 | None = None
    revision_number: Name60 | None = None
    batch_number: Name100 | None = None
    sub_units: list[Name60] | None = None
    docstring: str | None = None
    phases: list[PhaseIn] | None = None
    sequences: list[SequenceIn] | None = None
    logs: list[AnyLog] | None = None
    metadata: MetadataBody | None = None
    unit_metadata: MetadataBody | None = None
    config: list[ParameterIn] | None = None
    secrets: list[SecretIn] | None = None


# The first accepts every log line. The second, which nearly all bodies fit, has lines that need no conversion.
RunCreateBody = RunIn[LogIn]
UsualRunCreateBody = RunIn[Log]
