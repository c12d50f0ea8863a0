"""Members: inviting by a one-time link, roles, suspending."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from runcard.store.engine.tables import invitations
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.world import PASSWORD

HERE = "/settings/members"


@pytest.fixture
def guest(server: Server) -> Iterator[Browser]:
    """The browser of somebody who is invited."""
    browser = Browser(server.url)
    yield browser
    browser.close()


def invited(browser: Browser, email: str, role: str = "engineer") -> str:
    """The path of a new invitation."""
    fields = {**browser.open(HERE).hidden_fields, "email": email, "role": role}
    page = browser.send(f"{HERE}/invitations", fields)
    assert page.status == 200, page.text
    assert page.answer.headers["cache-control"] == "no-store"
    [path] = set(re.findall(r"http://[\d.:]+(/invitation/invitation_[\w-]{43})\b", page.text))
    return str(path)


def member(server: Server, email: str, role: str = "viewer") -> str:
    """The path under which a new member of Acme is changed."""
    options = ("--role", role, "--password", PASSWORD, "--organization", server.world.acme.slug)
    return f"{HERE}/{server.runcard('user', 'create', email, *options)['id']}"


def act(browser: Browser, path: str, **fields: str) -> Page:
    return browser.send(path, {**browser.open(HERE).hidden_fields, **fields})


def state_of(page: Page, email: str) -> str:
    words = page.text.split()
    return "suspended" if "suspended" in words[words.index(email) :][:20] else "active"


def test_somebody_joins_by_the_link_once(ada: Browser, guest: Browser):
    link = invited(ada, "ivy@acme.test", "operator")
    assert "ivy@acme.test" in ada.open(HERE).text
    assert link.rpartition("/")[2] not in ada.open(HERE).answer.text
    shown = guest.open(link)
    assert "Join Acme" in shown.text
    assert "operator" in shown.text
    filled = {**shown.hidden_fields, "name": "Ivy", "password": PASSWORD}
    assert guest.send(link, filled).path == "/"
    assert "ivy@acme.test" in guest.open("/runs").text
    assert "Your role is operator" in guest.open("/settings/profile").text
    for page in (guest.open(link), guest.send(link, filled)):
        assert page.status == 404
        assert "invitation is unknown" in page.text
    assert guest.log_out().path == "/log-in"
    assert guest.log_in("ivy@acme.test").path == "/"
    assert "/invitations/" not in str(ada.open(HERE).all("form"))


def test_what_is_wrong_is_told_and_the_link_stays_open(ada: Browser, guest: Browser):
    link = invited(ada, "jon@acme.test")
    page = guest.fill(link, {"name": "Jon", "password": "short"})
    assert page.status == 400
    assert "Password has 5 characters" in page.text
    assert "short" not in page.answer.text
    assert guest.send(link, {"name": "Jon", "password": PASSWORD}).status == 403
    assert guest.fill(link, {"name": "Jon", "password": PASSWORD}).path == "/"


def test_an_invitation_is_taken_back_replaced_and_ends(server: Server, ada: Browser, guest: Browser):
    first = invited(ada, "kim@acme.test")
    second = invited(ada, "KIM@acme.test")
    assert guest.open(first).status == 404
    assert guest.open(second).status == 200
    [path] = [one["action"] for one in ada.open(HERE).all("form") if "/invitations/" in one["action"]]
    act(ada, path)
    assert guest.open(second).status == 404
    assert act(ada, path).status == 404

    third = invited(ada, "kim@acme.test")
    past = datetime.now(UTC) - timedelta(seconds=1)
    server.change(lambda tx: tx.connection.execute(update(invitations).values(expires_at=past)).rowcount)
    assert guest.open(third).status == 404
    assert not [one for one in ada.open(HERE).all("form") if one["action"].endswith("/cancel")]


@pytest.mark.parametrize(
    ("email", "role", "status", "told"),
    [
        ("nobody", "viewer", 400, "is no e-mail address"),
        ("new@acme.test", "emperor", 400, "is no role"),
    ],
    ids=["address", "role"],
)
def test_a_wrong_invitation_is_told(ada: Browser, email: str, role: str, status: int, told: str):
    page = act(ada, f"{HERE}/invitations", email=email, role=role)
    assert page.status == status
    assert told in page.text


def test_who_is_a_member_is_not_invited(server: Server, ada: Browser):
    page = act(ada, f"{HERE}/invitations", email=server.world.acme.engineer.email, role="viewer")
    assert (page.status, "already exists" in page.text) == (409, True)


def test_inviting_does_not_tell_who_is_with_another_organization(
    server: Server, ada: Browser, guest: Browser
):
    gus = server.world.globex.admin.email
    fresh = act(ada, f"{HERE}/invitations", email="someone@globex.test", role="viewer")
    taken = act(ada, f"{HERE}/invitations", email=gus, role="viewer")
    assert (taken.status, taken.text.count(gus)) == (
        fresh.status,
        fresh.text.count("someone@globex.test"),
    )
    page = guest.fill(invited(ada, gus), {"name": "Gus", "password": PASSWORD})
    assert (page.status, "already exists" in page.text) == (409, True)
    for path in [one["action"] for one in ada.open(HERE).all("form") if "/invitations/" in one["action"]]:
        act(ada, path)


def test_who_is_suspended_is_out_and_comes_back(server: Server, ada: Browser, guest: Browser):
    path = member(server, "lea@acme.test")
    assert guest.log_in("lea@acme.test").path == "/"
    assert state_of(act(ada, f"{path}/suspend"), "lea@acme.test") == "suspended"
    assert guest.open("/runs").path.startswith("/log-in")
    assert guest.log_in("lea@acme.test").status == 401
    assert state_of(act(ada, f"{path}/reinstate"), "lea@acme.test") == "active"
    assert guest.log_in("lea@acme.test").path == "/"


def test_an_admin_ends_the_log_ins_of_a_member(server: Server, ada: Browser, guest: Browser):
    path = member(server, "lou@acme.test")
    assert guest.log_in("lou@acme.test").path == "/"
    assert act(ada, f"{path}/sessions/end").path == HERE
    assert guest.open("/runs").path.startswith("/log-in")
    assert guest.log_in("lou@acme.test").path == "/"
    assert "ended log-ins of member lou@acme.test" in " ".join(ada.open("/trail?about=people").text.split())
    assert act(ada, f"{HERE}/no-id/sessions/end").status == 404
    theirs = f"{HERE}/{server.world.globex.admin.actor.user_id}"
    assert act(ada, f"{theirs}/sessions/end").status == 404


def test_a_role_counts_at_once(server: Server, ada: Browser, guest: Browser):
    path = member(server, "max@acme.test")
    guest.log_in("max@acme.test")
    assert "New station" not in guest.open("/stations").text
    act(ada, f"{path}/role", role="engineer")
    assert "New station" in guest.open("/stations").text
    assert act(ada, f"{path}/role", role="emperor").status == 400


def test_an_admin_is_always_left(server: Server, gus: Browser):
    own = f"{HERE}/{server.world.globex.admin.actor.user_id}"
    for path, fields in ((f"{own}/role", {"role": "viewer"}), (f"{own}/suspend", {})):
        page = act(gus, path, **fields)
        assert page.status == 409
        assert "No admin would be left" in page.text
    assert gus.open(HERE).status == 200


def test_only_admins_change_members(server: Server, eve: Browser, vic: Browser):
    path = member(server, "ned@acme.test")
    for browser in (eve, vic):
        page = browser.open(HERE)
        assert "ned@acme.test" in page.text
        assert [one["action"] for one in page.all("form") if one.get("method") == "post"] == ["/log-out"]
        for deed in (
            f"{path}/role",
            f"{path}/suspend",
            f"{path}/reinstate",
            f"{path}/sessions/end",
            f"{HERE}/invitations",
        ):
            refused = act(browser, deed, role="admin", email="x@y.z")
            assert refused.status == 403
            assert "Ask an admin." in refused.text


def test_another_organization_has_its_own(server: Server, ada: Browser, gus: Browser):
    assert server.world.acme.viewer.email not in gus.open(HERE).text
    path = f"{HERE}/{server.world.acme.viewer.actor.user_id}"
    for deed in ("role", "suspend", "reinstate"):
        assert act(gus, f"{path}/{deed}", role="admin").status == 404
    invited(ada, "ola@acme.test")
    assert "ola@acme.test" not in gus.open(HERE).text
    [cancel] = [one["action"] for one in ada.open(HERE).all("form") if "/invitations/" in one["action"]]
    assert act(gus, cancel).status == 404


def test_a_form_needs_its_token(ada: Browser):
    assert ada.send(f"{HERE}/invitations", {"email": "eve@evil.test", "role": "admin"}).status == 403


@pytest.mark.parametrize("path", ["/invitation/made-up", f"{HERE}/no-id/suspend"], ids=["link", "member"])
def test_what_is_not_there(ada: Browser, path: str):
    page = ada.open(path) if path.startswith("/inv") else act(ada, path)
    assert page.status == 404


def test_names_are_text(ada: Browser, guest: Browser):
    name = "<script>alert(1)</script>"
    guest.fill(invited(ada, "pia@acme.test"), {"name": name, "password": PASSWORD})
    page = ada.open(HERE)
    assert name in page.text
    assert name not in page.answer.text
    assert ada.open(f"{HERE}?page=0").status == 400
