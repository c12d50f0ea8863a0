"""A row of each of the server's lists. What may be missing is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from runcard_client.api import Json
from runcard_client.records import text_of

# Python before 3.11 reads seconds with 3 or 6 digits only.
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


@dataclass(frozen=True)
class RunRow:
    """operator: name, or else e-mail. station: that reported it; None where a user did."""

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
    """At most one of value, bool_value and string_value is there, as kind says. low, high: limits that decide."""

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


def run_row(said: Json) -> RunRow:
    """A run of a list. Raises Unavailable where the answer is not Runcard's."""
    procedure, unit = _inside(said, "procedure"), _inside(said, "unit")
    part, operator = _inside(unit, "part"), _inside(said, "operated_by")
    started_at, ended_at = _moment(text_of(said, "started_at")), _moment(text_of(said, "ended_at"))
    return RunRow(
        text_of(said, "id"),
        text_of(unit, "serial_number"),
        text_of(said, "outcome"),
        started_at,
        ended_at,
        (ended_at - started_at).total_seconds(),
        text_of(procedure, "id"),
        text_of(procedure, "name"),
        _text(_inside(procedure, "version"), "tag"),
        text_of(part, "number"),
        text_of(_inside(part, "revision"), "number"),
        _text(_inside(unit, "batch"), "number"),
        _text(_inside(said, "created_by_station"), "name"),
        _text(operator, "name") or _text(operator, "email"),
        _text(said, "execution_id"),
        _text(said, "slot_key"),
        _text(said, "slot_name"),
        _moment(text_of(said, "created_at")),
    )


def measurement_row(said: Json) -> MeasurementRow:
    """A measurement of a list. Raises Unavailable where the answer is not Runcard's."""
    started_at, bool_value, retry_count = (
        said.get(name) for name in ("started_at", "bool_value", "retry_count")
    )
    return MeasurementRow(
        text_of(said, "id"),
        text_of(said, "run_id"),
        _text(said, "serial_number"),
        text_of(said, "phase_name"),
        text_of(said, "measurement_name"),
        _moment(started_at) if isinstance(started_at, str) else None,
        text_of(said, "measurement_outcome"),
        _number(said.get("value")),
        bool_value if isinstance(bool_value, bool) else None,
        _text(said, "string_value"),
        _text(said, "units"),
        max(_limits(said, ">="), default=None),
        min(_limits(said, "<="), default=None),
        text_of(said, "measurement_type"),
        retry_count if isinstance(retry_count, int) else 0,
        said.get("is_final_attempt") is True,
    )


def _limits(said: Json, operator: str) -> list[float]:
    """What the validators that decide bound a number by on one side."""
    validators = said.get("validators")
    of_side = [
        _number(one.get("expected_value"))
        for one in (validators if isinstance(validators, list) else [])
        if isinstance(one, dict) and one.get("operator") == operator and one.get("is_decisive") is not False
    ]
    return [limit for limit in of_side if limit is not None]


def _inside(said: Json, field: str) -> Json:
    """What stands under a field; nothing where it is null."""
    value = said.get(field)
    return value if isinstance(value, dict) else {}


def _text(said: Json, field: str) -> str | None:
    value = said.get(field)
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _moment(text: str) -> datetime:
    digits = _FRACTION.sub(lambda found: f".{found[1]:0<6}", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(digits).astimezone(timezone.utc)
