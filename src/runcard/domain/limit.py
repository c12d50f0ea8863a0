"""Numeric limits of a measurement."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds that a value must keep, both inclusive; None means no bound on that side."""

    lower: float | None
    upper: float | None
