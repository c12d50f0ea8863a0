"""Procedures made, renamed, archived and deleted in the browser."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def fresh() -> Fresh:
    """Names that no test has used."""
    return lambda prefix: f"{prefix} {uuid4().hex[:8]}"


def made(browser: Browser, name: str, **fields: str) -> Page:
    """The page of a new procedure."""
    page = browser.fill("/procedures", {"name": name, **fields})
    assert (page.status, page.path[:12]) == (200, "/procedures/"), page.text
    return page


def act(browser: Browser, page: Page, path: str, **fields: str) -> Page:
    """Send one of the forms of the page that changes a procedure."""
    token = browser.open(f"{page.path}/change").hidden_fields["form_token"]
    return browser.send(f"{page.path}{path}", {"form_token": token, **fields})


def offered(browser: Browser, path: str, field: str) -> list[str]:
    """What the last list of this name lets one choose."""
    text = browser.open(path).answer.text
    shown = re.findall(rf'<select[^>]* name="{field}".*?</select>', text, re.DOTALL)[-1]
    return re.findall(r">([^<>]+)</option>", shown)


def test_one_is_made_with_an_identifier_and_one_with_a_number(eve: Browser, fresh: Fresh):
    name, identifier = fresh("Vanilla"), f"VANILLA-{uuid4().hex[:6]}"
    page = made(eve, f" {name} ", identifier=identifier)
    assert name in page.text
    assert identifier in page.text
    assert "FVT" in made(eve, fresh("Numbered"), identifier=" ").text
    assert page.path in eve.open("/procedures").links


def test_what_is_wrong_is_told_and_stays_filled_in(server: Server, eve: Browser):
    board = server.world.acme.board
    for fields, status, told in (
        ({"name": " "}, 400, "is no procedure name"),
        ({"name": "New", "identifier": "two words"}, 400, "is no identifier"),
        ({"name": "New", "identifier": board.identifier.lower()}, 409, "is that of the procedure"),
    ):
        page = eve.fill("/procedures", fields)
        assert (page.status, told in page.text) == (status, True), page.text
        shown = {one.get("name"): one.get("value") for one in page.all("input")}
        assert {name: shown[name] for name in fields} == fields


def test_a_second_one_of_a_name_has_to_be_meant(server: Server, eve: Browser, fresh: Fresh):
    name = fresh("Twin")
    first = made(eve, name)
    asked = eve.fill("/procedures", {"name": name.upper()})
    assert asked.status == 409
    assert f"is called '{name}' already" in asked.text
    assert "confirm below that you want a second one" in asked.text
    assert any(one.get("name") == "same_name" for one in asked.all("input"))
    second = made(eve, name.upper(), same_name="yes")
    assert second.path != first.path
    # Each list says which is which.
    station = f"/stations/{server.world.acme.lonely.actor.station_id}"
    names = [one for one in offered(eve, station, "procedure") if name.casefold() in one.casefold()]
    assert len({*names}) == 2
    assert all("(FVT" in one for one in names)


def test_it_is_renamed_and_back(server: Server, eve: Browser, fresh: Fresh):
    before, after = fresh("Before"), fresh("After")
    page = made(eve, before, identifier=f"OLD-{uuid4().hex[:6]}")
    old = page.text.partition("OLD-")[2][:6]
    identifier = f"NEW-{uuid4().hex[:6]}"
    changed = act(eve, page, "/change", name=after, identifier=identifier)
    assert changed.path == page.path
    assert after in changed.text
    assert identifier in changed.text
    assert f"So do OLD-{old}." in eve.open(f"{page.path}/change").text
    # The address by the old identifier leads here.
    assert eve.open(f"/procedures/OLD-{old}?period=all").path == f"{page.path}?period=all"
    assert before in act(eve, page, "/change", name=before, identifier=f"OLD-{old}").text

    board = server.world.acme.board
    for fields, status, told in (
        ({"name": "", "identifier": identifier}, 400, "is no procedure name"),
        ({"name": before, "identifier": board.identifier}, 409, "is that of the procedure"),
        ({"name": "board", "identifier": identifier}, 409, "is called 'Board' already"),
    ):
        refused = act(eve, page, "/change", **fields)
        assert (refused.status, told in refused.text) == (status, True), refused.text
    assert before in eve.open(page.path).text


def test_an_archived_one_is_offered_last_and_its_runs_are_recorded(
    server: Server, eve: Browser, fresh: Fresh
):
    name, identifier = fresh("Retired"), f"RETIRED-{uuid4().hex[:6]}"
    page, acme = made(eve, name, identifier=identifier), server.world.acme
    first = record(server, report("ARCHIVED-1", identifier), acme.fct.api_key)
    archived = act(eve, page, "/archive", archived="yes")
    assert "a run that names it is still recorded" in archived.text
    second = record(server, report("ARCHIVED-2", identifier), acme.fct.api_key)

    assert page.path not in eve.open("/procedures").links
    assert page.path in eve.open("/procedures?state=archived").links
    assert offered(eve, "/runs", "procedure")[-1] == f"{name}, archived"
    procedure_id = page.path.rpartition("/")[2]
    assert {first, second} <= {*eve.open(f"/runs?procedure={procedure_id}&period=all").run_links}
    station = f"/stations/{acme.ict.actor.station_id}"
    assert not any(name in one for one in offered(eve, station, "procedure"))
    assert name not in eve.open("/stations").text

    back = act(eve, page, "/archive", archived="no")
    assert "still recorded" not in back.text
    assert page.path in eve.open("/procedures").links
    assert name in offered(eve, "/runs", "procedure")


def test_only_one_without_runs_is_deleted(server: Server, eve: Browser, ada: Browser, fresh: Fresh):
    identifier = f"USED-{uuid4().hex[:6]}"
    used, unused = made(eve, fresh("Used"), identifier=identifier), made(eve, fresh("Unused"))
    record(server, report("KEPT", identifier), server.world.acme.fct.api_key)
    assert act(eve, used, "/delete").status == 403
    refused = act(ada, used, "/delete")
    assert refused.status == 409
    assert "still has 1 runs" in refused.text
    assert "cannot be deleted here. Archive it instead" in refused.text
    assert eve.open(used.path).status == 200
    assert "from where it can be restored" in ada.open(f"{unused.path}/change").text
    gone = act(ada, unused, "/delete")
    here = f"/bin/{unused.path.rpartition('/')[2]}"
    assert (gone.path, gone.status) == (f"{here}?done=deleted", 200)
    assert eve.open(unused.path).path == here


@pytest.mark.parametrize("path", ["", "/change", "/archive", "/delete"])
def test_viewers_and_other_organizations_change_nothing(
    server: Server, vic: Browser, gus: Browser, path: str
):
    board = f"/procedures/{server.world.acme.board.id}"
    page = vic.open(board)
    assert f"{board}/change" not in page.links
    assert vic.open(f"{board}/change").status == 403
    fields = {"name": "Mine", "identifier": "MINE", "archived": "yes"}
    sent = f"{board}{path}" if path else "/procedures"
    assert vic.send(sent, {"form_token": page_token(vic), **fields}).status == 403
    if path:
        assert gus.send(sent, {"form_token": page_token(gus), **fields}).status == 404
        assert gus.open(f"{board}/change").status == 404
    assert "Board" in vic.open(board).text


def page_token(browser: Browser) -> str:
    return browser.open("/runs").hidden_fields["form_token"]


def test_a_form_of_another_session_is_refused(server: Server, eve: Browser):
    board = f"/procedures/{server.world.acme.board.id}"
    for path in ("/change", "/archive", "/delete"):
        assert eve.send(f"{board}{path}", {"form_token": "made-up", "name": "X"}).status == 403


def test_a_procedure_that_is_not_there(eve: Browser):
    assert eve.open("/procedures/NOTHING/change").status == 404
    assert eve.open("/procedures/nul%00").status == 404
