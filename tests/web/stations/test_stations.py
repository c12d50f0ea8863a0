"""Stations: what they reported, and what people change about them."""

import re
import struct
from uuid import UUID

import pytest

from runcard.domain.actor import SystemActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.stations.rows import create_station
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"


NOTHING = {"may_report": "chosen"}
ALL = {"may_report": "all"}


def only(procedure_id: UUID) -> dict[str, str]:
    """What is filled in for a station that may report this procedure."""
    return {**NOTHING, f"procedure-{procedure_id}": "yes"}


def made(browser: Browser, name: str, may_report: dict[str, str] = NOTHING) -> Page:
    """The page of a new station."""
    shown = browser.fill("/stations", {"name": name, **may_report})
    assert shown.status == 200, shown.text
    [page] = {link for link in shown.links if link.startswith("/stations/")}
    return browser.open(page)


def act(browser: Browser, page: Page, path: str, **fields: str) -> Page:
    """Send one of the forms of a station's page."""
    return browser.send(f"{page.path}{path}", {**page.hidden_fields, **fields})


def new_key(page: Page) -> str:
    [key] = set(re.findall(r"rc_[\w-]{43}", page.text))
    return str(key)


def test_a_station_is_made_and_reports_with_its_key(server: Server, eve: Browser):
    shown = eve.fill("/stations", {"name": "Line 9", **only(server.world.acme.board.id)})
    assert shown.answer.headers["cache-control"] == "no-store"
    key = new_key(shown)
    assert f'Client("{server.url}", "{key}")' in shown.text
    assert f'"procedure_id": "{server.world.acme.board.identifier}"' in shown.text
    [path] = {link for link in shown.links if link.startswith("/stations/")}
    page = eve.open(path)
    # It is no trouble yet that it is silent.
    head = page.text.split("First-pass yield")[0]
    assert "new" in head
    assert "silent" not in head
    assert path in eve.open("/stations?state=new").links
    assert path not in eve.open("/stations?state=silent").links

    record(server, report("ST-1", server.world.acme.board.identifier), key)
    again = eve.open(page.path)
    assert "silent" not in again.text.split("First-pass yield")[0]
    assert key not in again.answer.text
    assert f"{key[:8]}…" in again.text
    assert "First-pass yield on Board" in again.text

    listed = eve.open("/stations?state=active&q=line")
    assert page.path in listed.links
    for state in ("silent", "new"):
        assert page.path not in eve.open(f"/stations?state={state}").links


def test_a_new_station_may_report_all_procedures_unless_some_are_chosen(server: Server, eve: Browser):
    board, final = server.world.acme.board, server.world.acme.final
    form = eve.open("/stations")
    checked = [one["value"] for one in form.all("input") if one.get("type") == "radio" and "checked" in one]
    assert checked == ["all"]
    key = new_key(eve.fill("/stations", {"name": "Takes all", **ALL}))
    few = new_key(eve.fill("/stations", {"name": "Takes one", **only(board.id)}))
    for api_key, identifier, status in (
        (key, board.identifier, 200),
        (key, final.identifier, 200),
        (few, board.identifier, 200),
        (few, final.identifier, 403),
    ):
        with server.client(api_key) as client:
            assert client.post("/runs", json=report("ST-6", identifier)).status_code == status


def test_the_overview_does_not_count_new_stations_as_silent(server: Server, eve: Browser):
    record(server, report("ST-7"))
    before = silent_and_new(eve)
    made(eve, "Just unpacked")
    assert silent_and_new(eve) == (before[0], before[1] + 1)


def silent_and_new(browser: Browser) -> tuple[int, int]:
    """How many stations the overview says are so."""
    text = browser.open("/").text
    found = re.search(r"(\d+) silent(?:, (\d+) new)?", text)
    assert found is not None, text
    return int(found[1]), int(found[2] or 0)


def test_a_revoked_key_reports_no_longer(server: Server, eve: Browser):
    page = made(eve, "Revoked", ALL)
    key = new_key(act(eve, page, "/keys"))
    path = next(form["action"] for form in eve.open(page.path).all("form") if "/revoke" in form["action"])
    assert "revoked" in eve.send(path, page.hidden_fields).text
    with server.client(key) as client:
        assert client.post("/runs", json=report("ST-2")).status_code == 401


