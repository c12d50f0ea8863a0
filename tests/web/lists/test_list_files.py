"""The lists of stations, members, imports, files in quarantine and API calls, as files for spreadsheets."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from runcard.domain.actor import SystemActor
from runcard.domain.ids import new_id
from runcard.store.calls.rows import Call, Caller, Route, create_api_calls, insert_calls
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.column_types import microseconds_of
from runcard.store.engine.database import Database
from runcard.store.engine.tables import stations
from runcard.store.people.users import create_user
from runcard.store.stations.rows import create_station
from runcard.web.stations.stations import MOST_STATIONS
from tests.importers.many_runs import junit_of
from tests.servers import Server
from tests.trails import changed_past_runcard
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report
from tests.web.sheets import csv_of, exports, xlsx_of

FORMULA = "=Prüfplatz/Ø «1»"
FORMULA_IN_CSV = f"'{FORMULA}"
RECORDED = [f"=gut-Ä{number:02}.xml" for number in range(22)]
REFUSED = [f"=schlecht-ß{number:02}.xml" for number in range(52)]
LISTS = ["/stations", "/settings/members", "/imports", "/imports/quarantine"]
CALLS = 1003


@pytest.fixture
def berlin(ada: Browser) -> Browser:
    """A reader whose clock is in Berlin."""
    ada.http.cookies.set("runcard_zone", "Europe/Berlin")
    return ada


@pytest.fixture(scope="module")
def floor(server: Server) -> None:
    """More stations than a page shows, one of which reported."""
    home = server.world.acme.id

    def apply(tx: SharedTransaction) -> None:
        create_station(tx.of(SystemActor(home, "test")), FORMULA, all_procedures=True)
        for number in range(55):
            create_station(tx.of(SystemActor(home, "test")), f"Linie {number:02}")

    server.change(apply)
    record(server, report("LIST-1", started_at=datetime.now(UTC).isoformat()))


@pytest.mark.usefixtures("floor")
def test_a_file_of_stations_is_the_whole_list_as_it_is_filtered_and_sorted(server: Server, berlin: Browser):
    xlsx, text = exports(berlin, "/stations?sort=runs&page=2")
    head, *rows = csv_of(berlin, text)
    assert head == [
        "Station",
        "State",
        "Last run (Europe/Berlin)",
        "Runs in 7 days",
        "Procedures",
        "Team",
        "Tags",
        "Cause",
    ]
    shown = [row for page in (1, 2) for row in berlin.open(f"/stations?sort=runs&page={page}").rows[1:]]
    assert [row[0] for row in rows] == [row[0].replace(FORMULA, FORMULA_IN_CSV) for row in shown]
    assert len(rows) > 55
    assert rows[0][:2] + rows[0][3:] == ["ICT-1", "active", "1", server.world.acme.board.name, "", "", ""]
    heading, *cells = xlsx_of(berlin, xlsx)
    assert list(heading) == head
    assert isinstance(cells[0][2], datetime)
    assert cells[0][3] == 1
    [named] = [row for row in cells if row[0] == FORMULA]
    assert named[:6] == (FORMULA, "new", None, 0, "all", None)
    [link] = [one for one in exports(berlin, "/stations?q=linie+1") if ".xlsx" in one]
    assert [row[0] for row in xlsx_of(berlin, link)[1:]] == [f"Linie {number}" for number in range(10, 20)]


def test_a_file_of_members_says_who_is_suspended(server: Server, berlin: Browser):
    def apply(tx: SharedTransaction) -> None:
        create_user(
            tx.of(SystemActor(server.world.acme.id, "test")),
            "zoe@acme.test",
            name=FORMULA,
            role="viewer",
            password_hash=None,
        )

    server.change(apply)
    xlsx, text = exports(berlin, "/settings/members")
    head, *rows = csv_of(berlin, text)
    assert head == ["Member", "E-mail", "Role", "State", "Suspended since (Europe/Berlin)"]
    emails = [row[1] for row in berlin.open("/settings/members").rows if "@" in row[1]]
    assert [row[1] for row in rows] == emails
    assert [row for row in rows if row[1] == "zoe@acme.test"] == [
        [FORMULA_IN_CSV, "zoe@acme.test", "viewer", "active", ""]
    ]
    sam = server.world.acme.suspended
    [suspended] = [row for row in xlsx_of(berlin, xlsx) if row[1] == sam.email]
    assert suspended[:4] == (sam.name, sam.email, "engineer", "suspended")
    assert isinstance(suspended[4], datetime)


@pytest.fixture(scope="module")
def brought(server: Server, ada: Browser) -> None:
    """More files than a page shows, imported and refused; the first that was imported has more runs than a page."""
    serial_numbers = {name: [f"GUT-{name[6:8]}"] for name in RECORDED}
    serial_numbers[RECORDED[0]] = [f"=VIEL-{number:02}" for number in range(55)]
    contents = {name: junit_of(some) for name, some in serial_numbers.items()}
    contents |= {name: junit_of([f"BAD-{name[11:13]}"], part_number=None) for name in REFUSED}
    contents["Müll.txt"] = b"no report"
    fields = ada.open("/imports").hidden_fields
    parts = [("files", (name, content, "text/xml")) for name, content in contents.items()]
    assert Page(ada.http.post("/imports", data=fields, files=parts)).status == 200


@pytest.mark.usefixtures("brought")
def test_a_file_of_imports_has_all_of_them(server: Server, berlin: Browser):
    xlsx, text = exports(berlin, "/imports?cursor=20")
    head, *rows = xlsx_of(berlin, xlsx)
    assert head == ("File", "Runs", "Repairs", "In part", "Read as", "By", "At (Europe/Berlin)", "Import ID")
    assert [row[0] for row in rows] == RECORDED[::-1]
    *_, first = rows
    assert first[:6] == (RECORDED[0], 55, 0, None, "JUnit XML", server.world.acme.admin.name)
    assert isinstance(first[6], datetime)
    assert f"/imports/{first[7]}" in berlin.open("/imports?cursor=20").links
    assert [row[0] for row in csv_of(berlin, text)[1:]] == [f"'{name}" for name in RECORDED[::-1]]


@pytest.mark.usefixtures("brought")
def test_a_file_of_an_import_has_all_of_its_runs(berlin: Browser, gus: Browser):
    import_id = xlsx_of(berlin, "/imports.xlsx")[-1][7]
    xlsx, text = exports(berlin, f"/imports/{import_id}?cursor=50")
    head, *rows = xlsx_of(berlin, xlsx)
    assert head == (
        "Run of unit",
        "Outcome",
        "Procedure",
        "Part",
        "Started (Europe/Berlin)",
        "Stated at import",
        "Run ID",
    )
    assert [row[0] for row in rows] == [f"=VIEL-{number:02}" for number in range(55)]
    assert f"/runs/{rows[-1][6]}" in berlin.open(f"/imports/{import_id}?cursor=50").links
    assert csv_of(berlin, text)[1][:2] == ["'=VIEL-00", rows[0][1]]
    assert gus.http.get(xlsx).status_code == 404
    assert berlin.http.get("/imports/nothing/runs.xlsx").status_code == 404


@pytest.mark.usefixtures("brought")
def test_a_file_of_the_quarantine_has_what_its_filter_finds(server: Server, berlin: Browser):
    xlsx, text = exports(berlin, "/imports/quarantine?search=part+number&cursor=50")
    head, *rows = xlsx_of(berlin, xlsx)
    assert head == (
        "File",
        "Why it was refused",
        "Read as",
        "Size (bytes)",
        "By",
        "With",
        "Arrived (Europe/Berlin)",
    )
    assert [row[0] for row in rows] == REFUSED[::-1]
    name, reason, importer, size, who, way, came_at = rows[0]
    [shown] = [row for row in berlin.open("/imports/quarantine").rows if row[0] == name]
    assert shown[1].startswith(reason)
    assert (importer, who, way) == ("JUnit XML", server.world.acme.admin.name, "runcard web")
    assert shown[3:5] == [f"{size} B", f"{who}{way}"]
    assert isinstance(came_at, datetime)
    assert [row[0] for row in csv_of(berlin, text)[1:]] == [f"'{name}" for name in REFUSED[::-1]]
    assert [row[0] for row in xlsx_of(berlin, "/imports/quarantine.xlsx?format=UNKNOWN")[1:]] == ["Müll.txt"]


@pytest.fixture(scope="module")
def called(server: Server) -> None:
    """More calls of a station of Acme than are read at once, every hundredth of them failed; a second apart."""
    acme = server.world.acme
    now_us = microseconds_of(datetime.now(UTC) - timedelta(hours=1))
    caller = Caller(acme.id, "rc_12345", acme.ict.actor.station_id, FORMULA, "7", "robot/7")
    made = [
        Call(
            now_us - number * 1_000_000,
            duration_us=1_250_000,
            status=200 if number % 100 else 404,
            route=Route("GET", "/api/v2/units/{serial_number}"),
            path=f"/api/v2/units/Ü{number}",
        )
        for number in range(CALLS)
    ]
    database = Database.open(server.database_url, server.data_dir / "activity.sqlite3")
    try:
        create_api_calls(database)
        insert_calls(database, {caller: made})
    finally:
        database.close()


def calls_in(rows: list[tuple[Any, ...]]) -> list[str]:
    return [row[1] for row in rows[1:]]


@pytest.mark.usefixtures("called")
def test_a_file_of_the_log_has_all_calls_that_its_filter_finds(berlin: Browser):
    filtered = "/activity?path=units/%C3%9C"
    older = next(link for link in berlin.open(filtered).links if "before=" in link)
    xlsx, text = exports(berlin, older)
    head, first, *_ = rows = xlsx_of(berlin, xlsx)
    assert head == (
        "Method",
        "Path",
        "Status",
        "Duration (s)",
        "Client",
        "Client version",
        "Key of",
        "Key begins",
        "Deprecated",
        "At (Europe/Berlin)",
    )
    assert calls_in(rows) == [f"/api/v2/units/Ü{number}" for number in range(CALLS)]
    assert first[:9] == ("GET", "/api/v2/units/Ü0", 404, 1.25, FORMULA, "7", "ICT-1", "rc_12345", None)
    assert isinstance(first[9], datetime)
    written = csv_of(berlin, text)
    assert len(written) == CALLS + 1
    assert written[1][2:6] == ["404", "1.25", FORMULA_IN_CSV, "7"]
    failed = [link for link in exports(berlin, f"{filtered}&status=failed") if ".xlsx" in link]
    assert calls_in(xlsx_of(berlin, failed[0])) == [
        f"/api/v2/units/Ü{number}" for number in range(0, CALLS, 100)
    ]


@pytest.mark.usefixtures("called")
def test_the_log_is_for_those_who_may_see_its_page(eve: Browser, vic: Browser, gus: Browser):
    assert len(xlsx_of(eve, "/activity.xlsx?path=units")) > CALLS
    assert vic.open("/activity").status == vic.open("/activity.xlsx").status == 403
    assert calls_in(xlsx_of(gus, "/activity.xlsx?path=units")) == []
    assert len(csv_of(gus, "/activity.spreadsheet.csv?path=units")) == 1


@pytest.mark.usefixtures("floor", "brought")
@pytest.mark.parametrize("path", LISTS)
def test_who_may_see_a_list_may_export_it_and_nobody_else(
    ada: Browser, vic: Browser, gus: Browser, stranger: Browser, path: str
):
    mine, theirs = ([row[:2] for row in xlsx_of(one, f"{path}.xlsx")[1:]] for one in (ada, gus))
    assert [row[:2] for row in xlsx_of(vic, f"{path}.xlsx")[1:]] == mine
    assert len(exports(vic, path)) == 2
    assert not set(theirs) & set(mine)
    assert stranger.open(f"{path}.xlsx").path.startswith("/log-in")
    assert ada.open(f"{path}.xlsx?no_such=1").status == 400
    assert ada.open(f"{path}.pdf").status == 404


def test_a_list_that_shows_nothing_offers_no_file(gus: Browser):
    empty = ["/stations?q=nothing", "/imports", "/imports/quarantine", "/activity?path=nothing"]
    assert [exports(gus, path) for path in empty] == [[], [], [], []]


def test_a_page_and_its_file_say_that_there_are_more_stations_than_they_look_at(server: Server, gus: Browser):
    """The last test here: it fills the floor of Globex."""
    now = datetime.now(UTC)
    ids = [new_id() for _ in range(MOST_STATIONS + 1)]
    rows = [
        {
            "id": station_id,
            "organization_id": server.world.globex.id,
            "name": f"S{number}",
            "name_key": f"s{number}",
            "all_procedures": False,
            "created_at": now,
        }
        for number, station_id in enumerate(ids)
    ]
    changed_past_runcard(*ids)
    server.change(lambda tx: tx.connection.execute(insert(stations), rows))
    assert "This page shows only some of the stations" in gus.open("/stations").text
    refused = gus.open("/stations.xlsx")
    assert refused.status == 400
    assert re.search("finds more than 5.?000 stations", refused.text)
    assert "This page shows only some" not in gus.open("/stations?q=S4999").text
    assert xlsx_of(gus, "/stations.xlsx?q=S4999")[1][0] == "S4999"
