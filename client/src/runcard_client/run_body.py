"""Turn a report into the body of `POST /runs`. It is checked here, so that the station's program sees its mistakes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

from runcard_client.errors import InvalidReport
from runcard_client.report import LogReport, MeasurementReport, PhaseReport, RunReport, ValidatorReport

_RUN_OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")
_PHASE_OUTCOMES = ("PASS", "FAIL", "SKIP", "ERROR")
_MEASUREMENT_OUTCOMES = ("PASS", "FAIL", "UNSET")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_MAX_LENGTHS = {
    "procedure": 255,
    "serial_number": 60,
    "part_number": 60,
    "revision_number": 60,
    "batch_number": 100,
    "procedure_version": 60,
    "operator": 255,
    "client_run_ref": 255,
    "execution_id": 255,
    "slot_key": 255,
    "slot_name": 255,
}
_MAX_FILE_NAME_LENGTH = 1000
# The names that a body has, with their greatest lengths.
NAMES = {
    "operated_by" if field == "operator" else field: most
    for field, most in _MAX_LENGTHS.items()
    if field != "procedure"
}
_REQUIRED = ("outcome", "started_at", "ended_at", "serial_number")
_INSIDE = ("sub_units", "docstring", "phases", "logs", "metadata", "unit_metadata")

Json = dict[str, object]


def run_body(report: RunReport, client_run_ref: str) -> bytes:
    """The JSON body of a run, without `procedure_id`, which only the server knows. Raises InvalidReport."""
    _check_names(report)
    _check_outcome("outcome", report.outcome, _RUN_OUTCOMES)
    body = _given(
        outcome=report.outcome,
        started_at=instant("started_at", report.started_at),
        ended_at=instant("ended_at", report.ended_at),
        serial_number=report.serial_number.strip(),
        client_run_ref=client_run_ref,
        procedure_version=report.procedure_version,
        operated_by=report.operator,
        part_number=report.part_number,
        revision_number=report.revision_number,
        batch_number=report.batch_number,
        sub_units=list(report.sub_units),
        execution_id=report.execution_id,
        slot_key=report.slot_key,
        slot_name=report.slot_name,
        docstring=report.docstring,
        phases=[_phase(phase, f"phases[{at}]") for at, phase in enumerate(report.phases)],
        logs=[_log(log, f"logs[{at}]") for at, log in enumerate(report.logs)],
        metadata=_metadata("metadata", report.metadata),
        unit_metadata=_metadata("unit_metadata", report.unit_metadata),
    )
    _check_times(report.started_at, report.ended_at)
    written = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A device may write text that is no Unicode. A slightly spoilt log line is better than a lost run.
    return written.encode("utf-8", "replace")


def check_body(procedure: object, body: Json) -> None:
    """Check a body that was edited by hand, except for its phases and logs. Raises InvalidReport."""
    known = (*_REQUIRED, *NAMES, *_INSIDE)
    unknown = [name for name in body if name not in known]
    if unknown:
        raise InvalidReport(
            f"{unknown[0]!r:.80} is no field of a run; the fields are {', '.join(sorted(set(known)))}"
        )
    for field in _REQUIRED:
        if field not in body:
            raise InvalidReport(f"{field} is missing; give it")
    _check_name("procedure", procedure, _MAX_LENGTHS["procedure"])
    for field, most in NAMES.items():
        if field in body:
            _check_name(field, body[field], most)
    _check_outcome("outcome", body["outcome"], _RUN_OUTCOMES)
    started_at, ended_at = (_moment(field, body[field]) for field in ("started_at", "ended_at"))
    _check_times(started_at, ended_at)


def _moment(field: str, text: object) -> datetime:
    try:
        # Python 3.9 cannot read the Z.
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError as error:
        raise InvalidReport(f"{field} is {text!r:.80}; give a time such as 2026-01-31T12:00:00Z") from error
    instant(field, moment)
    return moment


def _check_times(started_at: datetime, ended_at: datetime) -> None:
    if ended_at < started_at:
        raise InvalidReport(
            f"ended_at {ended_at.isoformat()} is before started_at {started_at.isoformat()}; swap them"
        )


def instant(field: str, moment: datetime) -> str:
    """The moment as the API writes it. Raises InvalidReport for a moment without a time zone."""
    if moment.tzinfo is None:
        raise InvalidReport(
            f"{field} {moment.isoformat()} has no time zone; give one, as by datetime.now(timezone.utc)"
        )
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _given(**members: object) -> Json:
    """The members that are neither None nor an empty list or dict."""
    return {name: value for name, value in members.items() if value is not None and value not in ([], {})}


def _check_names(report: RunReport) -> None:
    for field, most in _MAX_LENGTHS.items():
        text: str | None = getattr(report, field)
        if text is None and field not in ("procedure", "serial_number"):
            continue
        _check_name(field, text, most)
    for serial_number in report.sub_units:
        _check_name("sub_units", serial_number, _MAX_LENGTHS["serial_number"])
    for file in report.files:
        _check_name("files.name", file.name, _MAX_FILE_NAME_LENGTH)
        if not isinstance(file.content, bytes):
            raise InvalidReport(f"files.content of {file.name} is {type(file.content).__name__}; give bytes")


def _check_name(field: str, text: object, most: int) -> None:
    if not isinstance(text, str):
        raise InvalidReport(f"{field} is {text!r:.80}; give a text")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidReport(f"{field} is {text!r:.80}, which is no Unicode; decode it before you report it")
    if not text.strip() or "\0" in text:
        raise InvalidReport(f"{field} is {text!r:.80}; give at least 1 character, none of them NUL")
    if len(text) > most:
        raise InvalidReport(f"{field} {text[:20]!r}… has {len(text)} characters; give at most {most}")


def _check_outcome(field: str, outcome: object, known: Sequence[str]) -> None:
    if outcome not in known:
        raise InvalidReport(f"{field} is {outcome!r:.80}; give one of {', '.join(known)}")


def _phase(phase: PhaseReport, field: str) -> Json:
    _check_name(f"{field}.name", phase.name, 2**31)
    _check_outcome(f"{field}.outcome", phase.outcome, _PHASE_OUTCOMES)
    return _given(
        name=phase.name,
        outcome=phase.outcome,
        started_at=instant(f"{field}.started_at", phase.started_at),
        ended_at=instant(f"{field}.ended_at", phase.ended_at),
        measurements=[
            _measurement(measurement, f"{field}.measurements[{at}]")
            for at, measurement in enumerate(phase.measurements)
        ],
        docstring=phase.docstring,
        retry_count=phase.retry_count,
    )


def _measurement(measurement: MeasurementReport, field: str) -> Json:
    _check_name(f"{field}.name", measurement.name, 2**31)
    _check_outcome(f"{field}.outcome", measurement.outcome, _MEASUREMENT_OUTCOMES)
    unit = measurement.unit
    body = _given(
        name=measurement.name,
        outcome=measurement.outcome,
        units=unit if unit is None or isinstance(unit, str) else list(unit),
        lower_limit=_bound(f"{field}.low", measurement.low),
        upper_limit=_bound(f"{field}.high", measurement.high),
        validators=[_validator(validator, f"{field}.validators") for validator in measurement.validators],
        docstring=measurement.docstring,
    )
    if measurement.value is not None:
        body["measured_value"] = json_value(f"{field}.value", measurement.value)
    return body


def _validator(validator: ValidatorReport, field: str) -> Json:
    _check_outcome(f"{field}.outcome", validator.outcome, _MEASUREMENT_OUTCOMES)
    return _given(
        outcome=validator.outcome,
        operator=validator.operator,
        expected_value=json_value(f"{field}.expected", validator.expected),
        expression=validator.expression,
        is_decisive=validator.is_decisive,
    )


def _bound(field: str, limit: object) -> float | None:
    """The limit; None for an infinite one, which limits nothing. Raises InvalidReport."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or math.isnan(limit):
        raise InvalidReport(f"{field} is {limit!r:.80}; give a number, or None for no limit")
    return None if math.isinf(limit) else limit


def json_value(field: str, value: object) -> object:
    """The value in JSON, where a number that is not finite becomes the text nan, inf or -inf. Raises InvalidReport."""
    of_numpy: object = getattr(value, "tolist", None)
    if callable(of_numpy):
        return json_value(field, of_numpy())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(field, item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [json_value(field, item) for item in value]
    raise InvalidReport(
        f"{field} is a {type(value).__name__}; give a number, a text, a boolean, or lists and dicts of these"
    )


def _metadata(field: str, metadata: Mapping[str, object]) -> Json:
    for key, value in metadata.items():
        if not isinstance(value, (bool, int, float, str)) or not _is_finite(value):
            raise InvalidReport(
                f"{field}[{key!r}] is {value!r:.80}; give a text, a finite number or a boolean"
            )
    return dict(metadata)


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _log(log: LogReport, field: str) -> Json:
    _check_outcome(f"{field}.level", log.level, _LOG_LEVELS)
    return {
        "level": log.level,
        "timestamp": instant(f"{field}.logged_at", log.logged_at),
        "message": log.message,
        "source_file": log.source_file,
        "line_number": log.line_number,
    }