def test_the_key_of_another_station_is_none_of_its_own(server: Server, eve: Browser):
    first, second = made(eve, "First"), made(eve, "Second")
    [path] = [form["action"] for form in eve.open(first.path).all("form") if "/revoke" in form["action"]]
    moved = path.replace(first.path, second.path)
    assert eve.send(moved, second.hidden_fields).status == 404
    assert "Revoke" in eve.open(first.path).text


def test_procedures_are_linked_and_unlinked(server: Server, eve: Browser):
    board, final = server.world.acme.board, server.world.acme.final
    page = made(eve, "Linked")
    key = new_key(act(eve, page, "/keys"))

    def sent() -> int:
        with server.client(key) as client:
            return client.post("/runs", json=report("ST-3", board.identifier)).status_code

    assert sent() == 403
    assert board.identifier in act(eve, page, "/procedures", procedure=str(board.id)).text
    assert sent() == 200
    assert "may report no procedure" in act(eve, page, f"/procedures/{board.id}/unlink").text
    assert sent() == 403
    allowed = act(eve, page, "/all-procedures", allowed="yes")
    assert final.identifier in allowed.text
    assert sent() == 200
    act(eve, page, "/all-procedures", allowed="no")
    assert sent() == 403


def test_a_station_is_renamed(eve: Browser):
    page = made(eve, "Old name")
    assert "New name" in act(eve, page, "", name="New name", team="").text
    for name, status, told in (("", 400, "is no station name"), ("ict-1", 409, "already exists")):
        refused = act(eve, page, "", name=name, team="")
        assert refused.status == status
        assert told in refused.text
    assert "New name" in eve.open(page.path).text


def test_one_that_reported_is_archived_and_one_that_did_not_is_deleted(server: Server, eve: Browser):
    used, unused = made(eve, "Used", ALL), made(eve, "Unused")
    key = new_key(act(eve, used, "/keys"))
    record(server, report("ST-4"), key)
    for page in (used, unused):
        gone = act(eve, page, "/remove")
        assert gone.path == "/stations"
        assert page.path not in gone.links
    kept = eve.open(used.path)
    assert "archived" in kept.text
    forms = [one for one in kept.all("form") if not one["action"].startswith("/notes/")]
    assert forms[-1].get("method") == "get", "nothing about it can be changed but what people note on it"
    assert act(eve, used, "/keys").status == 404
    archived = eve.open("/stations?state=archived&sort=last")
    assert used.path in archived.links
    assert not any(one in archived.links for one in (unused.path, made(eve, "In use").path))
    assert eve.open(unused.path).status == 404
    with server.client(key) as client:
        assert client.post("/runs", json=report("ST-5")).status_code == 401


