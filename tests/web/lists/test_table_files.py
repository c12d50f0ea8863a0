"""What tables show, as files for spreadsheets."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import measurement, phase, record, report
from tests.web.sheets import csv_of, exports, xlsx_of

PART = "Müller & Söhne/Ø"
UNIT_HEADINGS = [
    "Unit",
    "Formerly",
    "Unit class",
    "Part",
    "Revision",
    "Batch",
    "Part of",
    "Last run: outcome",
    "Last run: procedure",
    "Last run: started (Europe/Berlin)",
    "Created (Europe/Berlin)",
    "Tags",
    "Cause",
]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def made(server: Server) -> None:
    """60 units, more than a page of the list shows, of two batches; every tenth failed."""
    for number in range(60):
        body = report(
            f"=TAB-{number:02}",
            started_at=f"2026-03-01T23:00:{number:02}.25Z",
            run_passed=number % 10 > 0,
        )
        body["unit_under_test"] |= {"part_number": PART, "batch_number": f"TAB {number % 2}"}
        outcome = "PASS" if number % 10 else "FAIL"
        volts: dict[str, Any] = {"units": "V", "lower_limit": 3.0, "upper_limit": 3.6}
        body["phases"] = [
            phase("power", measurement("vcc", 3.3 + number / 1000, outcome, **volts), outcome=outcome)
        ]
        record(server, body)


@pytest.fixture
def berlin(ada: Browser) -> Browser:
    """A reader whose clock is in Berlin."""
    ada.http.cookies.set("runcard_zone", "Europe/Berlin")
    return ada


@pytest.mark.usefixtures("made")
def test_a_file_of_units_is_the_whole_list_as_it_is_filtered_and_sorted(berlin: Browser):
    xlsx, text = exports(berlin, "/units?search=tab-&sort=serial_number&order=asc&cursor=50")
    head, *rows = csv_of(berlin, text)
    assert head == UNIT_HEADINGS
    assert [row[0] for row in rows] == [f"'=TAB-{number:02}" for number in range(60)]
    assert rows[3][3:10] == [PART, "A", "TAB 1", "", "PASS", "Board", "2026-03-02 00:00:03"]
    heading, *cells = xlsx_of(berlin, xlsx)
    assert list(heading) == UNIT_HEADINGS
    assert [row[0] for row in cells] == [f"=TAB-{number:02}" for number in range(60)]
    assert f"{cells[3][9]:%Y-%m-%d %H:%M:%S}" == "2026-03-02 00:00:03"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("page", [f"/parts/{quote(PART, safe='')}", "/batches/TAB%201"])
def test_the_units_of_a_page_are_those_of_its_file(berlin: Browser, page: str):
    [xlsx] = [link for link in exports(berlin, f"{page}?sort=serial_number&order=asc") if ".xlsx" in link]
    step = 2 if "batches" in page else 1
    rows = xlsx_of(berlin, xlsx)[1:]
    assert [row[0] for row in rows] == [f"=TAB-{number:02}" for number in range(step - 1, 60, step)]


@pytest.mark.usefixtures("made")
def test_a_file_of_batches_has_their_yields(berlin: Browser):
    xlsx, text = exports(berlin, "/batches?search=tab&sort=number&order=asc")
    head, *rows = xlsx_of(berlin, xlsx)
    assert head[:5] == ("Batch", "Units", "First-pass yield", "First runs", "Recorded by")
    assert [row[:5] for row in rows] == [("TAB 0", 30, 0.8, 30, "ICT-1"), ("TAB 1", 30, 1, 30, "ICT-1")]
    assert [row[:3] for row in csv_of(berlin, text)[1:]] == [["TAB 0", "30", "0.8"], ["TAB 1", "30", "1.0"]]


@pytest.mark.usefixtures("made")
def test_a_file_of_capability_has_figures_with_all_digits(server: Server, berlin: Browser):
    page = f"/procedures/{server.world.acme.board.id}?tab=capability&period=all&part={quote(PART)}"
    xlsx, text = exports(berlin, page)
    head, row = xlsx_of(berlin, xlsx)
    told = dict(zip(head, row, strict=True))
    assert (told["Measurement"], told["Phase"], told["n"], told["Unit of measure"]) == (
        "vcc",
        "power",
        60,
        "V",
    )
    assert told["Mean"] == pytest.approx(3.3 + 29.5 / 1000, rel=1e-12)
    assert (told["Lower limit"], told["Upper limit"]) == (3, 3.6)
    assert told["Limits"] == "3 … 3.6"
    assert csv_of(berlin, text)[0] == list(head)


@pytest.mark.usefixtures("made")
def test_a_file_of_runs_has_the_columns_that_were_chosen(berlin: Browser):
    xlsx, text = exports(
        berlin, "/runs?batch=TAB+1&columns=started_at&columns=duration&sort=started_at&order=asc"
    )
    head, *rows = csv_of(berlin, text)
    assert head == ["Run", "Run of unit", "Started (Europe/Berlin)", "Duration (s)"]
    assert len(rows) == 30
    assert rows[0][1:3] == ["'=TAB-01", "2026-03-02 00:00:01"]
    heading, *cells = xlsx_of(berlin, xlsx)
    assert list(heading) == head
    assert isinstance(cells[0][3], int | float)


@pytest.mark.usefixtures("made")
def test_a_file_of_parts_has_their_yields(berlin: Browser):
    xlsx, text = exports(berlin, f"/parts?search={quote(PART)}")
    head, row = xlsx_of(berlin, xlsx)
    assert head[:6] == ("Part", "Name", "Revisions", "Units", "First-pass yield", "First runs")
    assert row[:6] == (PART, None, "A", 60, 0.9, 60)
    assert csv_of(berlin, text)[1][:6] == [PART, "", "A", "60", "0.9", "60"]


@pytest.mark.usefixtures("made")
def test_a_file_of_procedures_has_their_activity(berlin: Browser):
    xlsx, text = exports(berlin, "/procedures?search=board&period=all")
    head, row = xlsx_of(berlin, xlsx)
    assert head == ("Procedure", "Identifier", "Runs", "First-pass yield", "Last run (Europe/Berlin)")
    assert row[:4] == ("Board", "FVT1", 60, 0.9)
    assert csv_of(berlin, text)[1][4] == "2026-03-02 00:00:59"


@pytest.mark.usefixtures("made")
def test_files_of_a_yield_page_have_all_that_failed(server: Server, berlin: Browser):
    found = exports(berlin, f"/procedures/{server.world.acme.board.id}?tab=yield&period=all")
    by_station, phases, measurements = [xlsx_of(berlin, link) for link in found if ".xlsx" in link]
    assert by_station[0][:2] == ("Station", "First-pass yield")
    assert by_station[1][:2] == ("ICT-1", 0.9)
    assert by_station[1][5] == 60
    assert phases == [
        ("Phase", "Failures", "Runs", "Share", "So far"),
        ("power", 6, 6, 1, 1),
    ]
    assert measurements == [
        ("Measurement", "Phase", "Failures", "Runs", "Share", "So far"),
        ("vcc", "power", 6, 6, 1, 1),
    ]


def pages_with_tables(server: Server) -> list[str]:
    procedure = f"/procedures/{server.world.acme.board.id}"
    lists = ["/units", "/batches", "/parts", "/procedures", "/runs"]
    return [*lists, f"{procedure}?tab=capability&period=all", f"{procedure}?tab=yield&period=all"]


@pytest.mark.usefixtures("made")
def test_a_viewer_may_export(server: Server, vic: Browser):
    found = [link for page in pages_with_tables(server) for link in exports(vic, page)]
    assert len(found) == 18
    assert {vic.http.get(link).status_code for link in found} == {200}


@pytest.mark.usefixtures("made")
def test_another_organization_gets_none_of_it(server: Server, gus: Browser):
    for table in ("/units", "/batches", "/parts", "/runs"):
        assert len(xlsx_of(gus, f"{table}.xlsx")) == 1
        assert len(csv_of(gus, f"{table}.spreadsheet.csv")) == 1
    runs = [row[2] for row in csv_of(gus, "/procedures.spreadsheet.csv?period=all")[1:]]
    assert runs == [""], "of its own procedure, which is called the same"
    for table in ("capability", "yield-by-station", "failing-phases", "failing-measurements"):
        path = f"/procedures/{server.world.acme.board.id}/{table}.xlsx"
        assert gus.http.get(path).status_code == 404


def test_who_is_not_logged_in_is_asked_to_do_so_first(stranger: Browser):
    assert stranger.open("/units.xlsx").path.startswith("/log-in")


@pytest.mark.parametrize("path", ["/units.pdf", "/units.csv", "/batches.xls", "/runs.txt"])
def test_other_files_are_not_there(ada: Browser, path: str):
    assert ada.open(path).status == 404


@pytest.mark.parametrize(
    "path", ["/units.xlsx?sort=x", "/batches.xlsx?serch=x", "/runs.xlsx?min_s=2&max_s=1"]
)
def test_what_cannot_be_asked_is_refused(ada: Browser, path: str):
    assert ada.open(path).status == 400
