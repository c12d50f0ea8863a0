"""Published values of NIST, in the public domain.

Statistical Reference Datasets, univariate: https://www.itl.nist.gov/div898/strd.
NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: https://www.itl.nist.gov/div898/handbook.
"""

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


class Individuals(NamedTuple):
    """A published individuals and moving range chart; limits to the digits that are given."""

    values: list[float]
    mean: float
    mean_moving_range: float
    ucl: float
    lcl: float
    mr_ucl: float


FLOW_RATE = Individuals(
    [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1], 50.81, 1.8778, 55.8041, 45.8159, 6.1349
)
