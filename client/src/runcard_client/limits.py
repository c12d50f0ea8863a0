"""Judge a value by its limits."""

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
    """PASS where a value is within its limits, both inclusive, and equals what it should; else FAIL; UNSET without any.

    In a list, every element must pass. NaN is within no limit. Raises InvalidReport for an empty list, and for limits
    on a value that is no number.
    """
    if low is None and high is None and equals is None:
        return "UNSET"
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values:
        raise InvalidReport(f"{name} is an empty list, which cannot be judged; measure at least one value")
    verdicts = [_passes(name, element, low, high, equals) for element in values]
    return "PASS" if all(verdicts) else "FAIL"


def failure_text(measurement: MeasurementReport) -> str:
    """The value of a failed measurement and what it should be: `vcc = 3.5 V, which is not at most 3.4`."""
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


def _passes(name: str, value: object, low: float | None, high: float | None, equals: Scalar | None) -> bool:
    if equals is not None and not _is_equal(value, equals):
        return False
    if low is None and high is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidReport(
            f"{name} is {value!r:.80}, which has no order, so limits do not fit; measure a number, or use equals"
        )
    return (low is None or value >= low) and (high is None or value <= high)


def _is_equal(value: object, expected: Scalar) -> bool:
    """Whether two values are equal as on the server, where a boolean never equals a number."""
    return isinstance(value, bool) == isinstance(expected, bool) and value == expected
