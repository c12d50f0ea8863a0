"""The page of the history and the section on each thing: what is told, to whom, and that texts stay texts."""

import csv
import io
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.trail.watching import note_event, watch
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report
from tests.web.v2 import v2_client

SCRIPT = "<script>alert(1)</script>"
REASON = "<b>wrong</b> scan & more"


def words(page: Page) -> str:
    return " ".join(page.text.split())


def history(page: Page) -> str:
    """What the section of a page tells."""
    return words(page).rpartition("History ")[2]


def change(server: Server, apply: Callable[[Transaction], None]) -> None:
    """Change something as Acme's admin."""
    server.change(lambda tx: apply(tx.of(server.world.acme.admin.actor)))


def correct_serial(server: Server, old: str, new: str, why: str) -> None:
    """Give a unit another serial number, with a reason."""
    u = t.units.c

    def apply(tx: Transaction) -> None:
        unit_id = tx.connection.execute(t.units.select().where(tx.owns(u), u.serial_number == old)).one().id
        watch(tx, t.units, [unit_id], why=why)
        values = {"serial_number": new, "serial_key": new.casefold()}
        tx.connection.execute(t.units.update().where(u.id == unit_id).values(values))

    change(server, apply)


def test_a_correction_is_told_with_its_reason_and_both_names_find_it(server: Server, ada: Browser):
    old, new = f"OLD-{SCRIPT}", f"NEW-{SCRIPT}"
    record(server, report(old))
    correct_serial(server, old, new, REASON)
    told = (
        f"{server.world.acme.admin.email} changed unit {new}: serial number {old} → {new} (reason: {REASON})"
    )
    for name in (old, new):
        page = ada.open(f"/trail?named={quote(name)}")
        assert told in words(page)
        assert SCRIPT not in page.answer.text
        assert REASON not in page.answer.text
        assert f"/units/{quote(new, safe='')}" in page.links
    own = ada.open(f"/units/{quote(new, safe='')}")
    assert told in history(own)
    assert "Station ICT-1 created unit" in history(own)
    assert SCRIPT not in own.answer.text


def test_the_reports_of_stations_are_left_out_unless_they_are_asked_for(server: Server, ada: Browser):
    run = record(server, report("REPORTED"))
    told = "Station ICT-1 recorded a run of unit REPORTED"
    assert told not in words(ada.open("/trail"))
    page = ada.open("/trail?reports=yes")
    assert told in words(page)
    assert run in page.links
    acme = server.world.acme
    for station, is_told in ((acme.ict, True), (acme.fct, False)):
        by_station = ada.open(f"/trail?reports=yes&who={station.actor.station_id}")
        assert (told in words(by_station)) is is_told
    assert told in history(ada.open(run))


def test_each_thing_tells_its_own_history_to_everyone(server: Server, ada: Browser, vic: Browser):
    run = record(server, report("THINGS"))
    acme = server.world.acme
    with v2_client(server) as client:
        client.post("/batches", json={"number": "B-HISTORY"})
        client.patch("/parts/PCB-01", json={"name": "Board of history"})
    paths = {
        run: "recorded a run of unit THINGS",
        "/units/THINGS": "created unit THINGS",
        "/parts/PCB-01": "name PCB-01 → Board of history",
        "/parts/PCB-01/revisions/A": "created revision A",
        "/batches/B-HISTORY": "created batch B-HISTORY",
        f"/procedures/{acme.board.id}": "created procedure Board",
        f"/stations/{acme.ict.actor.station_id}": "station ICT-1",
    }
    for path, told in paths.items():
        page, seen = ada.open(path), vic.open(path)
        assert told in history(page), path
        assert told in history(seen), path
        assert [link for link in page.links if link.startswith("/trail?thing=")], path
        assert not [link for link in seen.links if link.startswith("/trail")], path


def test_where_a_change_came_from_is_for_managers(server: Server, eve: Browser, vic: Browser):
    with v2_client(server) as client:
        sent = client.post("/batches", json={"number": "B-ORIGIN"})
    for path, browser, is_shown in (
        ("/batches/B-ORIGIN", eve, True),
        ("/trail?named=B-ORIGIN", eve, True),
        ("/batches/B-ORIGIN", vic, False),
    ):
        page = browser.open(path)
        assert "created batch B-ORIGIN" in words(page)
        prefix = server.world.acme.engineer.api_key[:8]
        for private in (sent.headers["X-Request-ID"], "127.0.0.1", f"{prefix}…", "API v2"):
            assert (private in page.text) is is_shown, (path, private)


