"""The quarantine in the browser: what is told of a file that was refused, and what can be done about it."""

import re
from uuid import uuid4

import pytest

from tests.importers.many_runs import junit_of
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.world import PASSWORD

SCRIPT = "<script>alert(1)</script>"
HERE = "/imports/quarantine"
PAGE = 50


def refused(browser: Browser, content: bytes = b"", name: str = "report.xml") -> str:
    """Have a file refused, one of a unit that names no part unless it is given; the path of its page."""
    fields = browser.open("/imports").hidden_fields
    files = {"files": (name, content or junit_of([fresh()], part_number=None))}
    page = Page(browser.http.post("/imports", data=fields, files=files))
    [link] = item_links(page)
    return link


def item_links(page: Page) -> list[str]:
    return [link for link in page.links if re.fullmatch(rf"{HERE}/[0-9a-f-]{{36}}", link)]


def fresh() -> str:
    return f"SN-{uuid4().hex[:10].upper()}"


def act(browser: Browser, item: str, deed: str, **fields: str) -> Page:
    """Send a form of the page of a file."""
    return browser.send(f"{item}/{deed}", browser.open(item).hidden_fields | fields)


def test_nothing_is_there_at_first(gus: Browser) -> None:
    page = gus.open(HERE)
    assert page.status == 200
    assert "Nothing is in quarantine" in page.text
    assert "No file in quarantine matches these filters" in gus.open(f"{HERE}?search=x").text


def test_files_are_listed_with_the_reason(server: Server, ada: Browser) -> None:
    name = f"{uuid4().hex}<img src=x>.xml"
    item = refused(ada, name=name)
    page = ada.open(HERE)
    assert item_links(page)[0] == item
    row = next(row for row in page.rows if row[0] == name)
    assert row[1].startswith("Part number is required")
    assert (row[2], row[3], row[4]) == ("JUnit XML", "256 B", f"{server.world.acme.admin.name}runcard web")
    assert "<img src=x" not in page.answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search={mark}", ["b", "a"]),
        ("search={mark}-A", ["a"]),
        ("search={mark}&format=JUNIT", ["a"]),
        ("search={mark}&format=UNKNOWN", ["b"]),
        ("search={mark}&format=TABULAR", []),
    ],
    ids=["name", "part", "format", "unknown", "none"],
)
def test_filters(ada: Browser, query: str, found: list[str]) -> None:
    mark = uuid4().hex
    items = {
        "a": refused(ada, name=f"{mark}-a.xml"),
        "b": refused(ada, f"no report {mark}".encode(), f"{mark}-b.txt"),
    }
    assert item_links(ada.open(f"{HERE}?{query.format(mark=mark)}")) == [items[one] for one in found]


@pytest.mark.parametrize("query", ["format=CSV", "cursor=x", "search=%00"])
def test_a_filter_that_says_nothing_is_named(ada: Browser, query: str) -> None:
    page = ada.open(f"{HERE}?{query}")
    assert (page.status, f"{query.partition('=')[0]}: " in page.text) == (400, True)


def test_a_page_tells_all_of_a_file(server: Server, ada: Browser) -> None:
    content = junit_of([fresh()], part_number=None)
    item = refused(ada, content, "lot.xml")
    page = ada.open(item)
    assert page.status == 200
    sender = server.world.acme.admin.email
    for told in ("lot.xml", "Part number is required", "JUnit XML", sender, "runcard web", "once"):
        assert told in page.text
    # What it holds can be looked at, as text.
    assert "<testsuites>" in page.text
    assert f"{item}/content" in page.links


@pytest.mark.parametrize("name", ["page.html", "picture.png", "drawing.svg", f"{SCRIPT[1:-10]}.xml"])
def test_a_file_is_only_ever_saved(ada: Browser, name: str) -> None:
    content = f"<html>{SCRIPT}{uuid4()}</html>".encode()
    answer = ada.http.get(f"{refused(ada, content, name)}/content")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_retry_that_is_refused_says_so_and_keeps_what_was_said(ada: Browser, server: Server) -> None:
    item, final = refused(ada), str(server.world.acme.final.id)
    page = act(ada, item, "retry", procedure=final)
    assert (page.status, page.path) == (200, f"{item}?retried=true")
    assert "It was tried again, and refused again." in page.text
    assert "2 ×" in page.text
    assert final in [one["value"] for one in page.all("option") if "selected" in one]


