"""What may be said of a key."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.key import has_expired, key_end_of, key_name_of

NOW = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", None),
        (" ", None),
        ("90", NOW + timedelta(days=90)),
        (" 1d ", NOW + timedelta(days=1)),
        ("3650d", NOW + timedelta(days=3650)),
        # A day ends by the clock of the reader: there it is the 28th when this day ends.
        ("2026-11-27", datetime(2026, 11, 27, 23, tzinfo=UTC)),
        ("2027-07-01", datetime(2027, 7, 1, 22, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_day_or_a_number_of_days(text: str, end: datetime | None) -> None:
    assert key_end_of(text, NOW, BERLIN) == end


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0d",
        "-1",
        "3652",
        "999999d",
        "2026-11-26",
        "2037-01-01",
        "9999-12-31",
        "2026-02-30",
        "2026-1-1",
        "20270101",
        "2027-W01-1",
        "soon",
        "1w",
        "٣",
        "2027-01-01T00:00",
        "1" * 500,
    ],
)
def test_no_end_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        key_end_of(text, NOW, BERLIN)
    assert "expires" in refused.value.summary


def test_a_key_works_until_its_end() -> None:
    assert not has_expired(None, NOW)
    assert not has_expired(NOW + timedelta(microseconds=1), NOW)
    assert has_expired(NOW, NOW)


def test_a_name_is_one_line() -> None:
    assert key_name_of("  ") is None
    assert key_name_of(" Prüfstand 3 ") == "Prüfstand 3"
    assert key_name_of("x" * 100) == "x" * 100
    for text in ("x" * 101, "a\0b", "a\nb", "a\u202eb"):
        with pytest.raises(InvalidInput) as refused:
            key_name_of(text)
        assert "is no name of a key" in refused.value.summary
