"""OpenHTF records: the JSON that OpenHTF's OutputToJSON callback writes, verified with OpenHTF 1.6.3.

Attachments inside a record are not read, because clients send them separately.
"""

import json
import math
import re
import reprlib
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.instant import of_unix_ms
from runcard.domain.runs.measurement import (
    JsonValue,
    Measurement,
    Series,
    columns_of,
    storable_json,
    storable_number,
)
from runcard.domain.runs.outcome import MeasurementOutcome, PhaseOutcome, RunOutcome, log_level_of_number
from runcard.domain.runs.phase import Log, Phase, RetryCounter, phase_end, tidy_message, tidy_source_file
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.validator import Validator, decisive_limits
from runcard.domain.runs.validator_text import opaque_validator, parse_validator, validators_of_texts
from runcard.importers.content.heads import json_members
from runcard.importers.report.stated import Mend

# Members that only an OpenHTF record has, in any order.
_OWN_MEMBERS = {"dut_id", "start_time_millis", "end_time_millis", "outcome_details", "code_info"}
# What to change in the test program where a record lacks a field.
MENDS = {
    "serial_number": Mend("return the serial number from the test_start function", ("dut_id",)),
    "procedure": Mend("give it to openhtf.Test, as procedure_id='FVT1'", ("metadata", "procedure_id")),
}
_UNKNOWN_DUT = "UNKNOWN_DUT"
_NO_DIMENSION = "NDL"
_MEND = "Upload the JSON file that OpenHTF's OutputToJSON callback wrote."

_RUN_OUTCOMES: dict[str | None, RunOutcome] = {
    "PASS": "PASS",
    "FAIL": "FAIL",
    "ERROR": "ERROR",
    "TIMEOUT": "TIMEOUT",
    "ABORTED": "ABORTED",
}
_PHASE_OUTCOMES: dict[str | None, PhaseOutcome] = {
    "PASS": "PASS",
    "FAIL": "FAIL",
    "SKIP": "SKIP",
    "ERROR": "ERROR",
}
_MEASUREMENT_OUTCOMES: dict[str | None, MeasurementOutcome] = {"PASS": "PASS", "FAIL": "FAIL"}
# OpenHTF writes these numbers as their Python texts, because JSON has no form for them.
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

# Some stations number units, parts and revisions with integers.
_Identifier = str | int
_LineNumber = Annotated[int, Meta(ge=0, lt=2**31)]


class _CodeInfo(Struct):
    docstring: str | None = None


class _Unit(Struct):
    name: str | None = None
    code: str | None = None
    suffix: str | None = None


class _Dimension(Struct):
    name: str | None = None
    description: str | None = None
    suffix: str | None = None


class _ConditionalValidator(Struct):
    validator: str


class _Measurement(Struct):
    outcome: str | None = None
    measured_value: Any = None
    validators: list[str] | None = None
    conditional_validators: list[_ConditionalValidator] | None = None
    dimensions: list[_Dimension] | None = None
    units: _Unit | str | None = None
    docstring: str | None = None


class _Phase(Struct):
    name: str
    outcome: str | None = None
    start_time_millis: float | None = None
    end_time_millis: float | None = None
    measurements: dict[str, _Measurement] | None = None
    codeinfo: _CodeInfo | None = None


class _LogRecord(Struct):
    level: int
    timestamp_millis: float
    message: str
    source: str | None = None
    lineno: _LineNumber | None = None


class _SubUnit(Struct):
    serial_number: _Identifier


class _Metadata(Struct):
    procedure_id: _Identifier | None = None
    procedure_version: _Identifier | None = None
    serial_number: _Identifier | None = None
    part_number: _Identifier | None = None
    revision: _Identifier | None = None
    batch_number: _Identifier | None = None
    operated_by: str | None = None
    sub_units: list[_SubUnit | str] | None = None
    test_description: Any = None


class _Record(Struct):
    start_time_millis: float
    phases: list[_Phase]
    dut_id: _Identifier | None = None
    end_time_millis: float | None = None
    outcome: str | None = None
    metadata: _Metadata | None = None
    log_records: list[_LogRecord] | None = None
    code_info: _CodeInfo | None = None


