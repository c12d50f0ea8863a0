"""Report files that are sent with the form of a page, and what the pages tell of them."""

import io
import re
import zipfile
from collections.abc import Iterator
from uuid import UUID, uuid4

import msgspec
import pytest

from runcard.domain.actor import SystemActor
from runcard.ingest.import_groups import GROUP_LIMITS
from runcard.store.bin.deleting import Deletion
from runcard.store.creator import Creator
from runcard.store.intake.templates import create_template
from runcard.store.runs.rows import delete_runs
from tests.importers.golden import CASES
from tests.importers.many_runs import doubtful_lot, junit_of
from tests.importers.tables.files import HEADER, RUN, csv_file, mapping, xlsx_file
from tests.importers.wats.files import as_wsjf, tree
from tests.servers import Server
from tests.web.browser import Browser, Page

SCRIPT = "<script>alert(1)</script>"
MOST_BYTES = 400_000
REPAIR = CASES / "wats" / "uur.wsjf.json"
PAGE = 50
HEADER_OF_UNITS = "Serial Number,Status,Test Start,vcc (V) 1 <= x <= 2,Part"
SENT = dict[str, bytes]


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """One of the module's own: it has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RUNCARD_MAX_UPLOAD_BYTES": str(MOST_BYTES)}


@pytest.fixture(scope="module")
def olga(server: Server) -> Iterator[Browser]:
    """Acme's operator, logged in."""
    home = ("--organization", "acme")
    made = server.runcard("user", "create", "olga@acme.test", "--role", "operator", *home)
    server.runcard("user", "password", made["email"], "--password", "correct horse battery staple", *home)
    browser = Browser(server.url)
    assert browser.log_in(made["email"]).path == "/"
    yield browser
    browser.close()


def send(browser: Browser, files: SENT, **fields: str) -> Page:
    """Send files as a browser does without JavaScript: all of them with one form."""
    fields = browser.open("/imports").hidden_fields | fields
    parts = [("files", (name, content, "text/xml")) for name, content in files.items()]
    return Page(browser.http.post("/imports", data=fields, files=parts))


def told(page: Page) -> list[list[str]]:
    """Name, outcome and format of each file, as the page tells them."""
    return [row[:3] for row in page.rows if len(row) == 4 and row[1] != "Outcome"]


def imported(page: Page) -> list[str]:
    """The files that were imported last."""
    return [row[0] for row in page.rows if len(row) == 5 and row[0] != "File"]


def import_links(page: Page) -> list[str]:
    return [link for link in page.links if re.fullmatch(r"/imports/[0-9a-f-]{36}", link)]


def fresh() -> str:
    return f"SN-{uuid4().hex[:10].upper()}"


def test_what_is_doubtful_is_told(ada: Browser) -> None:
    page = send(ada, {"lot.atdf": doubtful_lot([10, 11])}, part_number="PCB01")
    assert told(page) == [["lot.atdf", "recorded", "ATDF"]]
    assert "2 warnings" in page.text
    assert page.text.count("contradicts exponent 3") == 2


def test_rows_that_cannot_be_read_are_left_out_where_that_is_wanted(ada: Browser, server: Server) -> None:
    rows = [
        HEADER_OF_UNITS,
        f"{fresh()},Passed,2026-01-02,1.5,PCB01",
        f"{fresh()},perhaps,2026-01-02,1.5,PCB01",
    ]
    sent, procedure = {"units.csv": "\n".join(rows).encode()}, str(server.world.acme.board.id)
    refused = send(ada, sent, procedure=procedure)
    assert told(refused) == [["units.csv", "refused", "Table, a row a unit (CSV, Excel)"]]
    left = send(ada, sent, procedure=procedure, skip_bad_rows="true")
    assert told(left)[0][1] == "recorded"
    assert ("1 warning" in left.text, "Left out: row 3, column 'Status'" in left.text) == (True, True)


def test_a_report_takes_the_place_of_the_run_that_is_there(ada: Browser, olga: Browser) -> None:
    said = {"id": fresh(), "sn": fresh()}
    first, second = (as_wsjf(tree(**said, result=one)) for one in "PF")
    chosen = {"part_number": "PCB01", "procedure": ""}
    assert told(send(ada, {"a.json": first}, **chosen))[0][1] == "recorded"
    refused = send(ada, {"b.json": second}, **chosen)
    assert told(refused)[0][1] == "refused"
    assert "of the same report" in refused.text
    assert "Replace runs of the same reports" in ada.open("/imports").text
    assert "Replace runs of the same reports" not in olga.open("/imports").text
    assert send(olga, {"b.json": second}, replace="true").status == 403
    replaced = send(ada, {"b.json": second}, replace="true", **chosen)
    assert (told(replaced)[0][1], "replaced run" in replaced.text) == ("recorded", True)


