"""Moments and durations as ISO 8601 writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.instant import as_utc, format_duration, format_instant, of_unix_ms, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("P", 0),
        ("PT", 0),
        ("PT27M15S", 1635),
        ("P1DT2H", 93600),
        ("PT0.500000S", 0.5),
        ("PT1.5H", 5400),
        ("P2W", 1_209_600),
        ("-PT1S", -1),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "P1Y", "P1M", "PT1X", "1H", "P1DT", "P99999999999D", "PT-1S", "P1W2D", "P٣W"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(seconds=150), "PT2M30S"),
        (timedelta(days=1, hours=2), "P1DT2H"),
        (timedelta(days=3), "P3D"),
        (timedelta(milliseconds=500), "PT0.5S"),
        (timedelta(seconds=-90), "-PT1M30S"),
    ],
)
def test_durations_are_written(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.timedeltas(timedelta(), timedelta(days=100_000)))
def test_durations_read_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_milliseconds_are_exact(milliseconds: int) -> None:
    assert of_unix_ms(milliseconds) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize("milliseconds", [float("nan"), float("inf"), 1e18, -1e18, 10**400])
def test_milliseconds_outside_of_time_are_refused(milliseconds: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        of_unix_ms(milliseconds)


def test_fractions_of_milliseconds_are_rounded() -> None:
    assert of_unix_ms(1_760_000_000_000.6) == of_unix_ms(1_760_000_000_001)


def test_moments_become_utc() -> None:
    local = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert as_utc(local) == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert as_utc(local).tzinfo is UTC
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001 (what a zone-less text is decoded to)
    assert as_utc(naive) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_moment_that_utc_puts_before_year_one_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        as_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))))


def test_moments_are_written_in_utc() -> None:
    assert format_instant(datetime(2026, 1, 31, 12, tzinfo=UTC)) == "2026-01-31T12:00:00.000Z"
    assert (
        format_instant(datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)) == "2026-01-31T12:00:00.123456Z"
    )
