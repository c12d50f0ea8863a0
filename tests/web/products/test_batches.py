"""Batches: the list, and the page of each."""

from urllib.parse import quote

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.drawn_charts import drawn
from tests.web.reporting import record, report

SCRIPT = '<script>alert("1")</script>'
BATCH = "/batches/LOT%2F7%20%25"


@pytest.fixture(scope="module")
def made(server: Server) -> None:
    """Two units of one batch, of two parts; the first failed."""
    for number, part in enumerate(("X-1", "X-2")):
        body = report(f"IN-BATCH-{number}", run_passed=number == 1)
        body["unit_under_test"] |= {"part_number": part, "batch_number": "LOT/7 %"}
        record(server, body)


def words(page: Page) -> str:
    return " ".join(page.text.split())


@pytest.mark.usefixtures("made")
def test_batches_are_listed_with_their_yield(ada: Browser):
    page = ada.open("/batches?search=lot%2F")
    assert BATCH in page.links
    assert "LOT/7 % 2 50.0 % of 2 ICT-1" in words(page)
    assert BATCH in ada.open("/batches?sort=number&order=asc").links
    assert "No batch has this in its number" in ada.open("/batches?search=nothing-so").text


@pytest.mark.usefixtures("made")
def test_a_batch_shows_its_parts_and_units(ada: Browser):
    page = ada.open(BATCH)
    assert page.status == 200
    assert {"/parts/X-1", "/parts/X-2", "/units/IN-BATCH-0", "/units/IN-BATCH-1"} <= set(page.links)
    assert drawn(page) == {"by-part": {"X-1": 0, "X-2": 100}, "by-procedure": {"Board": 50}}
    assert "Units 2" in words(page)
    assert ada.open("/batches/lot%2F7%20%25").status == 200


@pytest.mark.usefixtures("made")
def test_another_organization_sees_none_of_it(gus: Browser):
    assert "No batches yet" in gus.open("/batches").text
    assert gus.open(BATCH).status == 404


@pytest.mark.parametrize("path", ["/batches/NONE", "/batches/", "/batches/%00", "/batches/%FF"])
def test_what_is_unknown_is_a_404_page(ada: Browser, path: str):
    assert ada.open(path).status == 404


@pytest.mark.parametrize("query", ["sort=part", "order=x", "cursor=x", "search=%00"])
def test_a_malformed_query_is_a_400_page(ada: Browser, query: str):
    assert ada.open(f"/batches?{query}").status == 400


def test_names_are_text(server: Server, ada: Browser):
    body = report(f"batch{SCRIPT}")
    body["unit_under_test"] |= {"part_number": SCRIPT, "batch_number": SCRIPT}
    record(server, body)
    encoded = quote(SCRIPT, safe="")
    for address in (f"/batches?search={encoded}", f"/batches/{encoded}"):
        page = ada.open(address)
        assert SCRIPT in page.text
        assert all(
            one.get("src", "").startswith("/static/") or one.get("type") == "application/json"
            for one in page.all("script")
        )
