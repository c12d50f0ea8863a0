"""How a measurement was specified, as answers tell it."""

from msgspec import Struct

from runcard.analytics.measured import SpecRow
from runcard.domain.limit import Limits


class Specified(Struct, frozen=True):
    """A measurement in its phase, its unit of measure, and its inclusive limits; None: no limit on that side."""

    phase: str
    sequence_path: str | None
    name: str
    uom: str | None
    lower: float | None
    upper: float | None

    @property
    def limits(self) -> Limits:
        return Limits(self.lower, self.upper)


def specified(spec: SpecRow) -> Specified:
    return Specified(spec.phase, spec.sequence_path, spec.name, spec.uom, spec.lower, spec.upper)
