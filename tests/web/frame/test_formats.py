"""How numbers, times and sizes are written."""

from datetime import timedelta

import pytest

from runcard.web.frame.formats import (
    ago_text,
    duration_text,
    limit_text,
    mean_text,
    number_text,
    rounded_text,
    size_text,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.3, "3.3"),
        (3.0, "3"),
        (0, "0"),
        (-7, "-7"),
        (1e-9, "1e-09"),
        (1e300, "1e+300"),
        (2**63, "9223372036854775808"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_read_back_as_they_were(number: float, text: str):
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(1 / 3, "0.333333"), (100_000.0, "100000"), (float("inf"), "inf")]
)
def test_rounded_numbers(number: float, text: str):
    assert rounded_text(number) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0 s"),
        (timedelta(microseconds=400), "0.4 ms"),
        (timedelta(milliseconds=350), "350 ms"),
        (timedelta(seconds=12.5), "12.5 s"),
        (timedelta(seconds=60), "1 min 0 s"),
        (timedelta(minutes=2, seconds=30), "2 min 30 s"),
        (timedelta(hours=1, minutes=2, seconds=59), "1 h 2 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_durations(duration: timedelta, text: str):
    assert duration_text(duration) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0 B"), (950, "950 B"), (12_345, "12.3 kB"), (4_000_000, "4 MB")]
)
def test_sizes(size_bytes: int, text: str):
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("mean", "s", "text"),
    [
        (999999999.9712, 0.02, "999999999.97 Hz"),
        (5.00123456, 0.25, "5.0012 Hz"),
        (5.00123456, 1e-5, "5.00123 Hz"),
        (0.0, 0.1, "0 Hz"),
        (-1e9 - 0.125, 0.0, "-1000000000.125 Hz"),
        (0.1, None, "0.1 Hz"),
        (1e308, 1e-300, "1e+308 Hz"),
        (None, None, "–"),
    ],
)
def test_the_digits_of_a_mean_follow_the_deviation(mean, s, text):
    assert mean_text(mean, s, "Hz") == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (100 * 1024 * 1024, "100 MiB"),
        (1024 * 1024, "1 MiB"),
        (400_000, "400 kB"),
        (10_000_000, "10 MB"),
        (0, "0 B"),
    ],
)
def test_limits_are_told_as_they_are_set(size_bytes: int, text: str):
    assert limit_text(size_bytes) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(hours=1, minutes=59), "1 hour ago"),
        (timedelta(days=3, hours=5), "3 days ago"),
        (timedelta(days=400), "400 days ago"),
    ],
)
def test_how_long_ago(age: timedelta, text: str) -> None:
    assert ago_text(age) == text
