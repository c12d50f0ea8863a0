"""The slots of time that the page of calls shows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runcard.web.calls.windows import between, of_day

KEEP = timedelta(days=14)
NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")


def test_a_day_is_that_of_the_readers_clock():
    window = of_day("yesterday", TOKYO, NOW)
    assert window.since == datetime(2026, 11, 25, 15, tzinfo=UTC)
    assert (window.slot, window.slots) == (timedelta(minutes=30), 48)
    early = of_day("today", TOKYO, NOW)
    assert (early.slot, early.slots) == (timedelta(minutes=5), 19)


@pytest.mark.parametrize(
    ("since", "until", "slot", "slots"),
    [
        ("2026-11-26T10:15", "2026-11-26T10:15", timedelta(minutes=1), 1),
        ("2026-11-26T10:00", "2026-11-26T11:59", timedelta(minutes=5), 24),
        ("2026-11-20", "2026-11-21", timedelta(hours=1), 48),
        ("2026-11-13", "2026-11-26", timedelta(hours=6), 56),
        ("2027-01-01", None, timedelta(minutes=1), 1),
    ],
)
def test_slots_are_as_narrow_as_they_can_be_told_apart(
    since: str, until: str | None, slot: timedelta, slots: int
):
    window = between(since, until, KEEP, ZoneInfo("UTC"), NOW.replace(hour=23, minute=59))
    assert (window.slot, window.slots) == (slot, slots)


def test_nothing_is_asked_for_from_before_calls_were_kept():
    window = between(None, "2026-11-20", KEEP, ZoneInfo("UTC"), NOW)
    assert window.since == datetime(2026, 11, 12, tzinfo=UTC)
    first, last = window.of_slot(window.slots - 1)
    assert first < last == window.until


def test_years_of_calls_are_slots_of_days():
    window = between("2020-01-01", None, timedelta(days=3650), ZoneInfo("UTC"), NOW)
    assert window.slot % timedelta(days=1) == timedelta()
    assert window.slots <= 60