def test_each_file_is_told_with_what_has_become_of_it(ada: Browser) -> None:
    one, many = fresh(), [fresh() for _ in range(3)]
    ada_sent = {
        "one.xml": junit_of([one]),
        "many.xml": junit_of(many),
        "again.xml": junit_of([one]),
        "partless.xml": junit_of([fresh()], part_number=None),
        "photo.jpg": b"no report " + one.encode(),
    }
    page = send(ada, ada_sent)
    assert page.status == 200
    assert told(page) == [
        ["one.xml", "recorded", "JUnit XML"],
        ["many.xml", "recorded", "JUnit XML"],
        ["again.xml", "already known", "JUnit XML"],
        ["partless.xml", "refused", "JUnit XML"],
        ["photo.jpg", "refused", "–"],
    ]
    assert "Part number is required" in page.text
    assert "of no format that is read" in page.text
    run, again = page.run_links
    assert run == again
    assert ada.open(run).status == 200
    assert f"{one} PASS" in page.text
    recorded = import_links(page)[0]
    listed = ada.open(recorded)
    assert [row[0] for row in listed.rows[1:]] == many
    assert len([link for link in page.links if link.startswith("/imports/quarantine/")]) == 2
    # They stand among those that were imported last too.
    assert imported(ada.open("/imports"))[:2] == ["many.xml", "one.xml"]


def test_of_a_file_that_is_recorded_in_part_it_is_told_up_to_where(ada: Browser) -> None:
    """And the rest is recorded once what it lacks is said."""
    serials = [fresh() for _ in range(GROUP_LIMITS.reports + 1)]
    head, tail = junit_of(serials[:-1]), junit_of(serials[-1:], part_number=None)
    content = head.removesuffix(b"</testsuites>") + tail.split(b"<testsuites>")[1]
    page = send(ada, {"lot.xml": content})
    assert told(page) == [["lot.xml", "recorded in part", "JUnit XML"]]
    assert "Reports 1 to 500 are recorded" in page.text
    assert f"Report 501 of the file, of unit {serials[-1]}, was refused" in page.text
    recorded = import_links(page)[0]
    [waiting] = [link for link in page.links if link.startswith("/imports/quarantine/")]
    listed = ada.open(recorded)
    assert "Reports 1 to 500 of this file are recorded; the rest is not." in listed.text
    assert waiting in listed.links
    assert "in part" in ada.open("/imports").text
    item = ada.open(waiting)
    assert "Reports 1 to 500 of it are recorded" in item.text
    assert recorded in item.links
    done = ada.send(f"{waiting}/retry", item.hidden_fields | {"part_number": "PCB01"})
    assert (done.path, "501 runs" in done.text) == (recorded, True)
    assert "the rest is not" not in done.text


def test_repairs_lead_to_their_units(ada: Browser) -> None:
    page = send(ada, {"uur.json": REPAIR.read_bytes()})
    assert told(page) == [["uur.json", "recorded", "WATS report, WSJF (JSON)"]]
    listed = ada.open(import_links(page)[0])
    assert "1 repair" in listed.text
    [unit] = [link for link in listed.links if link.startswith("/units/")]
    assert ada.open(unit).status == 200


def test_what_is_chosen_holds_for_all_files(ada: Browser, server: Server) -> None:
    final = server.world.acme.final
    files = {f"{at}.xml": junit_of([fresh()], "Another", None) for at in range(2)}
    page = send(ada, files, procedure=str(final.id), part_number="PCB-77")
    assert [row[1] for row in told(page)] == ["recorded"] * 2
    run = ada.open(page.run_links[0])
    assert f"/procedures/{final.id}" in run.links
    assert "PCB-77" in run.text


def test_tables_with_limits_in_their_header(ada: Browser, server: Server) -> None:
    """A text is known by its header; of a workbook it has to be said. Neither names a procedure."""
    header = ["Serial Number", "Status", "VCC (V) 3.2 <= x <= 3.4"]
    rows = [header, [fresh(), "Passed", "3.3"], [fresh(), "Failed", "3.5"]]
    fields = {"procedure": str(server.world.acme.board.id), "part_number": "PCB01"}
    page = send(ada, {"line.csv": csv_file(rows)}, **fields)
    assert told(page) == [["line.csv", "recorded", "Table, a row a unit (CSV, Excel)"]]
    assert "2 runs" in page.text
    rows[1][0], rows[2][0] = fresh(), fresh()
    book = {"line.xlsx": xlsx_file(rows)}
    assert told(send(ada, book, **fields)) == [["line.xlsx", "refused", "–"]]
    page = send(ada, book, read_as="TABLE", **fields)
    assert told(page) == [["line.xlsx", "recorded", "Table, a row a unit (CSV, Excel)"]]
    page = send(ada, {"other.csv": csv_file([header, [fresh(), "Passed", "3.3"]])}, part_number="PCB01")
    assert "Procedure is required: the file names no procedure" in page.text


