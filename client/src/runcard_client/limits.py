"""Judging a value by its limits."""

from __future__ import annotations

from collections.abc import Sequence

from runcard_client.errors import InvalidReport
from runcard_client.report import MeasurementOutcome, MeasurementReport, Scalar


def judged(
    name: str,
    value: object,
    low: float | None = None,
    high: float | None = None,
    equals: Scalar | None = None,
) -> MeasurementOutcome:
    """PASS where a value keeps all that is asked of it, both limits inclusive; FAIL else; UNSET where nothing is asked.

    Of a list every element must keep it. NaN keeps no limit. Raises InvalidReport where limits are asked of what is no
    number, and for an empty list.
    """
    if low is None and high is None and equals is None:
        return "UNSET"
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values:
        raise InvalidReport(f"{name} is an empty list, which nothing can be said of; measure something")
    verdicts = [_keeps(name, one, low, high, equals) for one in values]
    return "PASS" if all(verdicts) else "FAIL"


def told(measurement: MeasurementReport) -> str:
    """What a measurement that failed was, and should have been: `vcc = 3.5 V, which is not at most 3.4`."""
    words = f"{measurement.name} = {measurement.value!r:.80}"
    if isinstance(measurement.unit, str):
        words += f" {measurement.unit}"
    bounds = [
        f"{word} {limit}"
        for word, limit in (("at least", measurement.low), ("at most", measurement.high))
        if limit is not None
    ]
    bounds += [f"equal to {check.expected!r}" for check in measurement.validators]
    return f"{words}, which is not {' and '.join(bounds)}"


def _keeps(name: str, value: object, low: float | None, high: float | None, equals: Scalar | None) -> bool:
    if equals is not None and not _is_equal(value, equals):
        return False
    if low is None and high is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidReport(
            f"{name} is {value!r:.80}, which limits do not fit; measure a number, or use equals"
        )
    return (low is None or value >= low) and (high is None or value <= high)


def _is_equal(value: object, expected: Scalar) -> bool:
    """As the server compares: a number with a number, but neither with a boolean."""
    return isinstance(value, bool) == isinstance(expected, bool) and value == expected
