"""Periods of the calendar against the clocks of time zones, without a copy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.calendar import Calendar, CalendarSpan, Period, clock_changes, name_of, start_of
from runcard.analytics.copy.columns import columns_of, utc
from tests.examples import one_in

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
# Half an hour at a time; changes at one minute past midnight; a half-hour for good; a whole day left out; none.
ZONES = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Caracas",
    "Asia/Pyongyang",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def _asked(
    engine: duckdb.DuckDBPyConnection, zone: ZoneInfo, period: Period, moments: list[datetime]
) -> list[tuple[datetime, str]]:
    """The start and name of the period of each moment, as the SQL of the calendar finds it."""
    sql = Calendar(zone, CalendarSpan(min(moments), max(moments))).sql(period)
    rows = ((number, utc(one)) for number, one in enumerate(moments))
    engine.register("r", columns_of({"number": "INTEGER", "started_at": "TIMESTAMP"}, list(rows)))
    found = (
        engine.table("r")
        .set_alias("r")
        .project(f"number, {sql} AS start")
        .order("number")
        .project("start")
        .fetchall()
    )
    starts = [start_of(period, key, zone) for (key,) in found]
    return [(start, name_of(period, start)) for start in starts]


def test_the_repeated_half_hour_of_lord_howe_is_a_period_of_its_own(engine: duckdb.DuckDBPyConnection):
    zone = ZoneInfo("Australia/Lord_Howe")
    before, repeated = (datetime(2026, 4, 4, hour, 15, tzinfo=UTC) for hour in (14, 15))
    found = _asked(
        engine,
        zone,
        "hour",
        [before, before + timedelta(minutes=30), repeated, repeated + timedelta(hours=1)],
    )
    assert [(start.isoformat(), name) for start, name in found] == [
        ("2026-04-05T01:00:00+11:00", "2026-04-05 01:00"),
        ("2026-04-05T01:00:00+11:00", "2026-04-05 01:00"),
        ("2026-04-05T01:30:00+10:30", "2026-04-05 01:30"),
        ("2026-04-05T02:00:00+10:30", "2026-04-05 02:00"),
    ]


def test_the_half_hour_that_lord_howe_leaves_out_cuts_an_hour(engine: duckdb.DuckDBPyConnection):
    zone = ZoneInfo("Australia/Lord_Howe")
    moments = [datetime(2026, 10, 3, 15, minute, tzinfo=UTC) for minute in (15, 45)]
    assert [start.isoformat() for start, _ in _asked(engine, zone, "hour", moments)] == [
        "2026-10-04T01:00:00+10:30",
        "2026-10-04T02:30:00+11:00",
    ]


@pytest.mark.parametrize("name", ZONES)
@one_in(2)
@given(data=st.data())
def test_hours_hold_what_the_clocks_show(engine: duckdb.DuckDBPyConnection, name: str, data: st.DataObject):
    """An hour starts where its clock hour does, or where the clocks were changed; tried near every change of them."""
    zone = ZoneInfo(name)
    changes = [one.at for one in clock_changes(zone, CalendarSpan(FIRST, LAST))] or [FIRST]
    near = st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(changes),
        st.integers(-180, 180),
    )
    moments = data.draw(st.lists(near, min_size=1, max_size=20))
    for moment, (start, _) in zip(moments, _asked(engine, zone, "hour", moments), strict=True):
        local, begin = moment.astimezone(zone), start.astimezone(UTC)
        assert timedelta() <= moment - begin < timedelta(hours=1)
        assert start.utcoffset() == local.utcoffset()
        assert (start.date(), start.hour) == (local.date(), local.hour)
        assert (start.minute, start.second) == (0, 0) or begin in changes


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=["first", "last"]
)
def test_no_moment_is_too_early_or_too_late(name: str, moment: datetime):
    zone = ZoneInfo(name)
    days = timedelta(days=30)
    span = CalendarSpan(moment, moment + days) if moment.year == 1 else CalendarSpan(moment - days, moment)
    assert list(clock_changes(zone, span)) == []
    assert "CASE" not in Calendar(zone, span).sql("month")


@pytest.mark.parametrize(
    ("period", "name"),
    [("hour", "0987-01-02 03:00"), ("day", "0987-01-02"), ("week", "0987-W01"), ("month", "0987-01")],
)
def test_years_have_four_digits(period: Period, name: str):
    assert name_of(period, datetime(987, 1, 2, 3, tzinfo=UTC)) == name