def test_a_table_by_a_template(ada: Browser, server: Server) -> None:
    acme, name = server.world.acme, f"Line {uuid4().hex[:6]} {SCRIPT}"
    kept = msgspec.json.encode(mapping(fields={"part_number": {"value": "PCB01"}})).decode()
    creator = Creator.of(acme.admin.actor)
    template_id = server.change(
        lambda tx: create_template(tx.of(SystemActor(acme.id, "test")), name, kept, creator)
    )
    read_as = f"template:{template_id}"
    page = ada.open("/imports")
    assert name in page.text
    assert SCRIPT not in page.answer.text

    content = csv_file([HEADER, [fresh(), *RUN[1:]]])
    page = send(ada, {"t.csv": content}, read_as=read_as)
    assert (page.status, told(page)) == (400, [])
    assert "A template names no procedure" in page.text
    assert [one["value"] for one in page.all("option") if "selected" in one] == [read_as]
    page = send(ada, {"t.csv": content}, read_as=read_as, procedure=str(acme.final.id))
    assert told(page) == [["t.csv", "recorded", "Table, by a template"]]


def test_an_archive_stands_for_what_lies_in_it(ada: Browser) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("logs/a.xml", junit_of([fresh()]))
        archive.writestr("logs/b.xml", junit_of([fresh()], part_number=None))
        archive.writestr(f"logs/{SCRIPT}.txt", f"readme {uuid4()}")
        archive.writestr(".hidden", "x")
    before = ada.open("/imports/quarantine").rows
    page = send(ada, {"lot.zip": packed.getvalue()})
    assert told(page) == [
        ["lot.zip: logs/a.xml", "recorded", "JUnit XML"],
        ["lot.zip: logs/b.xml", "refused", "JUnit XML"],
        [f"lot.zip: logs/{SCRIPT}.txt", "no report", "–"],
    ]
    assert SCRIPT not in page.answer.text
    after = ada.open("/imports/quarantine").rows
    assert [row[0] for row in after[1 : len(after) - len(before) + 1]] == ["b.xml"]


def test_archives_that_hold_nothing_or_are_damaged(ada: Browser) -> None:
    empty, packed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(empty, "w"):
        pass
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", junit_of([fresh() for _ in range(50)]))
    content = bytearray(packed.getvalue())
    content[60:90] = bytes(30)
    page = send(
        ada, {"empty.zip": empty.getvalue(), "bad.zip": bytes(content), "cut.zip": bytes(content)[:-9]}
    )
    assert [row[1] for row in told(page)] == ["refused"] * 3
    assert "damaged or cut short" in page.text


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("C:\\reports\\lot 1.xml", "lot 1.xml"),
        ("../../etc/passwd", "passwd"),
        (f"{SCRIPT}.xml", "script>.xml"),
        ('"><img src=x onerror=alert(1)>.xml', '"><img src=x onerror=alert(1)>.xml'),
        ("{{ 7 * 7 }}.xml", "{{ 7 * 7 }}.xml"),
        ("é\u202e模.xml", "é\u202e模.xml"),
        ("x" * 300 + ".xml", "x" * 251 + ".xml"),
        ("a\x00\x1b[31m.xml", "a__[31m.xml"),
        ("///", "report"),
    ],
    ids=["windows", "up", "script", "attribute", "template", "unicode", "long", "control", "none"],
)
def test_names_are_only_names(ada: Browser, server: Server, claimed: str, shown: str) -> None:
    """Written by hand: libraries make names such as these decent before they send them."""
    token = ada.open("/imports").hidden_fields["form_token"]
    content = f"no report {uuid4()} {SCRIPT}"
    quoted = (
        claimed.replace('"', "%22").replace("\\", "\\\\")
        if '"' not in claimed
        else claimed.replace('"', '\\"')
    )
    body = (
        f'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n'
        f'--x\r\nContent-Disposition: form-data; name="files"; filename="{quoted}"\r\n\r\n{content}\r\n--x--\r\n'
    ).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    page = Page(ada.http.post("/imports", content=body, headers=headers))
    assert page.status == 200
    [(name, outcome, _)] = told(page)
    assert (name, outcome) == (shown, "refused")
    assert "<script>alert" not in page.answer.text
    assert "<img" not in page.answer.text.replace('<img src="/static/icon.svg', "")
    [item] = [link for link in page.links if link.startswith("/imports/quarantine/")]
    shown_there = ada.open(item)
    assert shown in shown_there.text
    assert "<script>alert" not in shown_there.answer.text


