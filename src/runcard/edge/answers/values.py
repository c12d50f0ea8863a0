"""Measured values as JSON can say them."""

from math import isfinite
from typing import Any

from msgspec import Raw

from runcard.domain.runs.measurement import Measurement


def wire_value(measurement: Measurement) -> Any:
    """The value of a measurement, to the last digit; None where there is none."""
    if measurement.exact is not None:
        return Raw(measurement.exact.encode())
    return wire_number(measurement.value)


def wire_number(value: Any) -> Any:
    """NaN and infinities, which JSON cannot say, as the texts nan, inf and -inf; anything else as it is."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value
