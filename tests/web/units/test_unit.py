"""The page of one unit."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page, logged_in
from tests.web.reporting import record, report
from tests.web.v2 import v2_client

SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def vic(server: Server) -> Iterator[Browser]:
    """Acme's viewer, logged in."""
    browser = logged_in(server.url, server.world.acme.viewer)
    yield browser
    browser.close()


def words(page: Page) -> str:
    """The text, with single blanks."""
    return " ".join(page.text.split())


def assemble(server: Server, parent: str, *sub_units: str, started_at: str = "2026-03-01T00:00:00Z") -> str:
    named = [{"serial_number": one} for one in sub_units]
    return record(server, report(parent, sub_units=named, started_at=started_at))


def test_a_unit_is_shown_with_where_it_belongs(server: Server, ada: Browser):
    body = report("WHERE/1")
    body["unit_under_test"] |= {"part_number": "P/1", "revision": "C/2", "batch_number": "B 7"}
    record(server, body)
    with v2_client(server) as client:
        client.patch("/units/WHERE/1", json={"metadata": {"colour": "red", "mass": 2.5, "wet": False}})
    page = ada.open("/units/WHERE%2F1")
    assert page.status == 200
    for link in ("/parts/P%2F1", "/parts/P%2F1/revisions/C%2F2", "/batches/B%207"):
        assert link in page.links
    for text in (
        "Part P/1",
        "Revision C/2",
        "Batch B 7",
        "Recorded by ICT-1",
        "colour red",
        "mass 2.5",
        "wet false",
    ):
        assert text in words(page)
    assert ada.open("/units/where/1").text == page.text


def test_attempts_stand_by_procedure(server: Server, ada: Browser):
    runs = [
        record(server, report("TRIED", run_passed=passed, started_at=f"2026-03-01T00:0{minute}:00Z"))
        for minute, passed in ((1, False), (3, True), (2, False))
    ]
    key = server.world.acme.fct.api_key
    final = record(server, report("TRIED", "FVT2", started_at="2026-03-02T00:00:00Z"), key)
    page = ada.open("/units/TRIED")
    _, _, below = page.text.partition("Log out")  # the menu has the same words
    shown = below[below.index("Runs") : below.index("Timeline")]
    assert shown.index("Final") < shown.index("Board") < shown.index("Attempt 3") < shown.index("Attempt 2")
    assert page.run_links[:4] == [final, runs[1], runs[2], runs[0]]
    assert "3 runs" in shown
    assert f"/procedures/{server.world.acme.board.id}" in page.links


def later(page: Page) -> list[str]:
    """Where later attempts of the unit are shown."""
    return [one["href"] for one in page.all("a") if one.get("rel") == "prev"]


def test_many_attempts_come_in_pages(server: Server, ada: Browser):
    runs = [
        record(server, report("GOLDEN", started_at=f"2026-03-01T00:{minute:02}:00Z")) for minute in range(45)
    ]
    page, found = ada.open("/units/GOLDEN"), []
    assert "25 older runs are not shown here" in words(page)
    while True:
        start = page.text.index("Attempt")
        assert "45 runs" in page.text[:start]
        found += [link for link in page.run_links if link not in found]
        earlier = [link for link in page.links if "before=" in link and link not in later(page)]
        if not earlier:
            break
        page = ada.open(earlier[0])
    assert set(found) == set(runs)
    assert "/units/GOLDEN#runs" in page.links
    numbers = [re.findall(r"Attempt (\d+)", page.text)]
    while links := later(page):
        page = ada.open(links[0])
        numbers.append(re.findall(r"Attempt (\d+)", page.text))
    assert [int(page[0]) for page in numbers] == [5, 25, 45]
    assert [len(page) for page in numbers] == [5, 20, 20]


def test_the_tree_goes_up_and_down(server: Server, ada: Browser):
    for serial in ("LEAF", "TWIG", "TREE"):
        record(server, report(serial, started_at="2026-02-01T00:00:00Z"))
    assemble(server, "TWIG", "LEAF")
    assemble(server, "TREE", "TWIG")
    page = ada.open("/units/TWIG")
    tree = page.text[page.text.index("Genealogy") : page.text.index("Runs", page.text.index("Genealogy"))]
    assert tree.index("TREE") < tree.index("TWIG") < tree.index("LEAF")
    assert {"/units/TREE", "/units/LEAF"} <= set(page.links)
    top = ada.open("/units/TREE")
    assert "1 sub-unit of TWIG" in top.text
    [branch] = {link for link in top.links if link.startswith("/genealogy/")}
    below = ada.open(branch)
    assert "/units/LEAF" in below.links
    assert "Sub-units of TWIG" in below.text
    bare = ada.http.get(branch, headers={"HX-Request": "true"}).text
    assert bare.strip().startswith('<ul class="tree">')
    assert "/units/LEAF" in bare


