"""For how long something may be kept."""

from datetime import UTC, datetime

import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.retention import MAX_DAYS, Cutoffs, Retention, check_days

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


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
