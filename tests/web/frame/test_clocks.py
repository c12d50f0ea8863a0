"""Stations whose clocks are wrong, as pages show them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runcard.web.frame.formats import moment_of
from runcard.web.lists.filters import FigureQuery, selection_of
from runcard.web.lists.period import Period
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import measurement, phase, record, report

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
CLOCKS = {"9999-12-31": "9999-12-31T23:58:59Z", "0001-01-01": "0001-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def paths(server: Server) -> Sequence[str]:
    """Of the pages of a unit's two runs by wrong clocks, that of 9999 reported first."""
    inside = phase("p", measurement("m", 1.0))
    key = server.world.acme.fct.api_key
    return [
        record(server, report("WRONG", started_at=start, duration="PT5S", phases=[inside]), key)
        for start in CLOCKS.values()
    ]


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "America/New_York"])
def reader(ada: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Ada in zones in which the first and the last moments of all lie outside the calendar."""
    ada.http.cookies.set("runcard_zone", request.param.replace("/", "%2F"))
    yield ada
    ada.http.cookies.delete("runcard_zone")


def test_a_run_shows_what_the_clock_said_and_what_is_used(reader: Browser, paths: Sequence[str]):
    for path, day in zip(paths, CLOCKS, strict=True):
        page = reader.open(path)
        assert page.status == 200
        assert f"The station's clock said {day}" in page.text
        assert "the run counts from when it was received" in page.text
        assert "took 5 s" in page.text


def test_lists_mark_it_and_stand_in_the_order_of_receipt(reader: Browser, paths: Sequence[str]):
    for address in ("/runs?serial=WRONG", "/runs?serial=WRONG&period=today", "/units/WRONG"):
        page = reader.open(address)
        assert page.status == 200
        assert page.text.count("clock wrong") == 2
    assert reader.open("/runs?serial=WRONG").run_links == [*reversed(paths)]
    assert reader.open("/?period=today").status == 200


def test_files_hold_what_the_station_said(ada: Browser, paths: Sequence[str]):
    rows = ada.open("/runs.csv?serial=WRONG&columns=started_at&columns=ended_at").text
    for moment in ("9999-12-31T23:58:59", "0001-01-01T00:00:00", "0001-01-01T00:00:05"):
        assert moment in rows
    whole = ada.open(f"{paths[0]}/report.json").answer.json()
    assert whole["started_at"] == CLOCKS["9999-12-31"]
    assert "reported_started_at" not in whole


def test_a_station_shows_by_how_much_its_clock_is_wrong(server: Server, ada: Browser, paths: Sequence[str]):
    page = f"/stations/{server.world.acme.fct.actor.station_id}"
    years = datetime.now(UTC).year - 1
    assert f"Its clock is behind by {years} years" in ada.open(page).text
    for start, said in (
        ("9999-12-31T23:59:59Z", "Its clock is ahead by 79"),
        (
            (datetime.now(UTC) + timedelta(days=3, hours=2, minutes=1)).isoformat(),
            "Its clock is ahead by 3 d 2 h",
        ),
    ):
        record(server, report("AHEAD", started_at=start), server.world.acme.fct.api_key)
        assert said in ada.open(page).text
    record(server, report("RIGHT"), server.world.acme.fct.api_key)
    assert "Its clock is" not in ada.open(page).text


def test_today_and_the_last_week_end_now(server: Server, ada: Browser):
    def figures() -> tuple[str, str]:
        listed = ada.open("/stations?q=ICT-1").answer.text
        today = ada.open("/?period=7&part=SOON").text.partition("Runs today")[2].split()[0]
        return today, listed.partition('data-label="Runs in 7 days"')[2].partition("</td>")[0]

    record(server, report("NOW"))
    body = report("SOON", started_at=(datetime.now(UTC) + timedelta(hours=20)).isoformat())
    body["unit_under_test"]["part_number"] = "SOON"
    before = figures()
    record(server, body)
    assert figures() == before
    assert before[0] == "0"


@pytest.mark.parametrize("period", ["today", "7", "30", "90", "365"])
def test_every_period_of_days_ends_now(period: Period):
    now = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)
    assert selection_of(FigureQuery(period=period), ZoneInfo("Asia/Tokyo"), now).runs.started_before == now


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (FIRST, "America/New_York", "0001-01-01 00:00:00"),
        (FIRST, "Asia/Tokyo", "0001-01-01 09:18:59"),  # local mean time
        (LAST, "America/New_York", "9999-12-31 18:59:59"),
        (LAST, "Pacific/Kiritimati", "9999-12-31 23:59:59"),
    ],
)
def test_any_moment_is_shown_in_any_zone(moment: datetime, zone: str, shown: str):
    """In UTC where the zone has no such moment."""
    found = moment_of(moment, ZoneInfo(zone))
    assert f"{found.date} {found.time}" == shown
