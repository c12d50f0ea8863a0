"""Make a run report of the body of runs.create. Every run passes here: plain loops over the data."""

from datetime import datetime
from typing import cast

import msgspec

from runcard.api.v2.runs.bodies import (
    AggregationIn,
    LogIn,
    MeasurementIn,
    ParameterIn,
    PhaseIn,
    RunIn,
    SequenceIn,
    SeriesIn,
    ValidatorIn,
)
from runcard.domain.errors import EndsBeforeStart, InvalidInput, Issue
from runcard.domain.instant import as_utc
from runcard.domain.runs.measurement import (
    Aggregation,
    Measurement,
    Series,
    columns_of,
    series_of,
    storable_json,
    storable_number,
)
from runcard.domain.runs.parameter import Parameter, Secret
from runcard.domain.runs.phase import Log, Phase, tidy_message, tidy_source_file
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.sequence import PhaseSequence
from runcard.domain.runs.validator import Expected, Validator, expression_of

Path = tuple[str | int, ...]


def report_of(body: RunIn[LogIn] | RunIn[Log]) -> RunReport:
    """The report of a body. Raises InvalidInput or EndsBeforeStart."""
    started_at = _moment(body.started_at, ("started_at",))
    ended_at = _moment(body.ended_at, ("ended_at",))
    if ended_at < started_at:
        message = f"ended_at {ended_at.isoformat()} is before started_at {started_at.isoformat()}"
        raise EndsBeforeStart([Issue(("ended_at",), message)])
    return RunReport(
        procedure=str(body.procedure_id),
        serial_number=body.serial_number.strip(),
        outcome=body.outcome,
        started_at=started_at,
        duration=ended_at - started_at,
        part_number=_name(body.part_number),
        revision_number=_name(body.revision_number),
        batch_number=_name(body.batch_number),
        procedure_version=_name(body.procedure_version),
        operator=_name(body.operated_by),
        sub_units=tuple(serial.strip() for serial in body.sub_units or ()),
        docstring=body.docstring or None,
        phases=tuple(_phase(phase, ("phases", at)) for at, phase in enumerate(body.phases or ())),
        logs=_logs(body.logs or []),
        client_run_ref=_name(body.client_run_ref),
        execution_id=_name(body.execution_id),
        slot_key=_name(body.slot_key),
        slot_name=_name(body.slot_name),
        deployment_id=body.deployment_id,
        sequences=tuple(
            _sequence(sequence, ("sequences", at)) for at, sequence in enumerate(body.sequences or ())
        ),
        config=tuple(_parameter(parameter) for parameter in body.config or ()),
        secrets=tuple(
            Secret(secret.key, secret.variable_id, secret.version, secret.source)
            for secret in body.secrets or ()
        ),
        metadata=body.metadata or None,
        unit_metadata=body.unit_metadata or None,
    )


