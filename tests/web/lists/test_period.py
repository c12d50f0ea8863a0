"""The period that a page is about, as its address says it and as its filter bar shows it."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.calendar import Period as Step
from runcard.analytics.calendar import start_of
from runcard.domain.errors import InvalidInput
from runcard.web.lists.period import (
    Period,
    PeriodQuery,
    PeriodWindow,
    span_of,
    step_of,
    window_between,
    window_of,
)
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

BERLIN = ZoneInfo("Europe/Berlin")
OPEN = PeriodWindow(None, None)
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Beirut",
    )
]
SHORT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("2026-05-04", "2026-05-04", "2026-05-04T00:00:00+02:00", "2026-05-04T23:59:59.999999+02:00"),
        ("2026-05-04T14:30", None, "2026-05-04T14:30:00+02:00", None),
        (None, "2026-05-04T14:30", None, "2026-05-04T14:30:59.999999+02:00"),
        (
            "2026-05-04T14:30:05",
            "2026-05-04T14:30:05",
            "2026-05-04T14:30:05+02:00",
            "2026-05-04T14:30:05.999999+02:00",
        ),
        (
            "2026-05-04T14:30:05.5Z",
            "2026-05-04T14:30:05.5Z",
            "2026-05-04T14:30:05.5+00:00",
            "2026-05-04T14:30:05.5+00:00",
        ),
        # On the day on which clocks go back, and in the hour that they repeat.
        ("2026-10-25", "2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
        (
            "2026-10-25T02:00",
            "2026-10-25T02:59",
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:59:59.999999+01:00",
        ),
    ],
    ids=["day", "since a minute", "until a minute", "second", "exact", "long day", "repeated hour"],
)
def test_what_is_named_is_included_as_exactly_as_it_is_written(
    since: str | None, until: str | None, first: str | None, last: str | None
):
    assert window_between(since, until, BERLIN) == (first and at(first), last and at(last))


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "2026-02-29",
        "20260504",
        "2026-W18-1",
        "2026-05-04T25:00",
        "2026-05-04T14",
        "2026-05-04T14:30+99:00",
        "2026-05-04T14:30 02:00",
        "yesterday",
        "\u0662\u0660\u0662\u0666-05-04",
    ],
)
@pytest.mark.parametrize("name", ["since", "until"])
def test_what_is_no_day_and_no_moment_is_refused(name: str, text: str):
    ends = {"since": None, "until": None, name: text}
    with pytest.raises(InvalidInput) as refused:
        window_between(**ends, zone=BERLIN)
    [issue] = refused.value.issues
    assert issue.path == (name,)
    assert (
        issue.message
        == f"{text!r} is neither a day nor a moment; write one such as 2026-01-31 or 2026-01-31T14:30"
    )


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-05-05", "2026-05-04"),
        ("2026-05-04T12:00", "2026-05-04T11:59"),
        ("2026-05-05T00:00", "2026-05-04"),
    ],
)
def test_a_beginning_after_the_end_is_refused(since: str, until: str):
    with pytest.raises(InvalidInput) as refused:
        window_between(since, until, BERLIN)
    [issue] = refused.value.issues
    assert (issue.path, issue.message) == (("since",), f"{since} is after until, {until}; swap them")


def test_a_day_that_a_zone_skipped_is_in_order_with_itself():
    window_between("2011-12-30", "2011-12-30", ZoneInfo("Pacific/Apia"))
    window_between("2026-05-04T12:00", "2026-05-04", BERLIN)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_the_first_and_the_last_day_of_all_can_be_asked_for(zone: str):
    first, last = window_between("0001-01-01", "9999-12-31", ZoneInfo(zone))
    assert first is not None
    assert last is not None
    assert (first.year, last.year) == (1, 9999)


def test_yesterday_is_that_of_the_readers_clock():
    now = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
    tokyo = ZoneInfo("Asia/Tokyo")
    assert window_of(PeriodQuery(period="yesterday"), tokyo, now) == (
        at("2026-11-26T00:00:00+09:00"),
        at("2026-11-26T23:59:59.999999+09:00"),
    )
    assert window_of(PeriodQuery(period="yesterday"), ZoneInfo("UTC"), now).first == at(
        "2026-11-25T00:00:00Z"
    )


def test_days_stand_in_place_of_a_period_and_a_range_without_days_is_all_time():
    now = datetime(2026, 11, 26, tzinfo=UTC)
    named = PeriodQuery(period="7", since="2020-01-01")
    assert window_of(named, ZoneInfo("UTC"), now) == (at("2020-01-01T00:00:00Z"), None)
    assert window_of(PeriodQuery(period="range"), ZoneInfo("UTC"), now) == OPEN


@pytest.mark.parametrize(
    ("period", "since", "until", "step"),
    [
        ("yesterday", None, None, "hour"),
        ("30", "2026-05-04", "2026-05-05T12:00", "hour"),
        ("30", "2026-05-04", "2026-05-06", "day"),
        ("30", "2026-01-01", "2026-08-01", "week"),
        ("30", "2020-01-01", "2026-08-01", "month"),
        ("30", None, "2026-08-01", "month"),
        ("range", None, None, "month"),
    ],
)
def test_a_chart_has_some_tens_of_points(period: Period, since: str | None, until: str | None, step: Step):
    assert step_of(PeriodQuery(period=period, since=since, until=until)) == step


@pytest.mark.parametrize(
    ("step", "start", "since", "until"),
    [
        ("hour", "2026-05-04T14:00+02:00", "2026-05-04T14:00", "2026-05-04T14:59"),
        ("day", "2026-05-04T00:00+02:00", "2026-05-04", "2026-05-04"),
        ("week", "2026-05-04T00:00+02:00", "2026-05-04", "2026-05-10"),
        ("month", "2026-02-01T00:00+01:00", "2026-02-01", "2026-02-28"),
        ("month", "2026-12-01T00:00+01:00", "2026-12-01", "2026-12-31"),
        ("hour", "2026-10-25T02:00+02:00", "2026-10-25T00:00Z", "2026-10-25T00:59Z"),
        ("hour", "2026-10-25T02:00+01:00", "2026-10-25T01:00Z", "2026-10-25T01:59Z"),
    ],
)
def test_a_point_of_a_chart_is_said_in_days_or_minutes(step: Step, start: str, since: str, until: str):
    assert span_of(step, datetime.fromisoformat(start), OPEN, BERLIN) == (since, until)


def test_a_week_that_a_window_cuts_is_said_as_it_was_counted():
    monday = datetime.fromisoformat("2026-05-04T00:00+02:00")
    within = window_between("2026-05-06", "2026-05-08T12:30:15", BERLIN)
    assert span_of("week", monday, within, BERLIN) == ("2026-05-06T00:00", "2026-05-08T12:30:15")
    whole = window_between("2026-05-06", "2026-05-08", BERLIN)
    assert span_of("week", monday, whole, BERLIN) == ("2026-05-06", "2026-05-08")


@given(
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.integers(0, 23),
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(ZONES),
)
def test_spans_follow_each_other_without_a_gap_once_they_are_written(
    day: date, hour: int, step: Step, zone: ZoneInfo
):
    if step == "hour":
        key = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).astimezone(zone)
        # Hours begin with an hour of the clocks.
        key = (key - timedelta(minutes=key.minute)).astimezone(UTC).replace(tzinfo=None)
    else:
        first = day.replace(day=1) if step == "month" else day
        key = datetime(first.year, first.month, first.day)  # noqa: DTZ001 -- as the calendar's SQL makes it
    start = start_of(step, key, zone)
    if step == "hour" and start.minute:
        return  # what is left of an hour whose clocks were changed
    window = window_between(*span_of(step, start, OPEN, zone), zone)
    assert window.first == start.astimezone(UTC)
    assert window.last is not None
    following = (window.last + SHORT).astimezone(zone)
    assert following.minute == 0 or (following - SHORT * 2).utcoffset() != following.utcoffset()


@pytest.fixture(scope="module")
def tested(server: Server) -> None:
    record(server, report("PERIOD"))


def chosen(page: Page) -> str:
    """The period that the control shows, and its days where they show."""
    text = page.answer.text
    [period] = re.findall(
        r'<option value="(\w+)" selected>', text.partition('name="period"')[2].partition("</select>")[0]
    )
    [attributes, days] = re.findall(r'<fieldset class="days"([^>]*)>(.*?)</fieldset>', text, re.DOTALL)[0]
    values = re.findall(r'type="([\w-]+)" name="(?:since|until)" value="([^"]*)"', days)
    return period if "hidden" in attributes else f"{period}: {values}"


@pytest.mark.usefixtures("tested")
@pytest.mark.parametrize(
    ("path", "period", "days"),
    [
        ("?period=yesterday", "yesterday", None),
        ("?since=2026-05-04&until=2026-05-05", "range", [("date", "2026-05-04"), ("date", "2026-05-05")]),
        ("?period=all&until=2026-05-05", "range", [("date", ""), ("date", "2026-05-05")]),
        (
            "?since=2026-05-04T14:30&until=2026-05-04T15:00:30",
            "range",
            [("datetime-local", "2026-05-04T14:30"), ("text", "2026-05-04T15:00:30")],
        ),
        ("?since=2026-05-04T14:30Z", "range", [("text", "2026-05-04T14:30Z"), ("date", "")]),
        ("?period=range", "range", [("date", ""), ("date", "")]),
    ],
)
@pytest.mark.parametrize(
    "page", ["/", "/runs", "/units", "/procedures", "/activity", "board", "station", "measurement"]
)
def test_the_control_of_every_page_shows_what_the_address_says(
    ada: Browser, server: Server, page: str, path: str, period: str, days: list[tuple[str, str]] | None
):
    acme = server.world.acme
    board = f"/procedures/{acme.board.id}"
    named = {
        "board": board,
        "station": f"/stations/{acme.fct.actor.station_id}",
        "measurement": f"{board}/measurements",
    }
    own = "&name=rail" if page == "measurement" else ""
    shown = ada.open(f"{named.get(page, page)}{path}{own}")
    assert shown.status == 200
    assert chosen(shown) == (period if days is None else f"{period}: {days}")


@pytest.mark.parametrize("page", ["/", "/runs", "/units", "/procedures"])
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("since=tomorrow", "since: 'tomorrow' is neither a day nor a moment; write one such as 2026-01-31"),
        (
            "until=2026-02-30",
            "until: '2026-02-30' is neither a day nor a moment; write one such as 2026-01-31",
        ),
        ("since=2026-05-05&until=2026-05-04", "since: 2026-05-05 is after until, 2026-05-04; swap them"),
    ],
    ids=["no day", "no such day", "wrong order"],
)
def test_a_page_names_what_it_cannot_understand(ada: Browser, page: str, query: str, says: str):
    refused = ada.open(f"{page}?{query}")
    assert refused.status == 400
    assert says in refused.text


@pytest.mark.usefixtures("tested")
@pytest.mark.parametrize("zone", ["Pacific%2FKiritimati", "America%2FNew_York"])
@pytest.mark.parametrize("page", ["/", "/runs", "/runs?sort=duration", "/units", "/procedures"])
def test_no_day_is_too_early_or_too_late_for_a_page(ada: Browser, zone: str, page: str):
    ada.http.cookies.set("runcard_zone", zone)
    try:
        mark = "&" if "?" in page else "?"
        assert ada.open(f"{page}{mark}since=0001-01-01&until=9999-12-31").status == 200
    finally:
        ada.http.cookies.delete("runcard_zone")
