"""OpenHTF: an output callback that records its tests as runs.

Verified with OpenHTF 1.6.3. This module does not import OpenHTF.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Protocol, cast

from runcard_client.log_capture import level_of
from runcard_client.report import (
    FileReport,
    LogReport,
    MeasurementOutcome,
    MeasurementReport,
    Metadata,
    PhaseOutcome,
    PhaseReport,
    RunOutcome,
    RunReport,
    ValidatorReport,
    Value,
)

_UNKNOWN_DUT = "UNKNOWN_DUT"
_NO_DIMENSION = "NDL"
_PHASE_OUTCOMES = ("PASS", "FAIL", "SKIP", "ERROR")


class _Unit(Protocol):
    name: str
    code: str
    suffix: str | None


class _MeasuredValue(Protocol):
    is_value_set: bool
    value: object


class _Measurement(Protocol):
    name: str
    docstring: str | None
    units: _Unit | None
    dimensions: Sequence[_Unit] | None
    validators: Sequence[object]
    outcome: enum.Enum
    measured_value: _MeasuredValue


class _Attachment(Protocol):
    mimetype: str | None
    data: bytes


class _CodeInfo(Protocol):
    docstring: str | None


class _Phase(Protocol):
    name: str
    codeinfo: _CodeInfo
    measurements: Mapping[str, _Measurement] | None
    start_time_millis: int
    end_time_millis: int | None
    attachments: Mapping[str, _Attachment]
    outcome: enum.Enum | None


class _Log(Protocol):
    level: int
    source: str
    lineno: int
    timestamp_millis: int
    message: str


class _Record(Protocol):
    dut_id: str | None
    start_time_millis: int
    end_time_millis: int | None
    outcome: enum.Enum | None
    metadata: Mapping[str, object]
    phases: Sequence[_Phase]
    log_records: Sequence[_Log]
    code_info: _CodeInfo


class RunOutput:
    """An output callback. Use: `test.add_output_callbacks(RunOutput(client.record_run, procedure="FVT1"))`.

    An argument that is None is taken from the metadata of the test with the same name, as
    `htf.Test(…, part_number="PCB01")`; `procedure` also from `procedure_id`, `revision_number` also from `revision`.
    """

    def __init__(
        self,
        record: Callable[[RunReport], str],
        *,
        procedure: str | None = None,
        procedure_version: str | None = None,
        part_number: str | None = None,
        revision_number: str | None = None,
        batch_number: str | None = None,
        operator: str | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        self._record = record
        self._procedure = procedure
        self._procedure_version = procedure_version
        self._part_number = part_number
        self._revision_number = revision_number
        self._batch_number = batch_number
        self._operator = operator
        self._metadata = metadata or {}

    def __call__(self, record: _Record) -> None:
        """Record a finished test as a run. Raises InvalidReport, also where the test has no serial number."""
        given = record.metadata
        ended_ms = record.end_time_millis or record.start_time_millis
        self._record(
            RunReport(
                procedure=self._procedure or _text(given, "procedure", "procedure_id") or "",
                serial_number=_serial_number(record),
                outcome=cast(RunOutcome, record.outcome.name if record.outcome else "ERROR"),
                started_at=_moment(record.start_time_millis),
                ended_at=_moment(ended_ms),
                phases=list(_phases(record.phases, ended_ms)),
                logs=[_log(log) for log in record.log_records],
                files=[file for phase in record.phases for file in _files(phase)],
                procedure_version=self._procedure_version or _text(given, "procedure_version"),
                operator=self._operator or _text(given, "operator", "operated_by"),
                part_number=self._part_number or _text(given, "part_number"),
                revision_number=self._revision_number or _text(given, "revision_number", "revision"),
                batch_number=self._batch_number or _text(given, "batch_number"),
                docstring=record.code_info.docstring or None,
                metadata=self._metadata,
            )
        )


def _serial_number(record: _Record) -> str:
    named = record.dut_id if record.dut_id != _UNKNOWN_DUT else None
    return str(named or _text(record.metadata, "serial_number") or "")


def _text(given: Mapping[str, object], *names: str) -> str | None:
    """The text or number under the first of these names, as a text; None where there is none."""
    found = (given[name] for name in names if isinstance(given.get(name), (str, int)))
    return next((str(value) for value in found), None)


def _moment(unix_ms: float) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, timezone.utc)


def _phases(phases: Sequence[_Phase], run_ended_ms: int) -> Iterator[PhaseReport]:
    attempts: dict[str, int] = {}
    for phase in phases:
        retry_count = attempts[phase.name] = attempts.get(phase.name, -1) + 1
        outcome = phase.outcome.name if phase.outcome else "ERROR"
        yield PhaseReport(
            phase.name,
            cast(PhaseOutcome, outcome if outcome in _PHASE_OUTCOMES else "ERROR"),
            _moment(phase.start_time_millis),
            _moment(phase.end_time_millis or run_ended_ms),
            [_measurement(measurement) for measurement in (phase.measurements or {}).values()],
            phase.codeinfo.docstring or None,
            retry_count,
        )


def _measurement(measurement: _Measurement) -> MeasurementReport:
    value = measurement.measured_value.value if measurement.measured_value.is_value_set else None
    outcome = measurement.outcome.name if measurement.outcome.name in ("PASS", "FAIL") else "UNSET"
    unit = _unit(measurement.units)
    lows, highs = (_bounds(measurement.validators, side) for side in ("minimum", "maximum"))
    return MeasurementReport(
        measurement.name,
        cast(Value, value),
        cast(MeasurementOutcome, outcome),
        [_unit(dimension) or "" for dimension in measurement.dimensions] + [unit or ""]
        if measurement.dimensions
        else unit,
        max(lows, default=None),
        min(highs, default=None),
        list(_checks(measurement.validators, value)),
        measurement.docstring or None,
    )


def _unit(unit: _Unit | None) -> str | None:
    if unit is None or unit.code == _NO_DIMENSION:
        return None
    return unit.suffix or unit.name or None


def _bounds(validators: Sequence[object], side: str) -> list[float]:
    """The limits on one side. The caller takes the tightest."""
    return [bound for validator in validators if (bound := _number(validator, side)) is not None]


def _checks(validators: Sequence[object], value: object) -> Iterator[ValidatorReport]:
    """The checks that are no limits: marginal limits, equality, patterns, and all other validators as texts.

    The outcome of the other validators is UNSET: calling them again could repeat a side effect.
    """
    for validator in validators:
        yield from _marginal_checks(validator, value)
        regex, lowest = getattr(validator, "regex", None), getattr(validator, "minimum", None)
        # OpenHTF treats booleans as numbers, so a validator for a boolean has it as both limits.
        expected = lowest if isinstance(lowest, bool) else getattr(validator, "expected", None)
        if isinstance(regex, str):
            yield ValidatorReport("PASS" if re.match(regex, str(value)) else "FAIL", "matches", regex)
        elif _number(validator, "minimum") is not None or _number(validator, "maximum") is not None:
            continue
        elif isinstance(expected, (bool, int, float, str)):
            yield ValidatorReport("PASS" if value == expected else "FAIL", "==", expected)
        else:
            yield ValidatorReport("UNSET", expression=str(validator))


def _marginal_checks(validator: object, value: object) -> Iterator[ValidatorReport]:
    """Checks for marginal limits, which are not decisive: a value beyond them passes, but only just."""
    for side, symbol in (("marginal_minimum", ">="), ("marginal_maximum", "<=")):
        bound = _number(validator, side)
        if bound is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            outcome: MeasurementOutcome = "UNSET"
        else:
            outcome = "PASS" if (value >= bound if symbol == ">=" else value <= bound) else "FAIL"
        yield ValidatorReport(outcome, symbol, bound, is_decisive=False)


def _number(validator: object, field: str) -> float | None:
    value = getattr(validator, field, None)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _log(log: _Log) -> LogReport:
    return LogReport(
        level_of(log.level),
        _moment(log.timestamp_millis),
        log.message,
        log.source or "unknown",
        log.lineno or 0,
    )


def _files(phase: _Phase) -> Iterator[FileReport]:
    for name, attachment in phase.attachments.items():
        yield FileReport(name, attachment.data, attachment.mimetype or "application/octet-stream")
