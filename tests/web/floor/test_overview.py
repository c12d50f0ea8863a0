"""The overview: figures of the floor, over the filter that stands in its address."""

import re
from datetime import UTC, datetime

import pytest

from runcard.analytics.answers import Freshness
from runcard.web.floor.overview import _behind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.options import options, values
from tests.web.reporting import measurement, phase, record, report

SCRIPT = '<script>alert("1")</script>'
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
    assert "50.0 %" in page.text
    assert "100.0 %" in page.text
    assert "1 of 2" in page.text
    drawn = options(page)
    assert set(drawn) == {"trend", "runs", "procedures"}
    assert {one["name"]: values(one) for one in drawn["runs"]["series"]} == {"PASS": [2], "FAIL": [1]}
    [bar] = drawn["procedures"]["series"][0]["data"]
    assert ada.open(bar["url"]).status == 200
    [month] = drawn["trend"]["xAxis"]["data"]
    assert month == "2026-05"


@pytest.mark.usefixtures("tested")
def test_the_latest_failures_lead_to_their_runs(ada: Browser):
    page = ada.open("/?period=all&part=overview")
    [link] = page.run_links
    assert ada.open(link).outcomes[0] == "FAIL"


@pytest.mark.usefixtures("tested")
def test_the_worst_measurements_lead_to_their_pages(server: Server, ada: Browser):
    inside = [
        measurement(SCRIPT, 9, "FAIL", upper_limit=1),
        measurement("rail", 1, "FAIL", upper_limit=0),
        measurement("good", 1),
    ]
    body = report("OVER-W", run_passed=False, phases=[phase("p", *inside)])
    body["unit_under_test"]["part_number"] = "WORST"
    run = record(server, body)
    page = ada.open("/?period=all&part=WORST")
    links = [one for one in page.links if "/measurements?" in one]
    assert len(links) == 2
    assert all(ada.open(one).run_links == [run] for one in links)
    assert all("src" in one or one.get("type") == "application/json" for one in page.all("script"))


@pytest.mark.usefixtures("tested")
def test_retests_are_told(ada: Browser):
    text = " ".join(ada.open("/?period=all&part=OVERVIEW").text.split())
    assert "Retested 50.0 % 100.0 % of first failures passed on retest" in text


def test_another_organization_is_shown_how_to_begin(server: Server, gus: Browser):
    page = gus.open("/?period=all&part=OVERVIEW")
    assert page.run_links == []
    assert options(page) == {}
    assert "Globex has no runs yet" in page.text
    assert f"{server.url}/api/v1/runs" in page.text
    assert f'Client("{server.url}", "YOUR_API_KEY")' in page.text
    assert "tofupilot.openhtf" in page.text


@pytest.mark.usefixtures("tested")
def test_a_screen_on_the_wall_goes_round(server: Server, ada: Browser):
    other = report("KIOSK", procedure="FVT2", started_at=START)
    other["unit_under_test"]["part_number"] = "OVERVIEW"
    record(server, other, server.world.acme.fct.api_key)
    titles, url = [], "/?period=all&part=OVERVIEW&kiosk=1"
    for _ in range(4):
        page = ada.open(url)
        assert page.status == 200
        assert page.all("form") == []
        titles.append(re.findall(r"<h1>(.*?)</h1>", page.answer.text)[0])
        [slide] = [one for one in page.all("div") if one.get("id") == "slide"]
        url = slide["hx-get"]
        assert url in page.links
        assert "part=OVERVIEW" in url
    assert titles == ["The floor", "What needs a look", "Board", "Final"]
    assert url.endswith("kiosk=1")


def test_a_slide_beyond_the_last_is_the_first(ada: Browser):
    assert "<h1>The floor</h1>" in ada.open("/?kiosk=999").answer.text


@pytest.mark.usefixtures("tested")
def test_no_screen_on_the_wall_without_a_log_in(stranger: Browser):
    assert stranger.open("/?kiosk=1").path.startswith("/log-in")


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
        ("kiosk=0", "kiosk"),
    ],
    ids=["period", "procedure", "since", "part", "kiosk"],
)
def test_a_filter_that_says_nothing_is_named(ada: Browser, query: str, named: str):
    page = ada.open(f"/?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


@pytest.mark.parametrize("zone", ["Mars", "Etc%2FUTC", "Zulu", "UTC"])
def test_a_clock_of_utc_or_of_no_zone_is_told_utc_and_nothing_more(ada: Browser, zone: str):
    ada.http.cookies.set("runcard_zone", zone)
    try:
        assert "Times are in UTC." in ada.open("/").text
    finally:
        ada.http.cookies.delete("runcard_zone")


def test_figures_that_do_not_know_all_yet_say_so():
    seen = datetime(2026, 5, 4, tzinfo=UTC)
    assert _behind(Freshness(True, 7, seen, 0)) == ""
    told = _behind(Freshness(False, 7, seen, 12_345))
    assert told == "12\N{THIN SPACE}345 changes are not counted yet."