def test_a_picture_is_kept_and_taken_away(eve: Browser):
    page = made(eve, "Pictured")

    def sent(content: bytes, token: str) -> Page:
        files = {"picture": ("<script>.png", content, "text/html")}
        return Page(eve.http.post(f"{page.path}/picture", data={"form_token": token}, files=files))

    token = page.hidden_fields["form_token"]
    shown = sent(PNG, token)
    [source] = [one["src"] for one in shown.all("img") if one.get("class") == "picture"]
    got = eve.http.get(source)
    assert got.content == PNG
    assert got.headers["content-type"] == "image/png"
    assert "No picture yet" in act(eve, page, "/picture/remove").text
    svg = sent(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", token)
    assert svg.status == 400
    assert "not a picture that browsers can show" in svg.text
    assert sent(PNG, "made-up").status == 403
    assert sent(PNG + bytes(10_100_000), token).status == 413


@pytest.mark.parametrize(
    "path",
    ["", "/keys", "/procedures", "/all-procedures", "/picture/remove", "/remove"],
)
def test_viewers_see_and_change_nothing(server: Server, vic: Browser, path: str):
    station = f"/stations/{server.world.acme.ict.actor.station_id}"
    page = vic.open(station)
    assert "ICT-1" in page.text
    assert [form for form in page.all("form") if form.get("method") == "post"] == [
        {"method": "post", "action": "/log-out"}
    ]
    assert "New station" not in vic.open("/stations").text
    refused = vic.send(station + path, {**page.hidden_fields, "name": "Mine"})
    assert refused.status == 403
    assert "Role viewer has no permission" in refused.text


def test_a_key_is_replaced_and_the_history_says_why(server: Server, ada: Browser, eve: Browser):
    page = made(eve, "Replaced")
    [path] = [one["action"] for one in page.all("form") if "/replace" in one["action"]]
    refused = act(eve, page, path.removeprefix(page.path), overlap="soon")
    assert (refused.status, "give 0 to 90 days" in refused.text) == (400, True)
    shown = act(eve, page, path.removeprefix(page.path), overlap="0")
    prefix = new_key(shown)[:8]
    assert "expired" in eve.open(page.path).text
    told = ada.open("/trail?about=people").text
    assert f"replaced by {prefix}…" in told
    assert "replaces rc_" in told


def test_a_key_says_what_uses_it_and_when_it_expires(eve: Browser):
    page = made(eve, "Timed")
    act(eve, page, "/keys", used_by="Fixture 7", expires="2035-01-31")
    shown = eve.open(page.path)
    [cells] = [row for row in shown.rows if "Fixture 7" in row]
    assert cells[4].startswith("2035-02-01")
    refused = act(eve, page, "/keys", used_by="Fixture 8", expires="2026-01-01")
    assert refused.status == 400
    assert "give a day to come" in refused.text
    assert "Stations cannot manage" in act(eve, page, "/keys", may_manage="yes").text
    assert "Fixture 8" in {one.get("value") for one in refused.all("input")}


def test_viewers_create_none(vic: Browser):
    assert vic.fill("/stations", {"name": "Mine"}).status == 403


def test_another_organization_has_its_own(server: Server, gus: Browser, eve: Browser):
    station = f"/stations/{server.world.acme.ict.actor.station_id}"
    assert gus.open(station).status == 404
    assert "ICT-1" not in gus.open("/stations").text
    token = gus.open("/stations").hidden_fields
    for path in ("", "/keys", "/all-procedures", "/picture/remove", "/remove"):
        assert gus.send(station + path, {**token, "name": "Taken"}).status == 404
    theirs = made(gus, "Theirs")
    foreign = act(gus, theirs, "/procedures", procedure=str(server.world.acme.board.id))
    assert foreign.status == 404
    assert "ICT-1" in eve.open(station).text


def test_a_form_needs_its_token(server: Server, eve: Browser, stranger: Browser):
    station = f"/stations/{server.world.acme.ict.actor.station_id}"
    for path in ("/stations", f"{station}/keys", f"{station}/remove"):
        assert eve.send(path, {"name": "x"}).status == 403
        assert stranger.send(path, {"name": "x"}).path.startswith("/log-in")


def test_what_is_wrong_with_a_new_station_is_told_beside_what_was_filled_in(server: Server, eve: Browser):
    for name, status, told in (("", 400, "is no station name"), ("ICT-1", 409, "already exists")):
        page = eve.fill("/stations", {"name": name, **only(server.world.acme.board.id)})
        assert page.status == status
        assert told in page.text
        [field] = [one for one in page.all("input") if one.get("name") == "name"]
        assert field["value"] == name
        checked = [one["value"] for one in page.all("input") if "checked" in one]
        assert checked == ["chosen", "yes"]
    odd = {"name": "Odd", **NOTHING, "procedure-no id": "yes"}
    assert eve.fill("/stations", odd).status == 404


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/stations?state=asleep", "state"),
        ("/stations?sort=colour", "sort"),
        ("/stations?page=0", "page"),
        ("/stations?q=%00", "q"),
        (f"/stations/{UUID(int=0)}?period=century", "period"),
    ],
    ids=["state", "sort", "page", "q", "period"],
)
def test_a_query_that_says_nothing_is_named(eve: Browser, path: str, named: str):
    page = eve.open(path)
    assert page.status == 400
    assert f"{named}: " in page.text


def test_a_station_that_is_not_there(eve: Browser):
    for name in ("nothing", UUID(int=0)):
        assert eve.open(f"/stations/{name}").status == 404


def test_names_are_text(eve: Browser):
    name = "<script>alert(1)</script>"
    page = made(eve, name)
    assert name in page.text
    assert name in eve.open("/stations").text
    assert name not in page.answer.text


def test_the_list_has_pages(server: Server, gus: Browser):
    home = server.world.globex.id

    def add_rows(tx: SharedTransaction) -> None:
        for number in range(52):
            create_station(tx.of(SystemActor(home, "test")), f"Row {number:02}")

    server.change(add_rows)
    first = gus.open("/stations?q=row")
    assert "1–50 of 52" in first.text
    assert "Row 00" in first.text
    [more] = [link for link in first.links if "page=2" in link]
    second = gus.open(more)
    assert "51–52 of 52" in second.text
    assert "Row 51" in second.text
    assert [link for link in second.links if link.startswith("/stations?")] == ["/stations?q=row"]
