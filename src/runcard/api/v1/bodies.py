"""Bodies of the v1 API as they are on the wire. Unknown fields are ignored; null means absent."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from runcard.domain.runs.outcome import MeasurementOutcome, PhaseOutcome, RunOutcome
from runcard.domain.runs.phase import Log

AnyLog = TypeVar("AnyLog")
Number = float | int
Name = Annotated[str, Meta(max_length=255)]
Named = Annotated[str, Meta(min_length=1)]
# A JSON value of any kind: number, text, boolean, object, array.
AnyJson = Any


class UnitUnderTestBody(Struct, gc=False):
    serial_number: Name | None = None
    part_number: Name | None = None
    revision: Name | None = None
    batch_number: Name | None = None


class SubUnitBody(Struct, gc=False):
    serial_number: Name


class MeasurementBody(Struct, gc=False):
    name: Named
    outcome: MeasurementOutcome
    measured_value: AnyJson = None
    units: str | list[str | None] | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    validators: list[str] | None = None
    docstring: str | None = None


class PhaseBody(Struct, gc=False):
    """Times in milliseconds since 1970."""

    name: Named
    outcome: PhaseOutcome
    start_time_millis: Number | None = None
    end_time_millis: Number | None = None
    measurements: list[MeasurementBody] | None = None
    docstring: str | None = None


class LogBody(Struct, gc=False):
    """timestamp: a number is milliseconds since 1970. level: a number is a level of Python's logging."""

    level: str | Number
    timestamp: datetime | Number
    message: str
    source_file: str | None = None
    line_number: Number | None = None


class StepBody(Struct, gc=False):
    """The deprecated form of a phase with at most one measurement. str_value, comparator: accepted but not used."""

    name: Named
    step_passed: bool | None = None
    started_at: datetime | None = None
    duration: str | None = None
    measurement_value: AnyJson = None
    measurement_unit: str | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    str_value: AnyJson = None
    comparator: AnyJson = None


class RunBody(Struct, Generic[AnyLog], gc=False):
    """report_variables: old clients send it; it is not used."""

    run_passed: bool
    procedure_id: Annotated[str, Meta(min_length=1, max_length=255)]
    procedure_name: Name | None = None
    procedure_version: Name | None = None
    unit_under_test: UnitUnderTestBody | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: str | None = None
    outcome: RunOutcome | None = None
    sub_units: list[SubUnitBody | Name] | None = None
    phases: list[PhaseBody] | None = None
    steps: list[StepBody] | None = None
    logs: list[AnyLog] | None = None
    operated_by: Name | None = None
    serial_number: Name | None = None
    part_number: Name | None = None
    revision: Name | None = None
    batch_number: Name | None = None
    docstring: str | None = None
    client: str | None = None
    client_version: str | None = None
    report_variables: AnyJson = None


# The first accepts every log line. The second, which nearly all bodies fit, has lines that need no conversion.
CreateRunBody = RunBody[LogBody]
UsualRunBody = RunBody[Log]


class IdBody(Struct):
    id: str


class InitializeUploadBody(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=1000)]
    mime_type: Name | None = None
    size_bytes: Annotated[int, Meta(gt=0)] | None = None


class UploadSlotBody(Struct, rename="camel"):
    id: str
    upload_url: str


class SyncUploadBody(Struct):
    upload_id: UUID
    run_id: UUID


class ImportBody(Struct):
    upload_id: UUID
    importer: Literal["OPENHTF"]
    client: str | None = None
    client_version: str | None = None


class AddSubUnitsBody(Struct):
    sub_units: list[SubUnitBody | Name] | None = None


class UpdateUnitBody(Struct):
    serial_number: Named
    sub_units: list[SubUnitBody | Name] | None = None


class EmptyBody(Struct):
    pass


class MessageBody(Struct):
    message: str


class DeletedRunBody(Struct):
    id: str
    message: str


class DeletedUnitBody(Struct):
    serial_number: str
    message: str


class RoomBody(Struct):
    """url: of a websocket that accepts all messages and shows them to nobody."""

    url: str


class IssueBody(Struct):
    path: list[str | int]
    message: str
    code: str


class ErrorMessageBody(Struct):
    message: str


class ErrorBody(Struct):
    """The body of all errors, as the vendor documents it; `error` is for old clients. request_id: not in v1, where only
    the header X-Request-ID tells it.
    """

    code: str
    message: str
    issues: list[IssueBody]
    error: ErrorMessageBody
    request_id: str | UnsetType = UNSET