def test_what_a_file_holds_stays_text(ada: Browser) -> None:
    """Also where the reason quotes it, and where its beginning is shown."""
    content = junit_of([fresh()]).replace(b'time="1"', f'time="&lt;b&gt;{uuid4()}{SCRIPT[1:]}"'.encode(), 1)
    page = send(
        ada,
        {"bad.json": b'{"a": "' + SCRIPT.encode() + uuid4().bytes.hex().encode() + b'"}', "b.xml": content},
    )
    for link in [link for link in page.links if link.startswith("/imports/quarantine/")]:
        item = ada.open(link)
        assert "script>alert(1)" in item.text
        assert "<script>alert" not in item.answer.text
        assert "<b>" not in item.answer.text


# Who may, and what a form may hold


def test_who_may_import(ada: Browser, eve: Browser, olga: Browser, vic: Browser, stranger: Browser) -> None:
    for browser in (ada, eve, olga, vic):
        assert "/imports" in browser.open("/").links
    for browser in (ada, eve, olga):
        assert told(send(browser, {"a.xml": junit_of([fresh()])}))[0][1] == "recorded"
    page = vic.open("/imports")
    assert (page.status, page.all("input")[0]["name"]) == (200, "q")
    assert not [one for one in page.all("input") if one.get("type") == "file"]
    token = vic.open("/imports").hidden_fields
    answer = vic.http.post("/imports", data=token, files={"files": junit_of([fresh()])})
    assert (answer.status_code, "viewer" in answer.text) == (403, True)
    assert stranger.open("/imports").path.startswith("/log-in")
    sent = stranger.http.post("/imports", files={"files": b"x"})
    assert "/log-in" in str(sent.url)


def test_runs_are_those_of_whoever_imports(olga: Browser) -> None:
    page = send(olga, {"a.xml": junit_of([fresh()])})
    assert "olga@acme.test" in olga.open(page.run_links[0]).text


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_of_another_page_imports_nothing(ada: Browser, token: str) -> None:
    before = imported(ada.open("/imports"))
    assert send(ada, {"a.xml": junit_of([fresh()])}, form_token=token).status == 403
    assert imported(ada.open("/imports")) == before


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"read_as": "CSV"}, 400, "no format"),
        ({"read_as": "template:x"}, 400, "no template"),
        ({"read_as": "template:00000000-0000-4000-8000-000000000000"}, 404, "Import template not found"),
        ({"procedure": "FVT99"}, 404, "FVT99 does not exist"),
        ({"procedure": "\0"}, 404, "does not exist"),
        ({"part_number": "P" * 256}, 400, "no part number"),
        ({"part_number": "P\0"}, 400, "no part number"),
    ],
    ids=["format", "template", "no_template", "procedure", "nul", "long", "nul_part"],
)
def test_what_cannot_be_chosen(ada: Browser, fields: dict[str, str], status: int, told: str) -> None:
    before = imported(ada.open("/imports"))
    page = send(ada, {"a.xml": junit_of([fresh()])}, **fields)
    assert (page.status, told in page.text) == (status, True), page.text
    assert imported(ada.open("/imports")) == before


def test_no_file_at_all(ada: Browser) -> None:
    page = send(ada, {"": b""})
    assert (page.status, "No file was chosen" in page.text) == (400, True)
    page = ada.send("/imports", ada.open("/imports").hidden_fields)
    assert (page.status, "multipart/form-data" in page.text) == (400, True)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form(ada: Browser, content_type: str) -> None:
    answer = ada.http.post("/imports", content=b"--x\r\nnonsense", headers={"Content-Type": content_type})
    # One without end has no token either.
    assert answer.status_code in (400, 403)


def test_what_is_larger_than_a_form_takes_is_told_what_to_do(ada: Browser) -> None:
    before = imported(ada.open("/imports"))
    page = send(ada, {"large.xml": b" " * (MOST_BYTES + 20_000)})
    assert page.status == 413
    assert "This page takes 400 kB at once" in page.text
    assert "runcard import FILE" in page.text
    assert imported(ada.open("/imports")) == before
    # The script of the page says the same before it sends anything.
    [form] = [one for one in ada.open("/imports").all("form") if "data-sends" in one]
    assert form["data-most-bytes"] == str(MOST_BYTES)
    assert form["data-too-large"].startswith("This page takes 400 kB at once")


