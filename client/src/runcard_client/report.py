"""What a station reports about a run. Times are datetimes with a time zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Union

RunOutcome = Literal["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"]
PhaseOutcome = Literal["PASS", "FAIL", "SKIP", "ERROR"]
MeasurementOutcome = Literal["PASS", "FAIL", "UNSET"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

Scalar = Union[bool, int, float, str]
# Any JSON value. A list of lists of numbers is a table with a row for each point.
Value = Union[Scalar, Sequence["Value"], Mapping[str, "Value"], None]
Metadata = Mapping[str, Scalar]


@dataclass(frozen=True)
class ValidatorReport:
    """A check of a value: either `operator` (`>=`, `==`, `in`, `matches` …) and `expected`, or `expression` as text."""

    outcome: MeasurementOutcome
    operator: str | None = None
    expected: Scalar | Sequence[float] | Sequence[str] | None = None
    expression: str | None = None
    is_decisive: bool = True


@dataclass(frozen=True)
class MeasurementReport:
    """unit: of measure; for a table, one for each column. low, high: inclusive limits; None: no limit on that side."""

    name: str
    value: Value
    outcome: MeasurementOutcome = "UNSET"
    unit: str | Sequence[str] | None = None
    low: float | None = None
    high: float | None = None
    validators: Sequence[ValidatorReport] = ()
    docstring: str | None = None


@dataclass(frozen=True)
class PhaseReport:
    """retry_count: how many attempts at the phase came before this one."""

    name: str
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    measurements: Sequence[MeasurementReport] = ()
    docstring: str | None = None
    retry_count: int = 0


@dataclass(frozen=True)
class LogReport:
    level: LogLevel
    logged_at: datetime
    message: str
    source_file: str = "unknown"
    line_number: int = 0


@dataclass(frozen=True)
class FileReport:
    """A file that belongs to a run."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class RunReport:
    """A finished run.

    procedure: its identifier (FVT1), its name or its id.
    client_run_ref: the station's own key for this run; a run that is reported again under it is recorded only once.
        None: a key is made.
    operator: e-mail of a member, or a name.
    part_number, revision_number, batch_number: None: those that the server knows of this unit.
    sub_units: serial numbers of units that became part of this one.
    execution_id, slot_key, slot_name: one start of a fixture with several slots, and the slot of this unit.
    metadata, unit_metadata: notes on the run and on its unit.
    """

    procedure: str
    serial_number: str
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    phases: Sequence[PhaseReport] = ()
    logs: Sequence[LogReport] = ()
    files: Sequence[FileReport] = ()
    client_run_ref: str | None = None
    procedure_version: str | None = None
    operator: str | None = None
    part_number: str | None = None
    revision_number: str | None = None
    batch_number: str | None = None
    sub_units: Sequence[str] = ()
    execution_id: str | None = None
    slot_key: str | None = None
    slot_name: str | None = None
    docstring: str | None = None
    metadata: Metadata = field(default_factory=dict)
    unit_metadata: Metadata = field(default_factory=dict)
