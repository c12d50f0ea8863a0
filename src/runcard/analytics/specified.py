"""The specification of a measurement, as answers show it."""

from msgspec import Struct

from runcard.analytics.measured import SpecRow
from runcard.domain.runs.limit import Interval

# SQL: whether a value of `measurements x JOIN specs s` is outside of the limit; NULL without that limit.
BELOW = "(x.num < s.lower OR (s.lower_is_strict AND x.num <= s.lower))"
ABOVE = "(x.num > s.upper OR (s.upper_is_strict AND x.num >= s.upper))"


class Specified(Struct, frozen=True):
    """A measurement in its phase, with unit of measure and limits; None: no limit on that side.

    lower_is_strict, upper_is_strict: a value equal to the limit breaks it, as in `< 5.6`.
    """

    phase: str
    sequence_path: str | None
    name: str
    uom: str | None
    lower: float | None
    upper: float | None
    lower_is_strict: bool = False
    upper_is_strict: bool = False

    @property
    def limits(self) -> Interval:
        return Interval(self.lower, self.upper, self.lower_is_strict, self.upper_is_strict)


def specified(spec: SpecRow) -> Specified:
    """The specification without its number in the copy."""
    return Specified(*spec[1:])
