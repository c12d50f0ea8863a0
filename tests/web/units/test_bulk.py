"""Changing many units at once: ticked ones, or all that the filter of the list finds."""

from uuid import uuid4

import httpx
import pytest

from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def prefix() -> str:
    return f"LOT-{uuid4().hex[:8]}"


@pytest.fixture
def units(server: Server, prefix: str) -> list[str]:
    """The serial numbers of twelve units, more than the preview shows, each with a run."""
    serials = [f"{prefix}-{number:02}" for number in range(12)]
    for serial in serials:
        record(server, report(serial))
    return serials


@pytest.fixture
def url(prefix: str) -> str:
    return f"/bulk/units?search={prefix}"


def send(browser: Browser, url: str, deed: str, **fields: str) -> Page:
    """Send a form about twelve units, unless the fields say otherwise."""
    token = browser.open("/runs").hidden_fields["form_token"]
    return browser.send(url, {"form_token": token, "deed": deed, "count": "12", **fields})


def classes(browser: Browser, units: list[str]) -> set[str]:
    """The marks of the class on the pages of the first, the second and the last unit; empty: production."""
    pages = [browser.open(f"/units/{units[place]}") for place in (0, 1, -1)]
    return {
        name
        for page in pages
        for name in ("golden", "failing", "ignored")
        if f'<span class="sample">{name}</span>' in page.answer.text
    }


def test_all_that_a_filter_finds_get_a_class(eve: Browser, units: list[str], prefix: str, url: str) -> None:
    [offered] = [
        link for link in eve.open(f"/units?search={prefix}").links if link.startswith("/bulk/units?")
    ]
    preview = eve.open(offered)
    assert "12 units" in preview.text
    assert "that the filter finds" in preview.text
    assert "and 2 more" in preview.text
    done = send(eve, offered, "class", sample="golden", runs="stay")
    assert "12 units changed." in done.text
    assert "See the history" in done.text
    assert classes(eve, units) == {"golden"}
    unit = eve.open(f"/units/{units[0]}")
    assert unit.text.count("changed unit") == 1
    assert (
        "0 units changed. 12 runs of theirs too."
        in send(eve, url, "class", sample="golden", runs="follow").text
    )
    assert eve.open(f"/runs?search={prefix}&sample=golden").text.count(f"{prefix}-") >= 12


def test_the_batch_of_many_is_corrected_with_their_runs(eve: Browser, units: list[str], url: str) -> None:
    fields = {"batch_number": f"B-{units[0]}", "runs_follow": "yes", "reason": "Wrong traveller"}
    assert "12 units changed." in send(eve, url, "correct", **fields).text
    assert eve.open(f"/runs?batch=B-{units[0]}").text.count("corrected") >= 12
    assert send(eve, url, "correct", **fields).status == 409
    assert send(eve, url, "correct", reason="x").status == 400
    without = {"none.batch_number": "yes", "reason": "x"}
    assert "12 units changed." in send(eve, url, "correct", **without).text
    unit = eve.open(f"/units/{units[5]}")
    assert "(reason: Wrong traveller)" in unit.text


def test_those_that_were_ticked_are_noted(
    server: Server, eve: Browser, units: list[str], prefix: str
) -> None:
    key = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    for path, body in (("tags", {"name": prefix}), ("causes", {"code": prefix, "name": f"cause {prefix}"})):
        answer = httpx.post(f"{server.url}/api/{path}", json=body, headers=key, timeout=DEADLINE_S)
        assert answer.status_code == 200, answer.text
    listed = eve.open(f"/units?search={prefix}&sort=serial_number&order=asc")
    ticks = [box for box in listed.all("input") if box.get("name") == "ids"]
    assert [box["aria-label"] for box in ticks] == [f"Tick unit {serial}" for serial in units]
    assert {box["form"] for box in ticks} == {"bulk"}
    url = f"/bulk/units?ids={ticks[0]['value']}&ids={ticks[1]['value']}"
    assert "that you ticked" in eve.open(url).text
    assert "2 units changed." in send(eve, url, "tag", count="2", tag=prefix).text
    assert "0 units changed." in send(eve, url, "tag", count="2", tag=prefix).text
    assert "2 units changed." in send(eve, url, "cause", count="2", cause=prefix).text
    assert "2 units changed." in send(eve, url, "comment", count="2", text="On **hold**").text
    for place, is_noted in ((0, True), (1, True), (2, False)):
        page = eve.open(f"/units/{units[place]}")
        assert ("<strong>hold</strong>" in page.answer.text) is is_noted
        assert (page.text.count(f"cause {prefix}") > 1) is is_noted
    assert "2 units changed." in send(eve, url, "untag", count="2", tag=prefix).text


def test_what_changed_meanwhile_is_said_and_nothing_is_done(
    server: Server, eve: Browser, units: list[str], prefix: str, url: str
) -> None:
    record(server, report(f"{prefix}-more"))
    for deed, fields in (
        ("class", {"sample": "failing", "runs": "follow"}),
        ("comment", {"text": "Too late"}),
    ):
        refused = send(eve, url, deed, **fields)
        assert refused.status == 409
        assert "There are 13 units now, not 12" in refused.text
    assert classes(eve, units) == set()
    assert "Too late" not in eve.open(f"/units/{units[0]}").text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"deed": "void"}, 400, "is nothing to do to units"),
        ({"deed": "class", "sample": "lost", "runs": "stay"}, 400, "choose one of production, golden"),
        ({"deed": "class", "sample": "golden"}, 400, "choose one of stay, follow"),
        ({"deed": "class", "sample": "golden", "runs": "stay", "count": "x"}, 400, "is no number of units"),
        ({"deed": "class", "sample": "golden", "runs": "stay", "count": "0"}, 409, "not 0"),
        ({"deed": "tag", "tag": "no such tag"}, 404, "no such tag"),
        ({"deed": "comment", "text": " "}, 400, "text is empty"),
    ],
)
def test_bad_fields(
    eve: Browser, units: list[str], url: str, fields: dict[str, str], status: int, said: str
) -> None:
    refused = send(eve, url, **fields)
    assert (refused.status, said in refused.text) == (status, True)
    assert classes(eve, units) == set()


def test_who_may(eve: Browser, vic: Browser, gus: Browser, units: list[str], prefix: str, url: str) -> None:
    fields = {"sample": "ignored", "runs": "stay"}
    assert not [link for link in vic.open(f"/units?search={prefix}").links if "bulk" in link]
    assert vic.open(url).status == 403
    assert send(vic, url, "class", **fields).status == 403
    assert send(vic, url, "comment", text="x").status == 403
    assert "No unit matches" in gus.open(url).text
    listed = eve.open(f"/units?search={prefix}")
    foreign = next(box["value"] for box in listed.all("input") if box.get("name") == "ids")
    assert send(gus, f"/bulk/units?ids={foreign}", "class", count="1", **fields).status == 409
    assert send(gus, url, "class", **fields).status == 409
    token = {"form_token": "made-up", "deed": "class", "count": "12", **fields}
    assert eve.send(url, token).status == 403
    assert eve.open("/bulk/units?ids=x").status == 400
    assert classes(eve, units) == set()
