"""API calls: what is told of the calls of an organization, to whom, and over which filter."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page, logged_in
from tests.web.options import options, urls, values
from tests.web.reporting import record, report

SCRIPT = "<script>alert(1)</script>"
AGENT = f"robot-{SCRIPT}/7.1"
PRIVATE = "hunter2"
PAGE = 50


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def send(server: Server, method: str, path: str, api_key: str, **request: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {api_key}", "User-Agent": AGENT, **request.pop("headers", {})}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=DEADLINE_S, **request)


@pytest.fixture(scope="module")
def called(server: Server) -> None:
    """Calls of Acme: three that succeeded, one of them old, and two that failed; of Globex one that failed and enough
    for two pages.
    """
    acme, globex = server.world.acme, server.world.globex
    record(server, report("ACT-1"))
    assert send(server, "GET", "/api/v2/runs", acme.admin.api_key).status_code == 200
    assert send(server, "GET", "/api/v2/stations", acme.admin.api_key).status_code == 200
    wrong = {"serial_number": SCRIPT, "password": PRIVATE, "outcome": "MAYBE"}
    failed = send(
        server,
        "POST",
        "/api/v2/runs?api_key=" + PRIVATE,
        acme.ict.api_key,
        json=wrong,
        headers={"X-Client-Type": f"rig{SCRIPT}", "X-Client-Version": "3"},
    )
    assert failed.status_code == 400
    assert send(server, "GET", f"/api/v2/units/{SCRIPT}", acme.ict.api_key).status_code == 404
    assert send(server, "GET", "/api/v2/units/GLOBEX", globex.admin.api_key).status_code == 404
    with server.client(globex.admin.api_key) as client:
        for _ in range(PAGE + 2):
            client.get("/runs", params={"serial_number": "ACT-1"}).raise_for_status()


def tiles(page: Page) -> dict[str, str]:
    found = re.findall(r'<h2 class="subheader">(.*?)</h2>\s*<p class="figure">(.*?)</p>', page.answer.text)
    return dict(found)


def call_links(page: Page) -> list[str]:
    return [link for link in page.links if re.fullmatch(r"/activity/\d+", link)]


@pytest.mark.usefixtures("called")
def test_calls_are_counted_drawn_and_listed(ada: Browser):
    page = ada.open("/activity")
    assert page.status == 200
    assert tiles(page)["Calls"] == "5"
    assert tiles(page)["Succeeded"] == "60.0 %"
    assert tiles(page)["Deprecated calls"] == "1"
    assert len(call_links(page)) == 5
    assert page.outcomes == ["ERROR", "ERROR", "PASS", "PASS", "PASS"]
    assert "ICT-1" in page.text
    assert "Calls are kept for 14 days." in page.text
    drawn = re.search(r'id="calls-option">(.*?)</script>', page.answer.text)
    assert drawn is not None
    series = json.loads(drawn[1])["series"]
    assert {one["name"]: sum(values(one)) for one in series} == {"2xx": 3, "4xx": 2}


@pytest.mark.usefixtures("called")
def test_a_slot_leads_to_its_calls(ada: Browser):
    found: list[str] = []
    for one in options(ada.open("/activity?since=2020-01-01"))["calls"]["series"]:
        for url, calls in zip(urls(one), filter(None, values(one)), strict=True):
            page = ada.open(url)
            assert len(call_links(page)) == calls
            assert url in ada.open("/activity?since=2020-01-01").links
            found += call_links(page)
    assert sorted(found) == sorted(call_links(ada.open("/activity")))


@pytest.mark.usefixtures("called")
def test_what_a_station_sent_stays_text(ada: Browser):
    page = ada.open("/activity")
    assert SCRIPT not in page.answer.text
    assert AGENT.partition("/")[0] in page.text
    for link in call_links(page):
        assert SCRIPT not in ada.open(link).answer.text


@pytest.mark.usefixtures("called")
def test_a_failed_call_is_shown_with_its_body_and_without_secrets(ada: Browser):
    [link] = call_links(ada.open("/activity?method=POST&status=failed"))
    page = ada.open(link)
    assert page.status == 200
    assert "POST /api/v2/runs" in page.text
    assert f'"serial_number":"{SCRIPT}"' in page.text
    assert "is not known; send PASS, FAIL" in page.text
    assert "api_key=***" in page.text
    assert f"rig{SCRIPT} 3" in page.text
    assert AGENT in page.text
    assert PRIVATE not in page.text


@pytest.mark.usefixtures("called")
def test_of_a_call_that_succeeded_no_body_is_kept(ada: Browser):
    [link] = call_links(ada.open("/activity?deprecated=yes"))
    page = ada.open(link)
    assert "deprecated" in page.text
    assert "neither its query nor its body is kept" in page.text
    assert page.all("pre") == []


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("period=1h", 5),
        ("period=7d", 5),
        ("period=all", 5),
        ("period=yesterday", 0),
        ("period=7d&since=2020-01-01", 5),
        ("until=2020-01-01", 0),
        ("since=2020-01-01&until=2999-12-31", 5),
        ("method=DELETE", 0),
        ("path=UNITS", 1),
        ("path=/api/v2", 4),
        ("status=2xx", 3),
        ("status=5xx", 0),
        ("client=rig%3Cscript%3Ealert(1)%3C/script%3E", 1),
        ("deprecated=no", 4),
        ("status=2xx&path=stations&deprecated=no", 1),
    ],
    ids=[
        "hour",
        "week",
        "all",
        "yesterday",
        "since",
        "until",
        "range",
        "method",
        "path",
        "prefix",
        "class",
        "none",
        "client",
        "not_deprecated",
        "several",
    ],
)
def test_filters(ada: Browser, query: str, count: int):
    page = ada.open(f"/activity?{query}")
    assert tiles(page)["Calls"] == str(count)
    assert len(call_links(page)) == count


@pytest.mark.usefixtures("called")
def test_calls_of_a_key_are_found_by_whose_it_is(ada: Browser, server: Server):
    acme = server.world.acme
    assert tiles(ada.open(f"/activity?key={acme.ict.actor.station_id}"))["Calls"] == "3"
    assert tiles(ada.open(f"/activity?key={acme.admin.actor.user_id}"))["Calls"] == "2"
    assert tiles(ada.open(f"/activity?key={acme.lonely.actor.station_id}"))["Calls"] == "0"


@pytest.mark.usefixtures("called")
def test_the_slowest_paths_lead_to_their_calls(ada: Browser):
    page = ada.open("/activity")
    [link] = [link for link in page.links if "path=%2Fapi%2Fv2%2Fstations" in link]
    assert len(call_links(ada.open(link))) == 1


@pytest.mark.usefixtures("called")
def test_pages_follow_each_other(gus: Browser):
    newest = gus.open("/activity?method=GET&status=2xx")
    [older] = [link for link in newest.links if "before=" in link]
    assert "method=GET" in older
    last = gus.open(older)
    listed = [*call_links(newest), *call_links(last)]
    assert len(call_links(newest)) == PAGE
    assert len(set(listed)) == PAGE + 2
    assert tiles(last)["Calls"] == tiles(newest)["Calls"] == str(PAGE + 2)
    [newer] = [one["href"] for one in last.all("a") if one.get("rel") == "prev"]
    assert "method=GET" in newer
    assert call_links(gus.open(newer)) == call_links(newest)
    both = gus.open(f"{older}&after=1-1")
    assert both.status == 400
    assert "after: " in both.text
    assert "/activity?method=GET&status=2xx" in last.links
    assert not any("before=" in link for link in last.links)


@pytest.mark.usefixtures("called")
def test_another_organization_sees_its_own(ada: Browser, gus: Browser):
    assert tiles(gus.open("/activity"))["Calls"] == str(PAGE + 3)
    page = gus.open("/activity?path=globex")
    [own] = call_links(page)
    assert gus.open(own).status == 200
    assert ada.open(own).status == 404
    for link in call_links(ada.open("/activity")):
        assert gus.open(link).status == 404


@pytest.fixture(scope="module")
def vic(server: Server) -> Iterator[Browser]:
    """Acme's viewer, logged in."""
    browser = logged_in(server.url, server.world.acme.viewer)
    yield browser
    browser.close()


