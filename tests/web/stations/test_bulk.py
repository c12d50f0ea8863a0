"""Linking many stations at once: ticked ones, or all that the filter of the list finds."""

from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from runcard.domain.actor import SystemActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.stations.rows import create_station, link_procedures
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def line() -> str:
    return f"Line {uuid4().hex[:8]}"


@pytest.fixture
def stations(server: Server, line: str) -> list[UUID]:
    """Two stations without procedures, one that is linked to Board, and one that may report all."""
    acme = server.world.acme

    def make(shared: SharedTransaction) -> list[UUID]:
        tx = shared.of(SystemActor(acme.id, "test"))
        names = ("1", "2", "linked", "all")
        found = [create_station(tx, f"{line} {name}", all_procedures=name == "all").id for name in names]
        link_procedures(tx, found[2], [acme.board.id])
        return found

    return server.change(make)


def address(line: str, *procedures: UUID, deed: str = "link", **more: str) -> str:
    """Of the page about the stations of a line and these procedures."""
    query = {"q": line, "deed": deed, "procedures": procedures, **more}
    return f"/bulk/stations?{urlencode(query, doseq=True)}"


def send(browser: Browser, url: str, count: int) -> Page:
    token = browser.open("/runs").hidden_fields["form_token"]
    return browser.send(url, {"form_token": token, "count": str(count)})


def is_linked(browser: Browser, station_id: UUID, name: str) -> bool:
    page = browser.open(f"/stations/{station_id}")
    return any(row[0] == name for row in page.rows)


def test_a_preview_says_which_stations_change_and_then_they_do(
    server: Server, eve: Browser, stations: list[UUID], line: str
) -> None:
    board = server.world.acme.board
    [offered] = [link for link in eve.open(f"/stations?q={line}").links if link.startswith("/bulk/stations?")]
    chosen = eve.open(offered)
    assert "4 stations" in chosen.text
    assert "What happens" not in chosen.text
    boxes = {box["value"] for box in chosen.all("input") if box.get("name") == "procedures"}
    assert {str(board.id), str(server.world.acme.final.id)} <= boxes
    url = address(line, board.id)
    preview = eve.open(url)
    assert "Link 2 stations" in preview.text
    assert "1 station is linked to them already, and stays so." in preview.text
    assert "1 station may report all procedures, and is left out." in preview.text
    assert [row[-1] for row in preview.rows[1:]] == [
        "gets Board",
        "gets Board",
        "may report all procedures: left out",
        "stays: it has them already",
    ]
    [form] = [form for form in preview.all("form") if str(form.get("action")).startswith("/bulk/stations?")]
    done = eve.send(form["action"], preview.hidden_fields)
    assert "2 stations changed." in done.text
    assert "Nothing changes" in done.text
    assert [is_linked(eve, one, "Board") for one in stations[:3]] == [True] * 3
    entries = [eve.open(f"/stations/{one}").text.count("changed station") for one in stations]
    assert entries == [1, 1, 0, 0]

    url = address(line, board.id, deed="unlink")
    assert "Unlink 3 stations" in eve.open(url).text
    assert "3 stations changed." in send(eve, url, 3).text
    assert not any(is_linked(eve, one, "Board") for one in stations[:3])


def test_those_that_were_ticked(server: Server, eve: Browser, stations: list[UUID], line: str) -> None:
    board, final = server.world.acme.board, server.world.acme.final
    listed = eve.open(f"/stations?q={line}")
    ticks = [box["value"] for box in listed.all("input") if box.get("name") == "ids"]
    assert ticks == [str(stations[place]) for place in (0, 1, 3, 2)]
    query = [("ids", ticks[0]), ("ids", ticks[3]), ("procedures", board.id), ("procedures", final.id)]
    preview = eve.open(f"/bulk/stations?{urlencode(query)}")
    assert "that you ticked" in preview.text
    assert [row[-1] for row in preview.rows[1:]] == ["gets Board, Final", "gets Final"]
    assert "2 stations changed." in send(eve, f"/bulk/stations?{urlencode(query)}", 2).text
    assert is_linked(eve, stations[0], "Final")
    assert not is_linked(eve, stations[1], "Final")


def test_what_changed_meanwhile_is_said_and_nothing_is_done(
    server: Server, eve: Browser, stations: list[UUID], line: str
) -> None:
    board = server.world.acme.board
    page = eve.open(f"/stations/{stations[0]}")
    eve.send(f"{page.path}/procedures", {**page.hidden_fields, "procedure": str(board.id)})
    refused = send(eve, address(line, board.id), 2)
    assert refused.status == 409
    assert "There is 1 station now, not 2" in refused.text
    assert not is_linked(eve, stations[1], "Board")


def test_what_is_refused(server: Server, eve: Browser, stations: list[UUID], line: str) -> None:
    board, foreign = server.world.acme.board.id, server.world.globex.board.id
    assert send(eve, address(line), 2).status == 400
    for strange in (foreign, uuid4()):
        assert eve.open(address(line, board, strange)).status == 404
        assert send(eve, address(line, board, strange), 2).status == 404
    assert eve.open(address(line, *(uuid4() for _ in range(51)))).status == 400
    assert eve.open(address(line, board, deed="paint")).status == 400
    assert eve.open(address(line, board, colour="red")).status == 400
    assert eve.open("/bulk/stations?ids=x").status == 400
    assert "No station matches" in eve.open("/bulk/stations?state=archived&q=" + line).text
    assert send(eve, address(f"{line} linked", board), 0).status == 409
    assert not is_linked(eve, stations[0], "Board")


def test_who_may(
    server: Server, eve: Browser, vic: Browser, gus: Browser, stations: list[UUID], line: str
) -> None:
    url = address(line, server.world.acme.board.id)
    assert not [link for link in vic.open(f"/stations?q={line}").links if "bulk" in link]
    assert not [box for box in vic.open(f"/stations?q={line}").all("input") if box.get("name") == "ids"]
    assert vic.open(url).status == 403
    assert send(vic, url, 2).status == 403
    own = urlencode({"ids": stations[0], "procedures": server.world.globex.board.id})
    assert "No station matches" in gus.open(f"/bulk/stations?{own}").text
    assert send(gus, f"/bulk/stations?{own}", 1).status == 409
    assert gus.open(url).status == 404
    assert eve.send(url, {"form_token": "made-up", "count": "2"}).status == 403
    assert not is_linked(eve, stations[0], "Board")