def test_a_broad_tree_opens_in_steps(server: Server, ada: Browser):
    children = [f"WIDE-{number:02}" for number in range(30)]
    for serial in children:
        record(server, report(serial))
    assemble(server, "WIDE", *children)
    page = ada.open("/units/WIDE")
    tree = page.answer.text[page.answer.text.index("genealogy-title") : page.answer.text.index('id="runs"')]
    assert [serial for serial in children if f'"/units/{serial}"' in tree] == children[:25]
    assert "and others during a run" in words(page)
    [more] = [link for link in page.links if "skipped=" in link]
    rest = ada.open(more)
    assert [link for link in rest.links if "WIDE-" in link] == [f"/units/{one}" for one in children[25:]]
    bare = ada.http.get(more, headers={"HX-Request": "true"}).text
    assert bare.strip().startswith("<li>")


def test_all_that_happened_stands_on_one_line(server: Server, ada: Browser):
    for serial in ("PAST", "OLD-HOME", "NEW-HOME", "PART-OF-PAST"):
        record(server, report(serial, started_at="2026-01-01T00:00:00Z"))
    assemble(server, "PAST", "PART-OF-PAST", started_at="2026-01-02T00:00:00Z")
    assemble(server, "OLD-HOME", "PAST", started_at="2026-01-03T00:00:00Z")
    assemble(server, "NEW-HOME", "PAST", started_at="2026-01-04T00:00:00Z")
    with v2_client(server) as client:
        client.post("/parts/PCB-01/revisions", json={"number": "Z"})
        client.patch("/units/PAST", json={"batch_number": "B-1"})
        client.patch("/units/PAST", json={"batch_number": "B-2", "revision_number": "Z"})
        client.put("/units/NEW-HOME/children", json={"child_serial_number": "OLD-HOME"})
        client.delete("/units/NEW-HOME/children", params={"child_serial_number": "PAST"})
    page = ada.open("/units/PAST")
    activity = words(page)
    activity = activity[activity.index("Timeline") :]
    told = [
        "Taken out of NEW-HOME",
        "Re-linked from PCB-01 rev A to PCB-01 rev Z",
        "Batch changed from B-1 to B-2",
        "Put into batch B-1",
        "Moved from OLD-HOME to NEW-HOME during a run",
        "Assembled into OLD-HOME during a run",
        "Took in PART-OF-PAST during a run",
        "Tested: Board, attempt 2 PASS ICT-1",
        "Tested: Board, attempt 1 PASS ICT-1",
        "Created by its first run ICT-1",
    ]
    places = [activity.index(one) for one in told]
    # What one change moved happened at the same moment.
    assert [places[0], *sorted(places[1:3]), *places[3:]] == sorted(places)


def test_files_of_a_unit_can_be_got(server: Server, ada: Browser):
    record(server, report("FILED"))
    with v2_client(server) as client:
        slot = client.post("/units/FILED/attachments", json={"name": "photo ü.png"}).json()
        httpx.put(slot["upload_url"], content=b"\x89PNG", timeout=DEADLINE_S).raise_for_status()
        client.post("/units/FILED/attachments", json={"name": "still-to-come.txt"})
    page = ada.open("/units/FILED")
    [link] = [link for link in page.links if "/files/download/" in link]
    assert httpx.get(link, timeout=DEADLINE_S).content == b"\x89PNG"
    assert "File photo ü.png attached" in page.text
    assert "still-to-come.txt" not in page.text


@pytest.mark.parametrize("sample", ["golden", "failing", "ignored", "production"])
def test_whoever_records_may_change_the_class(server: Server, ada: Browser, sample: str):
    record(server, report("CLASSED/1"))
    page = ada.fill("/units/CLASSED%2F1", {"sample": sample, "runs": "stay"})
    assert page.path == "/units/CLASSED%2F1"
    [chosen] = [one["value"] for one in page.all("option") if "selected" in one]
    assert chosen == sample
    badges = [one for one in page.all("span") if one.get("class") == "sample"]
    assert len(badges) == (0 if sample == "production" else 1)


