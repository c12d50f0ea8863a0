"""Restoring many things at once: ticked ones, or all that the search of the bin finds."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def prefix() -> str:
    return f"GONE-{uuid4().hex[:8]}"


def delete(browser: Browser, noun: str, thing_id: str) -> None:
    token = browser.open("/runs").hidden_fields["form_token"]
    assert browser.send(f"/delete/{noun}/{thing_id}", {"form_token": token}).status == 200


@pytest.fixture
def deleted(server: Server, ada: Browser, prefix: str) -> list[str]:
    """The ids of three deleted things: the run of a unit, then that unit, and the run of another unit."""
    first, other = (record(server, report(f"{prefix}-{one}")).removeprefix("/runs/") for one in "AB")
    delete(ada, "run", first)
    listed = ada.open(f"/units?search={prefix}-A")
    [unit] = [box["value"] for box in listed.all("input") if box.get("name") == "ids"]
    delete(ada, "unit", unit)
    delete(ada, "run", other)
    return [first, unit, other]


def send(browser: Browser, url: str, count: int, **fields: str) -> Page:
    token = browser.open("/runs").hidden_fields["form_token"]
    return browser.send(url, {"form_token": token, "count": str(count), **fields})


def chosen(*ids: str) -> str:
    return f"/bulk/bin?{urlencode({'ids': ids}, doseq=True)}"


def test_all_that_the_search_finds_come_back_each_with_an_entry(
    ada: Browser, deleted: list[str], prefix: str
) -> None:
    [offered] = [link for link in ada.open(f"/bin?search={prefix}").links if link.startswith("/bulk/bin?")]
    preview = ada.open(offered)
    assert "3 things" in preview.text
    assert "that the filter finds" in preview.text
    assert preview.text.count(f"{prefix}-A") == 2
    [form] = [form for form in preview.all("form") if str(form.get("action")).startswith("/bulk/bin")]
    done = ada.send(form["action"], {**preview.hidden_fields, "reason": "Deleted by mistake"})
    assert (done.status, done.path) == (200, "/bin?restored=3")
    assert "3 things restored" in done.text
    assert f"{prefix}-A" not in ada.open(f"/bin?search={prefix}").text
    for run_id in (deleted[0], deleted[2]):
        page = ada.open(f"/runs/{run_id}")
        assert (page.status, page.path) == (200, f"/runs/{run_id}")
        assert page.text.count("restored a run of unit") == 1
        assert "Deleted by mistake" in page.text
    assert ada.open(f"/units/{prefix}-A").text.count("restored unit") == 1


def test_those_that_were_ticked(ada: Browser, deleted: list[str], prefix: str) -> None:
    listed = ada.open(f"/bin?search={prefix}")
    ticks = [box["value"] for box in listed.all("input") if box.get("name") == "ids"]
    assert ticks == deleted[::-1]
    assert "that you ticked" in ada.open(chosen(deleted[2])).text
    assert send(ada, chosen(deleted[2]), 1).path == "/bin?restored=1"
    assert ada.open(f"/runs/{deleted[2]}").path == f"/runs/{deleted[2]}"
    assert ada.open(f"/units/{prefix}-A").status == 404
    assert "0 things" in ada.open("/bulk/bin?ticked=yes").text


def test_all_or_none(ada: Browser, server: Server, deleted: list[str], prefix: str) -> None:
    run, unit, other = deleted
    refused = send(ada, chosen(run, other), 2)
    assert refused.status == 409
    assert "was deleted too" in refused.text
    assert ada.open(f"/runs/{other}").path == f"/bin/{other}"
    assert send(ada, chosen(other), 1).status == 200
    meanwhile = send(ada, chosen(unit, run, other), 3)
    assert (meanwhile.status, "There are 2 things now, not 3" in meanwhile.text) == (409, True)
    record(server, report(f"{prefix}-A"))
    taken = send(ada, chosen(unit, run), 2)
    assert (taken.status, "have" in taken.text) == (409, True)
    assert ada.open(f"/runs/{run}").path == f"/bin/{run}"


def test_who_may(ada: Browser, vic: Browser, gus: Browser, deleted: list[str], prefix: str) -> None:
    url = f"/bulk/bin?search={prefix}"
    assert vic.open(url).status == 403
    assert send(vic, url, 3).status == 403
    assert "No thing matches" in gus.open(url).text
    assert send(gus, chosen(*deleted), 3).status == 409
    assert ada.send(url, {"form_token": "made-up", "count": "3"}).status == 403
    assert send(ada, url, 3, reason="x" * 501).status == 400
    assert ada.open("/bulk/bin?ids=x").status == 400
    assert ada.open(f"/runs/{deleted[0]}").path == f"/bin/{deleted[0]}"
