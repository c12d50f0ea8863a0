"""For how long something may be kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.retention import (
    MAX_DAYS,
    Cutoffs,
    Retention,
    check_days,
    is_doubtful,
    most_of_a_day,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
numbers = st.integers(0, 10**7)


def test_what_is_older_than_its_days_is_old():
    assert Retention(1, 366).cutoffs(NOW) == Cutoffs(
        datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2025, 3, 1, 8, tzinfo=UTC)
    )


def test_without_days_nothing_ever_is():
    assert Retention(None, None).cutoffs(NOW) == Cutoffs(None, None)
    assert not Retention(None, None).is_set
    assert Retention(None, 1).is_set
    assert Retention(1, None).is_set


@pytest.mark.parametrize("days", [None, 1, MAX_DAYS])
def test_a_number_of_days(days: int | None):
    check_days("run_retention_days", days)


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1, 10**17])
def test_no_number_of_days(days: int):
    with pytest.raises(InvalidInput) as caught:
        check_days("run_retention_days", days)
    [issue] = caught.value.issues
    assert issue.location == "run_retention_days"
    assert issue.message == f"{days} is no number of days to keep it; give one from 1 to 18250, or none"


@pytest.mark.parametrize(
    ("kept", "gone", "days", "most"),
    [
        (100, 0, 365, 10),
        (90, 10, 365, 0),
        (95, 5, 365, 5),
        (70, 0, 365, 7),
        (1, 0, 365, 1),
        (0, 0, 365, 0),
        (100, 0, 6, 50),
        (100, 0, 3, 100),
        (100, 0, 1, 100),
        (50, 50, 3, 50),
    ],
)
def test_a_part_of_what_there_is_goes_in_a_day(kept: int, gone: int, days: int, most: int):
    assert most_of_a_day(kept, gone, days) == most


@given(numbers, numbers, st.integers(1, MAX_DAYS))
def test_who_asks_in_the_middle_of_a_day_is_told_the_rest(kept: int, gone: int, days: int):
    whole = most_of_a_day(kept + gone, 0, days)
    assert most_of_a_day(kept, gone, days) == max(0, whole - gone)
    assert whole <= kept + gone


def test_a_clock_is_doubted_after_a_month_of_silence():
    assert not is_doubtful(NOW, None)
    assert not is_doubtful(NOW, NOW - timedelta(days=30))
    assert is_doubtful(NOW, NOW - timedelta(days=30, seconds=1))
    assert not is_doubtful(NOW, NOW + timedelta(days=4000))
