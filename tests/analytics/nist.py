"""Certified values of NIST's Statistical Reference Datasets, univariate (public domain), https://www.itl.nist.gov/div898/strd."""

from decimal import Decimal
from typing import NamedTuple


class Certified(NamedTuple):
    """Values as they are published, in decimals; the digits of mean and standard deviation are certified."""

    name: str
    values: list[Decimal]
    mean: float
    stdev: float


# In ten-thousandths.
_MAVRO = [
    20018, 20017, 20018, 20019, 20018, 20017, 20015, 20014, 20015, 20015, 20017, 20018, 20018,
    20019, 20019, 20021, 20020, 20016, 20014, 20013, 20013, 20015, 20015, 20016, 20015, 20014,
    20013, 20014, 20015, 20014, 20015, 20016, 20015, 20016, 20019, 20020, 20020, 20021, 20022,
    20023, 20024, 20025, 20027, 20026, 20026, 20026, 20027, 20026, 20025, 20024
]  # fmt: skip


def _turns(whole: str) -> list[Decimal]:
    """1001 values: one ends in .2, the others in .1 and .3 in turn."""
    first, *rest = (Decimal(f"{whole}.{digit}") for digit in (2, 1, 3))
    return [first, *(rest * 500)]


STRD = (
    Certified("Mavro", [Decimal(one) / 10_000 for one in _MAVRO], 2.001856, 0.000429123454003053),
    Certified("NumAcc1", [Decimal(10_000_001), Decimal(10_000_003), Decimal(10_000_002)], 10_000_002, 1),
    Certified("NumAcc2", _turns("1"), 1.2, 0.1),
    Certified("NumAcc3", _turns("1000000"), 1_000_000.2, 0.1),
    Certified("NumAcc4", _turns("10000000"), 10_000_000.2, 0.1),
)
