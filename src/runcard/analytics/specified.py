"""How a measurement was specified, as answers tell it."""

from msgspec import Struct

from runcard.analytics.measured import SpecRow
from runcard.domain.runs.limit import Interval

# SQL of what limits make of a value of `measurements x JOIN specs s`; NULL where there is no such limit.
BELOW = "(x.num < s.lower OR (s.lower_is_strict AND x.num <= s.lower))"
ABOVE = "(x.num > s.upper OR (s.upper_is_strict AND x.num >= s.upper))"


class Specified(Struct, frozen=True):
    """A measurement in its phase, its unit of measure, and its limits; None: no limit on that side.

    lower_is_strict, upper_is_strict: whether a value that equals the limit breaks it, as `< 5.6` says.
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