@pytest.mark.parametrize(("runs", "classed"), [("stay", 0), ("follow", 1)])
def test_the_runs_so_far_stay_or_get_the_class_too(server: Server, ada: Browser, runs: str, classed: int):
    serial = f"PAST-{runs}"
    record(server, report(serial))
    ada.fill(f"/units/{serial}", {"sample": "golden", "runs": runs})
    assert len(ada.open(f"/runs?search={serial}&sample=golden").run_links) == classed
    record(server, report(serial))  # by the process that records, which knew the unit as it was
    assert len(ada.open(f"/runs?search={serial}&sample=golden").run_links) == classed + 1
    assert len(ada.open(f"/runs?search={serial}").run_links) == 2


def test_what_becomes_of_the_runs_must_be_said(server: Server, ada: Browser):
    record(server, report("UNSAID"))
    page = ada.fill("/units/UNSAID", {"sample": "golden"})
    assert page.status == 400
    assert "choose one of stay, follow" in page.text
    assert "golden" not in ada.open("/units/UNSAID").text.split("Change its class")[0]


def test_a_viewer_may_not_change_the_class(server: Server, ada: Browser, vic: Browser):
    record(server, report("KEPT"))
    page = vic.open("/units/KEPT")
    assert "Change its class" not in page.text
    answer = vic.send("/units/KEPT", {**page.hidden_fields, "sample": "golden", "runs": "stay"})
    assert answer.status == 403
    assert "golden" not in ada.open("/units/KEPT").text.split("Change its class")[0]


@pytest.mark.parametrize("token", ["", "forged"])
def test_a_form_of_another_page_changes_nothing(server: Server, ada: Browser, token: str):
    record(server, report("FORGED"))
    assert ada.send("/units/FORGED", {"form_token": token, "sample": "golden"}).status == 403
    assert "golden" not in ada.open("/units/FORGED").text.split("Change its class")[0]


@pytest.mark.parametrize("sample", ["", "GOLDEN", "blue", "\0"], ids=["empty", "case", "blue", "nul"])
def test_an_unknown_class_is_named(server: Server, ada: Browser, sample: str):
    record(server, report("ODD-CLASS"))
    page = ada.fill("/units/ODD-CLASS", {"sample": sample, "runs": "stay"})
    assert page.status == 400
    assert "choose one of production, golden, failing, ignored" in page.text


def test_a_unit_of_another_organization_is_not_there(server: Server, ada: Browser, gus: Browser):
    record(server, report("SECRET-CHILD"))
    assemble(server, "SECRET", "SECRET-CHILD")
    assemble(server, "SECRET-TOP", "SECRET")
    [branch] = {link for link in ada.open("/units/SECRET-TOP").links if link.startswith("/genealogy/")}
    assert ada.open(branch).status == 200
    for path in ("/units/SECRET", branch):
        page = gus.open(path)
        assert page.status == 404
        assert "SECRET-CHILD" not in page.text
    change = {**gus.open("/units").hidden_fields, "sample": "golden", "runs": "stay"}
    assert gus.send("/units/SECRET", change).status == 404
    assert "golden" not in ada.open("/units/SECRET").text.split("Change its class")[0]


@pytest.mark.parametrize("path", ["/units/NOBODY", "/units/", "/units/%00", "/units/%FF", "/units/a/b/c"])
def test_an_unknown_unit_is_a_404_page(ada: Browser, path: str):
    page = ada.open(path)
    assert (page.status, page.answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("query", ["procedure=x&before=2", "before=0", "before=x", "before=-1"])
def test_a_malformed_query_is_a_400_page(server: Server, ada: Browser, query: str):
    record(server, report("QUERIED"))
    assert ada.open(f"/units/QUERIED?{query}").status == 400


def test_all_that_a_station_sends_is_text(server: Server, ada: Browser):
    record(server, report(f"child{SCRIPT}"))
    body = report(SCRIPT, sub_units=[{"serial_number": f"child{SCRIPT}"}])
    body["unit_under_test"] |= {"part_number": SCRIPT, "revision": SCRIPT, "batch_number": SCRIPT}
    record(server, body)
    with v2_client(server) as client:
        client.patch(f"/units/{quote(SCRIPT, safe='')}", json={"metadata": {"k": SCRIPT}})
        client.post(f"/units/{quote(SCRIPT, safe='')}/attachments", json={"name": SCRIPT})
    page = ada.open(f"/units/{quote(SCRIPT, safe='')}")
    assert page.text.count(SCRIPT) >= 8
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))
    attributes = {name for element in page.elements for name in element.attributes}
    assert not [name for name in attributes if name.startswith("on")]