def test_a_retry_that_is_recorded_shows_what_was_recorded(ada: Browser) -> None:
    serial_number = fresh()
    item = refused(ada, junit_of([serial_number], part_number=None))
    page = act(ada, item, "retry", part_number="PCB01")
    assert re.fullmatch(r"/imports/[0-9a-f-]{36}", page.path)
    assert [row[0] for row in page.rows[1:]] == [serial_number]
    assert ada.open(item).status == 404
    assert item not in ada.open(HERE).links
    # Whoever looks at an old page of it is told.
    assert ada.open(item).status == 404


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"read_as": "CSV"}, 400, "no format"),
        ({"read_as": "template:00000000-0000-4000-8000-000000000000"}, 404, "template not found"),
        ({"procedure": "FVT99"}, 404, "FVT99 does not exist"),
        ({"part_number": "P\0"}, 400, "no part number"),
    ],
    ids=["format", "template", "procedure", "part"],
)
def test_what_cannot_be_said_changes_nothing(
    ada: Browser, fields: dict[str, str], status: int, told: str
) -> None:
    item = refused(ada)
    page = act(ada, item, "retry", **fields)
    assert (page.status, told in page.text) == (status, True)
    assert "once" in ada.open(item).text


def test_a_retry_names_the_rows_that_it_left_out(ada: Browser, server: Server) -> None:
    good, bad = fresh(), fresh()
    header = "Serial Number,Status,Test Start,vcc (V) 1 <= x <= 2,Part"
    content = f"{header}\n{good},Passed,2026-01-02,1.5,PCB01\n{bad},perhaps,2026-01-02,1.5,PCB01\n"
    page = ada.open(refused(ada, content.encode(), name="units.csv"))
    fields = page.hidden_fields | {"procedure": str(server.world.acme.board.id), "skip_bad_rows": "true"}
    told = Page(ada.http.post(f"{page.path}/retry", data=fields))
    assert ("Left out: row 3, column 'Status'" in told.text, f"{good} PASS" in told.text) == (True, True)


def test_the_listed_files_are_tried_again_together(ada: Browser) -> None:
    """One that can be recorded by now is, and the others stay."""
    mark, serial_number = uuid4().hex, fresh()
    stays = refused(ada, f"no report {mark}".encode(), f"{mark}-stays.txt")
    known = refused(ada, junit_of([serial_number], part_number=None), f"{mark}-goes.xml")
    # Now the unit is known, so that its report needs no part.
    fields = ada.open("/imports").hidden_fields
    ada.http.post("/imports", data=fields, files={"files": junit_of([serial_number])})
    listed = ada.open(f"{HERE}?search={mark}")
    assert "Retry these 2 files" in listed.text
    [form] = [one for one in listed.all("form") if one["action"].startswith(f"{HERE}/retry")]
    page = ada.send(form["action"], {"form_token": listed.hidden_fields["form_token"]})
    assert page.status == 200
    told = {row[0]: row[1] for row in page.rows if len(row) == 4}
    assert told == {"File": "Outcome", f"{mark}-goes.xml": "recorded", f"{mark}-stays.txt": "refused"}
    assert item_links(ada.open(f"{HERE}?search={mark}")) == [stays]
    assert ada.open(known).status == 404


def test_a_file_is_discarded(ada: Browser, eve: Browser) -> None:
    for browser in (ada, eve):
        item = refused(browser)
        page = act(browser, item, "discard")
        assert (page.status, page.path) == (200, HERE)
        assert item not in page.links
        assert browser.open(item).status == 404


