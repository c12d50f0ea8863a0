"""Make a run report of a v1 body. Every run passes here: plain loops, no second pass over the same data."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import msgspec
from msgspec.structs import replace

from runcard.api.v1.bodies import (
    LogBody,
    MeasurementBody,
    PhaseBody,
    RunBody,
    StepBody,
    SubUnitBody,
    UnitUnderTestBody,
)
from runcard.domain.errors import InvalidInput
from runcard.domain.instant import as_utc, of_unix_ms, parse_duration
from runcard.domain.runs.measurement import (
    Measurement,
    Series,
    columns_of,
    series_of,
    storable_json,
    storable_number,
)
from runcard.domain.runs.outcome import LOG_LEVELS, LogLevel, log_level_of_number
from runcard.domain.runs.phase import (
    MAX_LINE_NUMBER,
    Log,
    Phase,
    RetryCounter,
    tidy_message,
    tidy_source_file,
)
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.validator import Validator
from runcard.domain.runs.validator_text import validators_of_texts

_LEVELS: dict[str, LogLevel] = {
    **{level: level for level in LOG_LEVELS},
    "WARN": "WARNING",
    "FATAL": "CRITICAL",
    "SUCCESS": "INFO",
}


def report_of(body: RunBody[LogBody] | RunBody[Log], received_at: datetime) -> RunReport:
    """The report of a body. Raises InvalidInput for values that the types of the body let through."""
    unit = body.unit_under_test or UnitUnderTestBody()
    serial_number = _name(unit.serial_number) or _name(body.serial_number)
    if serial_number is None:
        raise InvalidInput.at(("unit_under_test", "serial_number"), "required")
    started_at = _moment(body.started_at, ("started_at",)) or received_at
    return RunReport(
        procedure=body.procedure_id.strip(),
        serial_number=serial_number,
        outcome=body.outcome or ("PASS" if body.run_passed else "FAIL"),
        started_at=started_at,
        duration=_run_duration(body, started_at),
        part_number=_name(unit.part_number) or _name(body.part_number),
        revision_number=_name(unit.revision) or _name(body.revision),
        batch_number=_name(unit.batch_number) or _name(body.batch_number),
        procedure_version=_name(body.procedure_version),
        operated_by=_name(body.operated_by),
        sub_units=tuple(serial_numbers_of(body.sub_units or ())),
        docstring=body.docstring or None,
        phases=_phases(body, started_at),
        logs=_logs(body.logs or []),
        steps=_kept_steps(body.steps) if body.steps else None,
    )


def _name(text: str | None) -> str | None:
    return (text.strip() or None) if text else None


def serial_numbers_of(sub_units: Iterable[SubUnitBody | str]) -> Iterable[str]:
    """The serial numbers of sub-units, which are given as objects or as plain texts."""
    for item in sub_units:
        yield (item if isinstance(item, str) else item.serial_number).strip()


def _moment(moment: datetime | None, path: tuple[str | int, ...]) -> datetime | None:
    if moment is None:
        return None
    try:
        return as_utc(moment)
    except ValueError as error:
        raise InvalidInput.at(path, str(error)) from error


def _duration(text: str, path: tuple[str | int, ...]) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidInput.at(path, str(error)) from error


def _run_duration(body: RunBody[Any], started_at: datetime) -> timedelta:
    if body.duration is not None:
        return _duration(body.duration, ("duration",))
    ended_at = _moment(body.ended_at, ("ended_at",))
    return timedelta() if ended_at is None else ended_at - started_at


def _phases(body: RunBody[Any], started_at: datetime) -> tuple[Phase, ...]:
    retries = RetryCounter()
    phases = [
        _phase(phase, ("phases", position), started_at, retries)
        for position, phase in enumerate(body.phases or ())
    ]
    for position, step in enumerate(body.steps or ()):
        phases.append(_step(step, ("steps", position), started_at, retries))
    return tuple(phases)


def _phase(
    phase: PhaseBody, path: tuple[str | int, ...], run_started_at: datetime, retries: RetryCounter
) -> Phase:
    started_at = run_started_at
    try:
        if phase.start_time_millis is not None:
            started_at = of_unix_ms(phase.start_time_millis)
        ended_at = started_at if phase.end_time_millis is None else of_unix_ms(phase.end_time_millis)
    except ValueError as error:
        raise InvalidInput.at((*path, "start_time_millis or end_time_millis"), str(error)) from error
    return Phase(
        phase.name,
        phase.outcome,
        started_at,
        max(started_at, ended_at),
        _measurements(phase.measurements, (*path, "measurements")) if phase.measurements else (),
        phase.docstring or None,
        retries.next(phase.name),
    )


def _step(
    step: StepBody, path: tuple[str | int, ...], run_started_at: datetime, retries: RetryCounter
) -> Phase:
    """The deprecated form as a phase, with a measurement of the same name if the value is a number."""
    started_at = _moment(step.started_at, (*path, "started_at")) or run_started_at
    duration = timedelta() if step.duration is None else _duration(step.duration, (*path, "duration"))
    try:
        ended_at = max(started_at, started_at + duration)
    except OverflowError as error:
        raise InvalidInput.at(
            (*path, "duration"), "Step would end after the year 9999; send a shorter duration"
        ) from error
    outcome: Literal["PASS", "FAIL"] = "PASS" if step.step_passed else "FAIL"
    measurements: tuple[Measurement, ...] = ()
    if isinstance(step.measurement_value, int | float) and not isinstance(step.measurement_value, bool):
        value, exact = storable_number(step.measurement_value)
        limits = (step.limit_low, step.limit_high)
        uom = step.measurement_unit or None
        measurements = (Measurement(step.name, outcome, value, uom, *limits, exact=exact),)
    return Phase(step.name, outcome, started_at, ended_at, measurements, None, retries.next(step.name))


def _kept_steps(steps: list[StepBody]) -> list[object]:
    """The steps as they came, so that values that are not numbers are kept."""
    kept: list[object] = []
    for position, step in enumerate(steps):
        try:
            value = storable_json(step.measurement_value)
        except InvalidInput as error:
            path = ("steps", position, "measurement_value")
            raise InvalidInput.at(path, error.issues[0].message) from error
        kept.append(msgspec.to_builtins(replace(step, measurement_value=value)))
    return kept


def _measurements(bodies: list[MeasurementBody], path: tuple[str | int, ...]) -> tuple[Measurement, ...]:
    measurements: list[Measurement] = []
    try:
        for body in bodies:
            measurements.append(_measurement(body))  # noqa: PERF401 (the length tells which measurement is wrong)
    except InvalidInput as error:
        issue = error.issues[0]
        raise InvalidInput.at((*path, len(measurements), *issue.path), issue.message) from error
    return tuple(measurements)


def _measurement(body: MeasurementBody) -> Measurement:
    value = body.measured_value
    exact: str | None = None
    series: tuple[Series, ...] = ()
    uom: str | None
    if type(value) is list and (columns := columns_of(value)) is not None:
        series, value, uom = series_of(columns, body.units), None, None
    else:
        uom = body.units or None if not isinstance(body.units, list) else _joined(body.units)
        if type(value) is int:
            value, exact = storable_number(value)
        elif isinstance(value, list | dict):
            value = storable_json(value)
    validators: tuple[Validator, ...] = ()
    if body.validators:
        judged = series[-1].data if series else value
        validators = validators_of_texts(body.validators, judged, body.outcome)
    return Measurement(
        body.name,
        body.outcome,
        value,
        uom,
        body.lower_limit,
        body.upper_limit,
        validators,
        series,
        (),
        body.docstring or None,
        exact,
    )


def _joined(units: list[str | None]) -> str | None:
    return ", ".join(unit for unit in units if unit) or None


def _logs(bodies: list[LogBody] | list[Log]) -> tuple[Log, ...]:
    if bodies and isinstance(bodies[0], Log):  # decoded as UsualRunBody: all are
        return tuple(bodies)
    unusual = cast("list[LogBody]", bodies)
    return tuple([_log(body, position) for position, body in enumerate(unusual)])


def _log(body: LogBody, position: int) -> Log:
    """A log line with unusual values converted. Raises InvalidInput for values that cannot be."""
    moment, line = body.timestamp, body.line_number or 0
    try:
        timestamp = as_utc(moment) if isinstance(moment, datetime) else of_unix_ms(moment)
    except ValueError as error:
        raise InvalidInput.at(("logs", position, "timestamp"), str(error)) from error
    if not -MAX_LINE_NUMBER <= line <= MAX_LINE_NUMBER or line % 1:
        raise InvalidInput.at(
            ("logs", position, "line_number"),
            f"{line} is not a whole number from -{MAX_LINE_NUMBER} to {MAX_LINE_NUMBER}",
        )
    return Log(
        _level(body.level, position),
        timestamp,
        tidy_message(body.message),
        tidy_source_file(body.source_file or ""),
        int(line),
    )


def _level(level: str | float, position: int) -> LogLevel:
    """The level, also in the forms that only some clients use: " CRITICAL", warn, 40."""
    if isinstance(level, str):
        known = _LEVELS.get(level.strip().upper())
        if known is not None:
            return known
    elif 10 <= level <= 50:
        return log_level_of_number(level)
    raise InvalidInput.at(
        ("logs", position, "level"), f"{level!r} is not a log level; use one of {', '.join(LOG_LEVELS)}"
    )