# What is told of an import


def test_an_import_lists_its_runs_in_pages_and_its_file(ada: Browser) -> None:
    serials = [fresh() for _ in range(PAGE + 3)]
    page = send(ada, {"many.xml": junit_of(serials)})
    link = import_links(page)[0]
    first = ada.open(link)
    [later] = [one for one in first.links if one.startswith(f"{link}?cursor=")]
    last = ada.open(later)
    assert [row[0] for one in (first, last) for row in one.rows[1:]] == serials
    assert "53 runs" in first.text
    [file] = [one for one in first.links if "/files/download/" in one]
    assert ada.http.get(file).content == junit_of(serials)


def test_an_import_of_which_nothing_is_left_says_so(ada: Browser, server: Server) -> None:
    page = send(ada, {"gone.xml": junit_of([fresh(), fresh()])})
    link = import_links(page)[0]
    runs = [UUID(one.removeprefix("/runs/")) for one in ada.open(link).run_links]
    server.change(lambda tx: delete_runs(tx.of(SystemActor(server.world.acme.id, "test")), runs, Deletion()))
    assert "Somebody deleted everything that was recorded from it" in ada.open(link).text
    assert "nothing is left" in ada.open("/imports").text


def test_another_organization_sees_its_own(ada: Browser, gus: Browser) -> None:
    content = junit_of([fresh()])
    page = send(ada, {"mine.xml": content})
    link = import_links(ada.open("/imports"))[0]
    assert gus.open(link).status == 404
    assert "mine.xml" not in gus.open("/imports").text
    assert told(send(gus, {"mine.xml": content}))[0][1] == "recorded"
    assert page.run_links[0] not in gus.open("/imports").links


@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000", "%00"])
def test_an_import_that_is_none(ada: Browser, name: str) -> None:
    assert ada.open(f"/imports/{name}").status == 404


def nameless() -> bytes:
    """A report of its own content that names neither unit nor part."""
    return f'<testsuite name="Board" timestamp="2026-01-02T03:04:05"><testcase name="{uuid4()}"/></testsuite>'.encode()


def section(page: Page) -> dict[str, str]:
    """The part of the form that says what files do not."""
    [found] = [one for one in page.all("details") if one.get("class") == "stated"]
    return found


def test_the_form_opens_where_a_file_was_refused_for_want_of_what_it_may_say(ada: Browser) -> None:
    assert "open" not in section(ada.open("/imports"))
    page = send(ada, {"a.xml": nameless()})
    assert told(page) == [["a.xml", "refused", "JUnit XML"]]
    assert "open" in section(page)
    assert "The refused files do not say their serial number: say it here or above" in page.text
    assert "open" not in section(send(ada, {"a.xml": nameless()[:-10]}))


def test_what_files_do_not_say_is_said_of_them_and_tried_before(ada: Browser) -> None:
    serial_number = fresh()
    name, content = f"PCB01_{serial_number}.xml", nameless()
    said = {"name_pattern": r"(?P<part_number>[^_]+)_(?P<serial_number>SN-\w+)"}
    page = send(ada, {name: content}, **said, preview="yes")
    assert told(page) == [[name, "would be recorded", "JUnit XML"]]
    assert (
        f"{serial_number} PCB01 Board PASS 2026-01-02 03:04:05 stated: serial number, part number"
        in page.text
    )
    assert name not in imported(ada.open("/imports"))
    # The form keeps what it said.
    assert said["name_pattern"] in [one.get("value") for one in page.all("input")]
    page = send(ada, {name: content}, **said)
    assert "Stated: serial number of 1 run, part number of 1 run" in page.text
    (run,) = page.run_links
    assert re.search(r"Stated at import\s*serial number, part number", ada.open(run).text)
    assert ada.http.get(f"{run}/report.json").json()["stated"] == ["serial_number", "part_number"]
    listed = ada.open(import_links(ada.open("/imports"))[0])
    assert (listed.rows[1][0], listed.rows[1][-1]) == (serial_number, "serial number, part number")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name_pattern", "(", "is not RE2 syntax"),
        ("content_pattern", "(?P<unit>.)", "groups are serial_number"),
        ("serial_number_template", "{", "is no template"),
    ],
)
def test_what_cannot_be_stated_is_told_beside_the_form(
    ada: Browser, field: str, value: str, told: str
) -> None:
    page = send(ada, {"a.xml": nameless()}, **{field: value})
    assert (page.status, told in page.text) == (400, True)
    assert "open" in section(page)
    assert imported(page) == imported(ada.open("/imports"))