def test_who_may_do_what(ada: Browser, vic: Browser, stranger: Browser, server: Server) -> None:
    home = ("--organization", server.world.acme.slug)
    server.runcard("user", "create", "oleg@acme.test", "--role", "operator", *home)
    server.runcard("user", "password", "oleg@acme.test", "--password", PASSWORD, *home)
    oleg = Browser(server.url)
    oleg.log_in("oleg@acme.test")
    item = refused(ada)
    for browser in (vic, oleg):
        page = browser.open(item)
        assert page.status == 200
        assert not [one for one in page.all("form") if one.get("method") == "post" and item in one["action"]]
        assert not [
            one for one in browser.open(HERE).all("form") if one["action"].startswith(f"{HERE}/retry")
        ]
        token = {"form_token": page.hidden_fields["form_token"]}
        for path in (f"{item}/retry", f"{item}/discard", f"{HERE}/retry"):
            assert browser.send(path, token).status == 403
    assert "once" in ada.open(item).text
    # Who brought a file may try it again, and not discard it.
    own = refused(oleg)
    assert act(oleg, own, "discard").status == 403
    assert act(oleg, own, "retry", part_number="PCB01").path.startswith("/imports/")
    assert stranger.open(item).path.startswith("/log-in")
    oleg.close()


def test_nothing_happens_without_a_token(ada: Browser) -> None:
    item = refused(ada)
    for path in (f"{item}/retry", f"{item}/discard", f"{HERE}/retry"):
        assert ada.send(path, {"part_number": "PCB01"}).status == 403
    assert "once" in ada.open(item).text


def test_another_organization_finds_nothing_of_it(ada: Browser, gus: Browser) -> None:
    item = refused(ada)
    token = {"form_token": gus.open("/imports").hidden_fields["form_token"]}
    assert [gus.open(path).status for path in (item, f"{item}/content")] == [404, 404]
    assert [gus.send(f"{item}/{deed}", token).status for deed in ("retry", "discard")] == [404, 404]
    assert item_links(gus.open(HERE)) == []
    assert ada.open(item).status == 200


def test_pages_follow_each_other(ada: Browser) -> None:
    mark, fields = uuid4().hex, ada.open("/imports").hidden_fields
    files = [("files", (f"{mark}-{at}.txt", f"{mark} {at}".encode())) for at in range(PAGE + 2)]
    ada.http.post("/imports", data=fields, files=files)
    newest = ada.open(f"{HERE}?search={mark}")
    [later] = [link for link in newest.links if "cursor=" in link]
    listed = [*item_links(newest), *item_links(ada.open(later))]
    assert len(item_links(newest)) == PAGE
    assert len(set(listed)) == PAGE + 2


@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000", "%00"])
def test_a_file_that_is_none(ada: Browser, name: str) -> None:
    assert ada.open(f"{HERE}/{name}").status == 404


def test_files_that_the_list_shows_are_told_apart_by_their_names(ada: Browser) -> None:
    mark = uuid4().hex
    serial_numbers = [f"SN{uuid4().hex[:8].upper()}" for _ in range(2)]
    for one in serial_numbers:
        nameless = f'<testsuite name="Board"><testcase name="{uuid4()}"/></testsuite>'.encode()
        refused(ada, nameless, f"{mark}_{one}.xml")
    here = f"{HERE}?search={mark}"
    said = {"name_pattern": r"_(SN\w+)", "part_number": "PCB01"}
    fields = ada.open(here).hidden_fields
    page = ada.send(f"{HERE}/retry?search={mark}", fields | said | {"preview": "yes"})
    assert page.text.count("would be recorded") == 2
    assert len(item_links(ada.open(here))) == 2
    page = ada.send(f"{HERE}/retry?search={mark}", fields | {"name_pattern": "("})
    assert (page.status, "is not RE2 syntax" in page.text) == (400, True)
    page = ada.send(f"{HERE}/retry?search={mark}", fields | said)
    assert item_links(ada.open(here)) == []
    for one in serial_numbers:
        assert ada.open(f"/units/{one}").status == 200


def test_a_preview_of_one_file_records_nothing_and_keeps_what_was_said(ada: Browser) -> None:
    item = refused(ada, f'<testsuite name="Board"><testcase name="{uuid4()}"/></testsuite>'.encode())
    said = {"serial_number": fresh(), "part_number": "PCB01"}
    page = act(ada, item, "retry", **said, preview="yes")
    assert (page.status, "would be recorded" in page.text) == (200, True)
    assert set(said.values()) <= {one.get("value") for one in page.all("input")}
    assert "once" in ada.open(item).text
    page = act(ada, item, "retry", **said)
    assert re.fullmatch(r"/imports/[0-9a-f-]{36}", page.path)
