"""Series of values to chart, as the copy would give them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from runcard.analytics.measured import SpecRow
from runcard.analytics.questions.values.newest import Value
from runcard.domain.runs.outcome import MeasurementOutcome

START = datetime(2026, 1, 1)  # noqa: DTZ001 (as the copy holds moments)
SPEC = SpecRow(1, "phase", None, "m", "V", 0.0, 10.0)


def value(
    place: int, number: float, spec: int = 1, group: str | None = None, outcome: MeasurementOutcome = "PASS"
) -> Value:
    return Value(START + timedelta(minutes=place), place, 0, UUID(int=place), spec, number, outcome, group)


def series(numbers: Sequence[float]) -> list[Value]:
    return [value(place, number) for place, number in enumerate(numbers)]
