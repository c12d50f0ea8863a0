"""The overview: figures of the floor, over the filter that stands in its address."""

import pytest

from tests.servers import Server
from tests.web.browser import Browser
from tests.web.options import options
from tests.web.reporting import record, report

START = "2026-05-04T05:06:07Z"


@pytest.fixture(scope="module")
def tested(server: Server) -> None:
    """Two units of a part of their own: one passed at once, the other the second time."""
    for serial, passed in (("OVER-1", True), ("OVER-2", False), ("OVER-2", True)):
        body = report(
            serial, run_passed=passed, started_at=START.replace("07Z", f"{len(serial) + passed:02}Z")
        )
        body["unit_under_test"]["part_number"] = "OVERVIEW"
        record(server, body)


@pytest.mark.usefixtures("tested")
def test_yields_are_told_and_drawn(ada: Browser):
    page = ada.open("/?period=all&part=OVERVIEW")
    assert page.status == 200
    assert "50 %" in page.text
    assert "100 %" in page.text
    assert "1 of 2" in page.text
    drawn = options(page)
    assert set(drawn) == {"trend", "procedures"}
    [month] = drawn["trend"]["xAxis"]["data"]
    assert month == "2026-05"


@pytest.mark.usefixtures("tested")
def test_the_latest_failures_lead_to_their_runs(ada: Browser):
    page = ada.open("/?period=all&part=overview")
    [link] = page.run_links
    assert ada.open(link).outcomes[0] == "FAIL"


@pytest.mark.usefixtures("tested")
def test_another_organization_sees_none_of_it(gus: Browser):
    page = gus.open("/?period=all&part=OVERVIEW")
    assert page.run_links == []
    assert "Nothing was recorded here in this period." in page.text
    assert options(page) == {}


@pytest.mark.usefixtures("tested")
def test_days_are_those_of_the_readers_clock(ada: Browser):
    ada.http.cookies.set("runcard_zone", "Pacific%2FKiritimati")
    try:
        page = ada.open("/?since=2026-05-04&until=2026-05-04&part=OVERVIEW")
        assert "2026-05-04 19:06" in " ".join(page.text.split())
        assert ada.open("/?since=2026-05-05&until=2026-05-05&part=OVERVIEW").run_links == []
    finally:
        ada.http.cookies.delete("runcard_zone")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("period=century", "period"),
        ("procedure=FVT1", "procedure"),
        ("since=2026-05-05&until=2026-05-04", "since"),
        ("part=%00", "part"),
    ],
    ids=["period", "procedure", "since", "part"],
)
def test_a_filter_that_says_nothing_is_named(ada: Browser, query: str, named: str):
    page = ada.open(f"/?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


def test_a_clock_of_no_zone_is_utc(ada: Browser):
    ada.http.cookies.set("runcard_zone", "Mars")
    try:
        assert "Times are in UTC" in ada.open("/").text
    finally:
        ada.http.cookies.delete("runcard_zone")
