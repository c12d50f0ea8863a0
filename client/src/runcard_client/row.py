"""The rows of the server's lists. A missing value is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from runcard_client.api import Json
from runcard_client.records import text_of

# Python before 3.11 reads only seconds with 3 or 6 decimal places.
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


@dataclass(frozen=True)
class RunRow:
    """operator: name, or else e-mail. station: the one that reported the run; None where a user did."""

    id: str
    serial_number: str
    outcome: str
    started_at: datetime
    ended_at: datetime
    duration_s: float
    procedure_id: str
    procedure: str
    procedure_version: str | None
    part_number: str
    revision_number: str
    batch_number: str | None
    station: str | None
    operator: str | None
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    created_at: datetime


@dataclass(frozen=True)
class MeasurementRow:
    """At most one of value, bool_value and string_value is set, as `kind` says. low, high: the decisive limits."""

    id: str
    run_id: str
    serial_number: str | None
    phase: str
    name: str
    started_at: datetime | None
    outcome: str
    value: float | None
    bool_value: bool | None
    string_value: str | None
    unit: str | None
    low: float | None
    high: float | None
    kind: str
    retry_count: int
    is_final_attempt: bool


def run_row(row: Json) -> RunRow:
    """The run in a row of a list. Raises Unavailable where the row is not Runcard's."""
    procedure, unit = _inside(row, "procedure"), _inside(row, "unit")
    part, operator = _inside(unit, "part"), _inside(row, "operated_by")
    started_at, ended_at = _moment(text_of(row, "started_at")), _moment(text_of(row, "ended_at"))
    return RunRow(
        text_of(row, "id"),
        text_of(unit, "serial_number"),
        text_of(row, "outcome"),
        started_at,
        ended_at,
        (ended_at - started_at).total_seconds(),
        text_of(procedure, "id"),
        text_of(procedure, "name"),
        _text(_inside(procedure, "version"), "tag"),
        text_of(part, "number"),
        text_of(_inside(part, "revision"), "number"),
        _text(_inside(unit, "batch"), "number"),
        _text(_inside(row, "created_by_station"), "name"),
        _text(operator, "name") or _text(operator, "email"),
        _text(row, "execution_id"),
        _text(row, "slot_key"),
        _text(row, "slot_name"),
        _moment(text_of(row, "created_at")),
    )


def measurement_row(row: Json) -> MeasurementRow:
    """The measurement in a row of a list. Raises Unavailable where the row is not Runcard's."""
    started_at, bool_value, retry_count = (
        row.get(name) for name in ("started_at", "bool_value", "retry_count")
    )
    return MeasurementRow(
        text_of(row, "id"),
        text_of(row, "run_id"),
        _text(row, "serial_number"),
        text_of(row, "phase_name"),
        text_of(row, "measurement_name"),
        _moment(started_at) if isinstance(started_at, str) else None,
        text_of(row, "measurement_outcome"),
        _number(row.get("value")),
        bool_value if isinstance(bool_value, bool) else None,
        _text(row, "string_value"),
        _text(row, "units"),
        max(_limits(row, ">="), default=None),
        min(_limits(row, "<="), default=None),
        text_of(row, "measurement_type"),
        retry_count if isinstance(retry_count, int) else 0,
        row.get("is_final_attempt") is True,
    )


def _limits(row: Json, operator: str) -> list[float]:
    """The limits of the decisive validators with this operator."""
    validators = row.get("validators")
    of_side = [
        _number(validator.get("expected_value"))
        for validator in (validators if isinstance(validators, list) else [])
        if isinstance(validator, dict)
        and validator.get("operator") == operator
        and validator.get("is_decisive") is not False
    ]
    return [limit for limit in of_side if limit is not None]


def _inside(row: Json, field: str) -> Json:
    """The object in a field; an empty one where the field is null or missing."""
    value = row.get(field)
    return value if isinstance(value, dict) else {}


def _text(row: Json, field: str) -> str | None:
    value = row.get(field)
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _moment(text: str) -> datetime:
    digits = _FRACTION.sub(lambda found: f".{found[1]:0<6}", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(digits).astimezone(timezone.utc)
