"""Measured values in JSON."""

from math import isfinite
from typing import Any

from msgspec import Raw

from runcard.domain.runs.measurement import Measurement


def wire_value(measurement: Measurement) -> Any:
    """The value of a measurement, to its last digit; None if it has none."""
    if measurement.exact is not None:
        return Raw(measurement.exact.encode())
    return wire_number(measurement.value)


def wire_number(value: Any) -> Any:
    """The value itself; NaN and infinities, which JSON does not have, as the texts nan, inf and -inf."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value
