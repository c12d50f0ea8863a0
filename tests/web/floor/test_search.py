"""Search, from the bar of any page."""

from urllib.parse import quote

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def found(server: Server) -> dict[str, str]:
    """Runs of units, parts and batches whose names have FIND in them: their paths, by unit."""
    runs: dict[str, str] = {}
    for serial, part, batch in (
        ("FIND/1", "FIND-P", "FIND-B"),
        ("FIND/2", "FIND-P", "FIND-B"),
        ("FIND-BOTH", "FIND-BOTH", "FIND?&B"),
    ):
        body = report(serial)
        body["unit_under_test"] |= {"part_number": part, "batch_number": batch}
        runs[serial] = record(server, body)
    return runs


def search(browser: Browser, text: str) -> Page:
    return browser.open(f"/search?q={quote(text, safe='')}")


def hits(page: Page) -> list[str]:
    """The addresses that were found, in order."""
    text = page.answer.text
    shown = text[text.index('<main id="main">') : text.index("</main>")]
    return [link for link in page.links if f'<th scope="row"><a href="{link}"' in shown]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("FIND/1", "/units/FIND%2F1"),
        (" find/2 ", "/units/FIND%2F2"),
        ("find-p", "/parts/FIND-P"),
        ("Find-B", "/batches/FIND-B"),
        ("FIND?&B", "/batches/FIND%3F%26B"),
    ],
    ids=["unit", "case-and-blanks", "part", "batch", "signs"],
)
@pytest.mark.usefixtures("found")
def test_what_is_called_exactly_so_is_shown_at_once(ada: Browser, text: str, address: str):
    page = search(ada, text)
    assert (page.status, page.path) == (200, address)


def test_a_run_is_found_by_its_id_or_its_beginning(ada: Browser, found: dict[str, str]):
    run = found["FIND/1"]
    run_id = run.removeprefix("/runs/")
    assert search(ada, run_id).path == run
    assert search(ada, run_id.upper().replace("-", "")).path == run
    for beginning in (run_id[:8], run_id[:13], run_id[:-1]):
        page = search(ada, beginning)
        assert page.path.startswith("/search")
        assert run in hits(page)
    assert "PASS" in search(ada, run_id[:13]).outcomes
    assert hits(search(ada, run_id[:7])) == []


def test_procedures_and_stations_are_found(server: Server, ada: Browser):
    acme = server.world.acme
    board, final = f"/procedures/{acme.board.id}", f"/procedures/{acme.final.id}"
    for text, address in (
        ("FVT1", board),
        ("fvt2", final),
        ("final", final),
        (str(acme.board.id), board),
        ("ict-1", f"/stations/{acme.ict.actor.station_id}"),
    ):
        answer = ada.http.get("/search", params={"q": text}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert {board, final} <= set(hits(search(ada, "FVT")))


@pytest.mark.usefixtures("found")
def test_several_hits_stand_in_groups(ada: Browser):
    page = search(ada, "find")
    assert hits(page) == [
        "/units/FIND-BOTH",
        "/units/FIND%2F2",
        "/units/FIND%2F1",
        "/parts/FIND-BOTH",
        "/parts/FIND-P",
        "/batches/FIND%3F%26B",
        "/batches/FIND-B",
    ]
    both = search(ada, "FIND-BOTH")
    assert hits(both) == ["/units/FIND-BOTH", "/parts/FIND-BOTH"]
    assert both.text.count("exact match") == 2


def test_a_long_group_ends_and_leads_on(server: Server, ada: Browser):
    for number in range(12):
        record(server, report(f"LONG-{number:02}"))
    page = search(ada, "long-")
    assert hits(page) == [f"/units/LONG-{number:02}" for number in range(11, 1, -1)]
    assert "/units?search=long-" in page.links


@pytest.mark.parametrize("text", ["%", "_", "'", "\\", "nothing-so", "ffffffff-"])
@pytest.mark.usefixtures("found")
def test_what_nothing_is_called_is_said(ada: Browser, text: str):
    page = search(ada, text)
    assert page.status == 200
    assert hits(page) == []
    assert "Nothing found" in page.text


@pytest.mark.parametrize("address", ["/search", "/search?q=", "/search?q=%20"])
def test_nothing_asked_is_explained(ada: Browser, address: str):
    page = ada.open(address)
    assert page.status == 200
    assert "Type a serial number" in page.text


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 201], ids=["nul", "long"])
def test_a_malformed_question_is_a_400_page(ada: Browser, query: str):
    assert ada.open(f"/search?{query}").status == 400


def test_another_organization_finds_none_of_it(gus: Browser, found: dict[str, str]):
    for text in ("find", "FIND/1", found["FIND/1"].removeprefix("/runs/"), "ICT-1"):
        page = search(gus, text)
        assert page.status == 200
        assert hits(page) == []


def test_every_page_has_the_field(ada: Browser, stranger: Browser):
    [form] = [one for one in ada.open("/units").all("form") if one.get("role") == "search"]
    assert form["action"] == "/search"
    [field] = [one for one in ada.open("/units").all("input") if one.get("type") == "search"]
    assert field["name"] == "q"
    assert field["aria-label"]
    assert stranger.open("/search?q=x").path.startswith("/log-in?next=")


def test_names_are_text(server: Server, ada: Browser):
    body = report(SCRIPT)
    body["unit_under_test"] |= {"part_number": SCRIPT, "batch_number": SCRIPT}
    record(server, body)
    page = search(ada, SCRIPT)
    assert page.text.count(SCRIPT) >= 5
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))