def _name(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _moment(moment: datetime, path: Path) -> datetime:
    try:
        return as_utc(moment)
    except ValueError as error:
        raise InvalidInput.at(path, str(error)) from error


def _phase(body: PhaseIn, path: Path) -> Phase:
    return Phase(
        body.name,
        body.outcome,
        _moment(body.started_at, (*path, "started_at")),
        _moment(body.ended_at, (*path, "ended_at")),
        _measurements(body.measurements, (*path, "measurements")) if body.measurements else (),
        body.docstring or None,
        body.retry_count or 0,
        body.sequence_path or None,
    )


def _measurements(bodies: list[MeasurementIn], path: Path) -> tuple[Measurement, ...]:
    measurements: list[Measurement] = []
    try:
        for body in bodies:
            measurements.append(_measurement(body))  # noqa: PERF401 (the length tells which measurement is wrong)
    except InvalidInput as error:
        issue = error.issues[0]
        raise InvalidInput.at((*path, len(measurements), *issue.path), issue.message) from error
    return tuple(measurements)


def _measurement(body: MeasurementIn) -> Measurement:
    value = body.measured_value
    exact: str | None = None
    series: tuple[Series, ...] = ()
    uom = body.units if isinstance(body.units, str) else ", ".join(unit for unit in body.units or () if unit)
    if body.x_axis is not None or body.y_axis:
        series = tuple(_series(axis) for axis in (body.x_axis, *(body.y_axis or ())) if axis is not None)
        value, uom = None, ""
    elif type(value) is list and (columns := columns_of(value)) is not None:
        series, value, uom = series_of(columns, body.units), None, ""
    elif type(value) is int:
        value, exact = storable_number(value)
    elif isinstance(value, list | dict):
        value = storable_json(value)
    return Measurement(
        body.name,
        body.outcome,
        value,
        uom or None,
        body.lower_limit,
        body.upper_limit,
        _validators(body.validators),
        series,
        _aggregations(body.aggregations),
        body.docstring or None,
        exact,
    )


def _series(body: SeriesIn) -> Series:
    return Series(
        [storable_number(value)[0] for value in body.data],
        body.units or None,
        body.name,
        body.description,
        _validators(body.validators),
        _aggregations(body.aggregations),
    )


def _aggregations(bodies: list[AggregationIn] | None) -> tuple[Aggregation, ...]:
    return tuple(
        Aggregation(
            body.type,
            storable_number(body.value)[0] if type(body.value) is int else body.value,
            body.outcome,
            body.unit,
            _validators(body.validators),
        )
        for body in bodies or ()
    )


def _validators(bodies: list[ValidatorIn] | None) -> tuple[Validator, ...]:
    return tuple([_validator(body) for body in bodies]) if bodies else ()


def _validator(body: ValidatorIn) -> Validator:
    outcome, is_decisive = body.outcome or "UNSET", body.is_decisive is not False
    expected, is_structural = _expected(body.expected_value)
    if not body.operator or not is_structural:
        text = body.expression or _text(body)
        return Validator(text, outcome=outcome, is_decisive=is_decisive)
    text = body.expression or expression_of(body.operator, expected)
    return Validator(text, body.operator, expected, outcome, is_decisive, bool(body.expression))


def _expected(value: object) -> tuple[Expected, bool]:
    """The value to compare with, and whether it can be: an object or a mixed list cannot."""
    match value:
        case None | bool() | str():
            return value, True
        case int() | float():
            return storable_number(value)[0], True
        case list() if all(isinstance(item, str) for item in value):
            return cast("list[int | float | str]", value), True
        case list() if all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
            return [storable_number(item)[0] for item in value], True
    return None, False


def _text(body: ValidatorIn) -> str:
    """The text of a check without structure: what was given of it."""
    if body.expected_value is None:
        return ""
    written = msgspec.json.encode(storable_json(body.expected_value)).decode()
    return f"x {body.operator} {written}" if body.operator else written


def _sequence(body: SequenceIn, path: Path) -> PhaseSequence:
    return PhaseSequence(
        body.path,
        body.name,
        body.outcome,
        body.source,
        None if body.started_at is None else _moment(body.started_at, (*path, "started_at")),
        None if body.ended_at is None else _moment(body.ended_at, (*path, "ended_at")),
    )


def _parameter(body: ParameterIn) -> Parameter:
    value = storable_number(body.value)[0] if type(body.value) is int else body.value
    return Parameter(body.key, value, body.variable_id, body.version, body.source)


def _logs(bodies: list[LogIn] | list[Log]) -> tuple[Log, ...]:
    if bodies and isinstance(bodies[0], Log):  # decoded as UsualRunCreateBody: all are
        return tuple(bodies)
    unusual = cast("list[LogIn]", bodies)
    return tuple(
        Log(
            body.level,
            _moment(body.timestamp, ("logs", at, "timestamp")),
            tidy_message(body.message),
            tidy_source_file(body.source_file),
            int(body.line_number),
        )
        for at, body in enumerate(unusual)
    )