@pytest.mark.usefixtures("called")
def test_it_is_for_those_who_mend_stations(ada: Browser, vic: Browser, stranger: Browser, server: Server):
    [call, *_] = call_links(ada.open("/activity"))
    assert "/activity" in ada.open("/").links
    assert "/activity" not in vic.open("/").links
    assert vic.open("/activity").status == 403
    assert vic.open(call).status == 403
    assert stranger.open("/activity").path.startswith("/log-in")
    eve = logged_in(server.url, server.world.acme.engineer)
    try:
        assert eve.open(call).status == 200
    finally:
        eve.close()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("period=century", "period"),
        ("since=tomorrow", "since"),
        ("since=2026-05-05&until=2026-05-04", "since"),
        ("method=FETCH", "method"),
        ("status=2", "status"),
        ("key=ICT-1", "key"),
        ("deprecated=maybe", "deprecated"),
        ("before=yesterday", "before"),
        ("before=-", "before"),
        ("before=1-9999999999999999999", "before"),
        ("path=%00", "path"),
    ],
    ids=[
        "period",
        "since",
        "order",
        "method",
        "status",
        "key",
        "deprecated",
        "before",
        "before_blank",
        "before_large",
        "path",
    ],
)
def test_a_filter_that_says_nothing_is_named(ada: Browser, query: str, named: str):
    page = ada.open(f"/activity?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


@pytest.mark.parametrize("number", ["0", "x", "9999999999999999999", "-1", "%00"])
def test_a_call_that_is_none_is_not_found(ada: Browser, number: str):
    assert ada.open(f"/activity/{number}").status == 404
