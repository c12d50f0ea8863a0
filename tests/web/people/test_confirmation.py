"""The password again: before keys of stations, roles, members and invitations are changed."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import update

from runcard.auth.credentials import MAX_FAILURES
from runcard.auth.sessions import CONFIRMED_FOR
from runcard.store.engine.tables import sessions
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page, logged_in
from tests.world import PASSWORD, Member

MEMBERS = "/settings/members"
ASKED = "Your password, please"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The two cannot differ in it."""
    return "sqlite"


def grow_old(server: Server, member: Member) -> None:
    """Let it be long ago that the member gave their password, in each of their sessions."""
    s = sessions.c
    mine = update(sessions).where(s.user_id == member.actor.user_id)
    server.change(
        lambda shared: shared.connection.execute(mine.values(confirmed_at=shared.now - CONFIRMED_FOR))
    )


@pytest.fixture
def old(server: Server) -> Iterator[Browser]:
    """A browser in which Acme's admin logged in long ago."""
    browser = logged_in(server.url, server.world.acme.admin)
    grow_old(server, server.world.acme.admin)
    yield browser
    browser.close()


def send(browser: Browser, path: str, **fields: str) -> Page:
    return browser.send(path, {**browser.open(MEMBERS).hidden_fields, **fields})


def confirm(browser: Browser, asked: Page, password: str = PASSWORD) -> Page:
    """Give the password to the page that asks for it."""
    assert ASKED in asked.text
    [form] = [one for one in asked.all("form") if one["action"] != "/log-out" and one.get("method") == "post"]
    return browser.send(form["action"], {**asked.hidden_fields, "confirm_password": password})


def test_what_was_filled_in_is_kept_until_the_password_is_given(old: Browser):
    asked = send(old, f"{MEMBERS}/invitations", email='"<b>@acme.test', role="viewer")
    assert asked.status == 403
    assert "<b>@acme" not in asked.answer.text
    done = confirm(old, asked)
    assert done.status == 200
    assert '"<b>@acme.test' in done.text
    assert '"<b>@acme.test' in old.open(MEMBERS).text
    # For some minutes nobody asks again.
    assert ASKED not in send(old, f"{MEMBERS}/invitations", email="next@acme.test", role="viewer").text


def test_every_such_deed_asks_and_does_nothing_yet(server: Server, old: Browser):
    acme = server.world.acme
    station, member = f"/stations/{acme.ict.actor.station_id}", f"{MEMBERS}/{acme.viewer.actor.user_id}"
    key = f"{station}/keys/{UUID(int=1)}"
    with server.database() as database, database.read_in(acme.id) as scope:
        before = scope.connection.exec_driver_sql("SELECT count(*) FROM changes").scalar_one()
        for path, fields in (
            ("/stations", {"name": "Asked"}),
            (f"{station}/keys", {}),
            (f"{key}/replace", {"overlap": "7"}),
            (f"{key}/revoke", {}),
            (f"{member}/role", {"role": "operator"}),
            (f"{member}/suspend", {}),
            (f"{member}/reinstate", {}),
            (f"{MEMBERS}/invitations", {"email": "asked@acme.test", "role": "viewer"}),
        ):
            asked = send(old, path, **fields)
            assert (path, asked.status, ASKED in asked.text) == (path, 403, True)
            assert fields.items() <= asked.hidden_fields.items()
        assert scope.connection.exec_driver_sql("SELECT count(*) FROM changes").scalar_one() == before


def test_a_key_of_a_station_is_made_after_the_password(server: Server, old: Browser):
    station = f"/stations/{server.world.acme.ict.actor.station_id}"
    asked = send(old, f"{station}/keys", used_by="Fixture 9", may_record="yes")
    assert "it is not shown again." in confirm(old, asked).text
    assert "Fixture 9" in old.open(station).text


def test_an_own_key_needs_no_password(old: Browser):
    assert ASKED not in send(old, "/settings/profile/keys").text


def test_who_may_not_is_not_asked(server: Server):
    browser = logged_in(server.url, server.world.acme.viewer)
    grow_old(server, server.world.acme.viewer)
    for path in ("/stations", f"{MEMBERS}/invitations"):
        refused = send(browser, path, name="x", email="x@y.z", role="viewer")
        assert (refused.status, ASKED in refused.text) == (403, False)
        assert "Role viewer has no permission" in refused.text
    browser.close()


def test_a_wrong_password_is_counted_and_keeps_what_was_filled_in(server: Server):
    browser = logged_in(server.url, server.world.globex.admin)
    grow_old(server, server.world.globex.admin)
    page = send(browser, f"{MEMBERS}/invitations", email="new@globex.test", role="viewer")
    for _ in range(MAX_FAILURES):
        page = confirm(browser, page, "wrong")
        assert (page.status, "The password is wrong." in page.text) == (403, True)
        assert page.hidden_fields["email"] == "new@globex.test"
        assert "wrong" not in str(page.all("input"))
    page = confirm(browser, page)
    assert "Too many log-ins have failed" in page.text
    assert "new@globex.test" not in browser.open(MEMBERS).text
    browser.close()
