"""Messages that are made of what a caller sent stay short."""

import pytest

from runcard.domain.errors import SubUnitsNotFound


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "Sub-units not found: S0"),
        (10, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9"),
        (11, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 1 more"),
        (90_000, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 89990 more"),
    ],
)
def test_of_many_missing_sub_units_ten_are_named(count: int, told: str) -> None:
    assert str(SubUnitsNotFound([f"S{number}" for number in range(count)])) == told