_DECODER = msgspec.json.Decoder(_Record)


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes is JSON with at least two members that only OpenHTF records have."""
    return len(_OWN_MEMBERS & json_members(head)) > 1


def parse(content: bytes) -> RunReport:
    """The run of an OpenHTF record, with phases, measurements and logs in recorded order.

    Integers beyond 64 bits become floats with their digits in `exact`. NaN and infinities, which OpenHTF writes as
    texts, become numbers again where a unit, a numeric validator or dimensions show that a number was meant. Procedure
    and serial number are empty where the record names none.

    Raises UnreadableReport where the content is no OpenHTF record.
    """
    record = _decode(content)
    metadata = record.metadata or _Metadata()
    procedure = _identifier(metadata.procedure_id, "metadata.procedure_id")
    serial_number = _serial_number(record, metadata)
    started_at = _moment(record.start_time_millis, "start_time_millis")
    phases = _phases(record.phases, started_at)
    return RunReport(
        procedure=procedure or "",
        serial_number=serial_number or "",
        outcome=_RUN_OUTCOMES.get(record.outcome, "ERROR"),
        started_at=started_at,
        duration=max(_end(record, started_at, phases) - started_at, timedelta()),
        part_number=_identifier(metadata.part_number, "metadata.part_number"),
        revision_number=_identifier(metadata.revision, "metadata.revision"),
        batch_number=_identifier(metadata.batch_number, "metadata.batch_number"),
        procedure_version=_identifier(metadata.procedure_version, "metadata.procedure_version"),
        operated_by=_identifier(metadata.operated_by, "metadata.operated_by"),
        sub_units=_sub_units(metadata.sub_units or []),
        docstring=_run_docstring(record, metadata),
        phases=phases,
        logs=tuple(_log(log, index) for index, log in enumerate(record.log_records or [])),
    )


def _decode(content: bytes) -> _Record:
    try:
        return _DECODER.decode(content)
    except RecursionError as error:
        raise UnreadableReport(f"The file is nested too deeply for an OpenHTF record. {_MEND}") from error
    except ValueError:
        return _decode_loosely(content)


def _decode_loosely(content: bytes) -> _Record:
    """The record in Python's dialect of JSON, which some stations write: with NaN, Infinity and a byte order mark."""
    try:
        tree = json.loads(content)
        # Python accepts lone surrogates, but no database can store them.
        json.dumps(tree, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableReport(f"The file is not JSON: {_shown(error)}. {_MEND}") from error
    try:
        return msgspec.convert(tree, _Record)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        found = _found(tree, error)
        raise UnreadableReport(f"The file is not an OpenHTF record: {error}{found}. {_MEND}") from error


def _found(tree: JsonValue, error: Exception) -> str:
    """`, which is` and the value that a decoding error is about; empty where its message has no path to the value."""
    _, _, path = str(error).partition(" - at `$")
    if not path or "[...]" in path:
        return ""
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        tree = tree[key] if key else tree[int(index)]
    return f", which is {_shown(tree)}"


def _shown(value: object) -> str:
    return str(value)[:200] if isinstance(value, Exception) else reprlib.repr(value)


def _identifier(value: _Identifier | None, field: str) -> str | None:
    """The trimmed name; None where it is missing or blank. Raises UnreadableReport for a NUL character."""
    text = "" if value is None else str(value).strip()
    if "\0" in text:
        raise UnreadableReport(f"{field} is {_shown(text)}, which contains a NUL character. Remove it.")
    return text or None


def _serial_number(record: _Record, metadata: _Metadata) -> str | None:
    """The serial number in `dut_id`, or the one in the metadata where OpenHTF had no `dut_id`."""
    dut_id = _identifier(record.dut_id, "dut_id")
    if dut_id is None or dut_id == _UNKNOWN_DUT:
        return _identifier(metadata.serial_number, "metadata.serial_number") or dut_id
    return dut_id


def _sub_units(records: list[_SubUnit | str]) -> tuple[str, ...]:
    serial_numbers = []
    for index, record in enumerate(records):
        given = record if isinstance(record, str) else record.serial_number
        serial_number = _identifier(given, f"metadata.sub_units[{index}]")
        if serial_number is None:
            path = ("metadata", "sub_units", index, "serial_number")
            raise InvalidInput.at(path, "required: name the unit or leave it out")
        serial_numbers.append(serial_number)
    return tuple(serial_numbers)


def _run_docstring(record: _Record, metadata: _Metadata) -> str | None:
    if record.code_info and record.code_info.docstring:
        return record.code_info.docstring
    description = metadata.test_description
    return description or None if isinstance(description, str) else None


def _moment(millis: float, field: str) -> datetime:
    try:
        return of_unix_ms(millis)
    except ValueError as error:
        raise UnreadableReport(f"{field}: {error}. Give milliseconds since 1970.") from error


def _end(record: _Record, started_at: datetime, phases: tuple[Phase, ...]) -> datetime:
    if record.end_time_millis is not None:
        return _moment(record.end_time_millis, "end_time_millis")
    return phase_end(phases) or started_at


def _phases(records: list[_Phase], run_started_at: datetime) -> tuple[Phase, ...]:
    retries = RetryCounter()
    return tuple(
        _phase(record, f"phases[{index}]", run_started_at, retries) for index, record in enumerate(records)
    )


def _phase(record: _Phase, field: str, run_started_at: datetime, retries: RetryCounter) -> Phase:
    name = _name(record.name, f"{field}.name")
    start, end = record.start_time_millis, record.end_time_millis
    started_at = run_started_at if start is None else _moment(start, f"{field}.start_time_millis")
    ended_at = started_at if end is None else _moment(end, f"{field}.end_time_millis")
    return Phase(
        name=name,
        outcome=_PHASE_OUTCOMES.get(record.outcome, "ERROR"),
        started_at=started_at,
        ended_at=max(started_at, ended_at),
        measurements=tuple(
            _measurement(name, measurement, f"{field}.measurements[{name!r}]")
            for name, measurement in (record.measurements or {}).items()
        ),
        docstring=(record.codeinfo and record.codeinfo.docstring) or None,
        retry_count=retries.next(name),
    )


def _name(text: str, field: str) -> str:
    if not text.strip():
        raise UnreadableReport(f"{field} is {text!r}. Name it.")
    return text


def _measurement(name: str, record: _Measurement, field: str) -> Measurement:
    recorded, exact = _storable(record.measured_value, field)
    value = _numbers_restored(recorded, record)
    columns = _columns(value, len(record.dimensions)) if record.dimensions else None
    outcome = _MEASUREMENT_OUTCOMES.get(record.outcome, "UNSET")
    validators = validators_of_texts(record.validators or (), columns[-1] if columns else value, outcome)
    limits = decisive_limits(validators)
    return Measurement(
        name=_name(name, field),
        outcome=outcome,
        value=None if columns else recorded if isinstance(recorded, list) else value,
        uom=None if columns else _uom(record.units),
        lower_limit=limits.lower,
        upper_limit=limits.upper,
        validators=validators + _conditional_validators(record),
        series=_series(name, record, columns) if columns else (),
        docstring=record.docstring or None,
        exact=exact,
    )


def _storable(value: JsonValue, field: str) -> tuple[JsonValue, str | None]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return storable_number(value)
    try:
        return storable_json(value), None
    except InvalidInput as error:
        raise UnreadableReport(f"{field}: {error.issues[0].message}") from error


def _numbers_restored(value: JsonValue, record: _Measurement) -> JsonValue:
    """The value, with the texts of non-finite numbers turned into numbers where the measurement is numeric."""
    if not isinstance(value, str | list):
        return value
    limits = [decisive_limits(parse_validator(text)) for text in record.validators or ()]
    if record.units or record.dimensions or any(limit != (None, None) for limit in limits):
        return _with_non_finite(value)
    return value


def _with_non_finite(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_with_non_finite(item) for item in value]
    return _NON_FINITE.get(value, value) if isinstance(value, str) else value


def _columns(rows: JsonValue, dimension_count: int) -> list[list[float | int]] | None:
    """A column of coordinates for each dimension, then the column of values; None where the rows have another form."""
    columns = columns_of(rows)
    return columns if columns is not None and len(columns) == dimension_count + 1 else None


def _series(name: str, record: _Measurement, columns: list[list[float | int]]) -> tuple[Series, ...]:
    *coordinates, values = columns
    axes = [
        Series(data, uom=dimension.suffix or None, name=dimension.description or dimension.name or None)
        for dimension, data in zip(record.dimensions or [], coordinates, strict=True)
    ]
    return (*axes, Series(values, uom=_uom(record.units), name=name))


def _uom(units: _Unit | str | None) -> str | None:
    if units is None or isinstance(units, str):
        return units or None
    return units.suffix or (None if units.code == _NO_DIMENSION else units.name) or None


def _conditional_validators(record: _Measurement) -> tuple[Validator, ...]:
    """The checks whose diagnosis never came. OpenHTF lists the other conditional checks among the validators too."""
    return tuple(
        opaque_validator(conditional.validator, is_decisive=False)
        for conditional in record.conditional_validators or []
        if conditional.validator not in (record.validators or [])
    )


def _log(record: _LogRecord, index: int) -> Log:
    return Log(
        level=log_level_of_number(record.level),
        timestamp=_moment(record.timestamp_millis, f"log_records[{index}].timestamp_millis"),
        message=tidy_message(record.message),
        source_file=tidy_source_file(record.source or ""),
        line_number=record.lineno or 0,
    )
