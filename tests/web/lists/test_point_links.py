"""Points of charts over time, which lead to the runs that they were made of."""

from collections.abc import Sequence

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.options import options, urls, values
from tests.web.reporting import record, report

# Two runs on a Monday, one of which failed, and one on the Tuesday after.
STARTS = [("2026-05-04T10:15:00Z", True), ("2026-05-04T11:45:00Z", False), ("2026-05-05T10:15:00Z", True)]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def paths(server: Server) -> Sequence[str]:
    """Of the pages of the runs, in order."""
    found = []
    for at, (start, passed) in enumerate(STARTS):
        body = report(f"POINT-{at}", started_at=start, run_passed=passed)
        body["unit_under_test"]["part_number"] = "POINTS"
        found.append(record(server, body))
    return found


def in_table(page: Page, part: str) -> list[str]:
    """The links to lists of runs of a part that are there for the keyboard."""
    return [
        link
        for link in page.links
        if link.startswith("/runs?") and f"part={part}" in link and "since" in link
    ]


@pytest.mark.parametrize("chart", ["trend", "runs", "durations"])
def test_a_day_leads_to_its_runs_by_mouse_and_by_keyboard(
    ada: Browser, server: Server, paths: Sequence[str], chart: str
):
    board = f"/procedures/{server.world.acme.board.id}"
    page, tab = {"trend": (board, "yield"), "runs": (board, "runs"), "durations": (board, "duration")}[chart]
    shown = ada.open(f"{page}?since=2026-05-03&until=2026-05-06&part=POINTS&tab={tab}")
    drawn = options(shown)[chart]["series"][0]
    monday, tuesday = urls(drawn)
    assert [len(values(drawn)), len(urls(drawn))] == [2, 2]
    assert "since=2026-05-04&until=2026-05-04" in monday
    of_monday = paths[:1] if "outcome=PASS" in monday else [*reversed(paths[:2])]
    assert ada.open(monday).run_links == of_monday
    assert ada.open(tuesday).run_links == [paths[2]]
    assert {monday, tuesday} <= {*in_table(shown, "POINTS")}


def test_a_bar_leads_to_the_runs_that_ended_so(ada: Browser, paths: Sequence[str]):
    page = ada.open("/?since=2026-05-04&until=2026-05-10&part=POINTS")
    bars = {one["name"]: urls(one) for one in options(page)["runs"]["series"]}
    assert [ada.open(one).run_links for one in bars["FAIL"][:1]] == [[paths[1]]]
    assert ada.open(bars["PASS"][1]).run_links == [paths[2]]
    assert bars["FAIL"][0] in in_table(page, "POINTS")


def test_an_hour_leads_to_its_runs_on_the_readers_clock(ada: Browser, paths: Sequence[str]):
    ada.http.cookies.set("runcard_zone", "Asia%2FKolkata")
    try:
        page = ada.open("/?since=2026-05-04&until=2026-05-04&part=POINTS")
        [first, second] = urls(options(page)["trend"]["series"][0])
        assert "since=2026-05-04T15%3A00&until=2026-05-04T15%3A59" in first
        assert [ada.open(one).run_links for one in (first, second)] == [[paths[0]], [paths[1]]]
    finally:
        ada.http.cookies.delete("runcard_zone")


def test_a_month_and_a_week_lead_to_their_span(ada: Browser, server: Server, paths: Sequence[str]):
    [month] = urls(options(ada.open("/?period=all&part=POINTS"))["trend"]["series"][0])
    assert "since=2026-05-01&until=2026-05-31" in month
    assert ada.open(month).run_links == [*reversed(paths)]
    station = f"/stations/{server.world.acme.ict.actor.station_id}"
    page = ada.open(f"{station}?since=2026-05-05&part=POINTS")
    [week] = urls(options(page)["runs"]["series"][0])
    # The week began before what the page is about.
    assert "since=2026-05-05&until=2026-05-10" in week
    assert ada.open(week).run_links == [paths[2]]


def test_runs_in_the_period_are_those_of_the_period(ada: Browser, paths: Sequence[str]):
    page = ada.open("/?part=POINTS")
    [tile] = [link for link in page.links if link == "/runs?period=30&part=POINTS"]
    assert not {*paths} & {*ada.open(tile).run_links}
    assert "/runs?period=today&part=POINTS" in page.links