def test_only_managers_see_the_page_and_only_admins_what_is_of_access(
    server: Server, ada: Browser, eve: Browser, vic: Browser, gus: Browser
):
    change(server, lambda tx: note_event(tx, "user_logged_in", tx.author.user_id, "access@acme.test"))  # type: ignore[union-attr]
    assert "/trail" in ada.open("/").links
    assert "/trail" in eve.open("/").links
    assert "/trail" not in vic.open("/").links
    for path in ("/trail", "/trail/export", "/trail/export?format=jsonl"):
        assert vic.open(path).status == 403
    assert "access@acme.test logged in" in words(ada.open("/trail"))
    for path in ("/trail", "/trail?named=access@acme.test", "/trail/export", "/trail/export?format=jsonl"):
        page = eve.open(path) if "export" not in path else None
        text = eve.http.get(path).text if page is None else words(page)
        assert "access@acme.test logged in" not in text
        assert "user_logged_in" not in text
    assert eve.open("/trail?about=people").status == 403
    assert eve.http.get("/trail/export?about=people").status_code == 403
    assert "People and keys" not in eve.open("/trail").text
    assert "access@acme.test" not in gus.open("/trail?about=people").text


def test_settings_and_members_tell_admins_what_was_changed(ada: Browser, eve: Browser):
    ada.fill("/settings/organization", {"name": "Acme", "monthly_run_quota": "123456"})
    assert "monthly run quota none → 123456" in history(ada.open("/settings/organization"))
    assert "logged in" in history(ada.open("/settings/members"))
    for path in ("/settings/organization", "/settings/members"):
        assert "/trail" in {link.partition("?")[0] for link in ada.open(path).links}
        assert eve.open(path).text.count("History") == 1, "the menu alone"


def test_a_long_history_comes_in_pages(server: Server, ada: Browser):
    thing = new_id()

    def apply(tx: Transaction) -> None:
        for number in range(120):
            note_event(tx, "unit_changed", thing, "MANY", why=f"number {number}.")

    change(server, apply)
    page = ada.open(f"/trail?thing={thing}")
    assert "Only of unit MANY" in words(page)
    found: list[str] = []
    while True:
        found += [word for word in words(page).split("number ")[1:] if "." in word]
        older = [one["href"] for one in page.all("a") if one.get("rel") == "next"]
        if not older:
            break
        page = ada.open(older[0])
    assert [int(one.partition(".")[0]) for one in found] == list(range(119, -1, -1))
    assert f"/trail?thing={thing}" in page.links, "back to the newest"


def test_files_have_all_that_the_filter_finds_oldest_first(server: Server, ada: Browser):
    thing = new_id()

    def apply(tx: Transaction) -> None:
        for number in range(70):
            note_event(tx, "unit_changed", thing, "=cmd()", what={"number": number}, why="+1")

    change(server, apply)
    page = ada.open(f"/trail?thing={thing}")
    text, lines = (ada.http.get(link).text for link in page.links if link.startswith("/trail/export"))
    rows = list(csv.DictReader(io.StringIO(text)))
    items = [json.loads(line) for line in lines.splitlines()]
    assert [json.loads(row["what"])["number"][1] for row in rows] == list(range(70))
    assert [item["what"]["number"] for item in items] == [[None, number] for number in range(70)]
    assert {(row["name"], row["why"], row["by_name"]) for row in rows} == {
        ("'=cmd()", "'+1", server.world.acme.admin.email)
    }
    assert {(item["name"], item["why"]) for item in items} == {("=cmd()", "+1")}


@pytest.mark.parametrize(
    "query",
    [
        "who=x",
        "about=nothing",
        "thing=x",
        "cursor=-1",
        "cursor=99999999999999999999",
        "since=soon",
        "reports=maybe",
        "period=never",
        f"named={'x' * 1001}",
        "format=csv",
    ],
)
def test_bad_filters_are_refused(ada: Browser, query: str):
    assert ada.open(f"/trail?{query}").status == 400


@pytest.mark.parametrize("name", ["", "%25", "_", "/", "%22", "%5C", "%F0%9F%92%A5", "%ED%A0%80", "x" * 1000])
def test_any_name_may_be_asked_for(ada: Browser, name: str):
    assert ada.open(f"/trail?named={name}").status == 200


def test_what_is_not_found_is_said(ada: Browser):
    assert "is or was called NEVER-THERE" in words(ada.open("/trail?named=NEVER-THERE"))
    assert "No change was found" in words(ada.open(f"/trail?thing={new_id()}"))
