"""What members look after themselves, and how pages look to them."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from runcard.domain.actor import SystemActor
from runcard.store.people.users import create_user
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.world import PASSWORD, password_hash

HERE = "/settings/profile"


@pytest.fixture
def ona(server: Server) -> Iterator[Browser]:
    """A fresh viewer of Acme, logged in."""
    email, home = f"ona-{uuid4().hex}@acme.test", server.world.acme.id
    server.change(
        lambda tx: create_user(
            tx.of(SystemActor(home, "test")), email, name="Ona", role="viewer", password_hash=password_hash()
        )
    )
    browser = Browser(server.url)
    browser.http.headers["User-Agent"] = "Ona's <script> browser"
    assert browser.log_in(email).path == "/"
    yield browser
    browser.close()


@pytest.fixture
def other(server: Server) -> Iterator[Browser]:
    browser = Browser(server.url)
    yield browser
    browser.close()


def email_of(browser: Browser) -> str:
    [email] = re.findall(r"log in as (\S+)\.", browser.open(HERE).text)
    return str(email)


def act(browser: Browser, path: str, **fields: str) -> Page:
    return browser.send(HERE + path, {**browser.open(HERE).hidden_fields, **fields})


def test_a_name_is_changed(ona: Browser):
    page = act(ona, "", name=" Ona B. ")
    assert "Saved." in page.text
    assert {"Ona B."} == {one["value"] for one in page.all("input") if one.get("name") == "name"}
    for name in ("", "x" * 256, "a\0"):
        assert act(ona, "", name=name).status == 400


def test_a_password_is_changed_and_ends_other_log_ins(ona: Browser, other: Browser):
    email, changed = email_of(ona), "another horse battery staple"
    other.log_in(email)
    assert other.open(HERE).path == HERE
    page = act(ona, "/password", current=PASSWORD, password=changed)
    assert "Saved." in page.text
    assert other.open(HERE).path.startswith("/log-in")
    assert other.log_in(email).status == 401
    assert other.log_in(email, changed).path == "/"


@pytest.mark.parametrize(
    ("current", "password", "told"),
    [
        ("wrong", "another horse battery", "The current password is wrong"),
        (PASSWORD, "short", "Password has 5 characters"),
    ],
    ids=["current", "new"],
)
def test_a_wrong_password_changes_nothing(ona: Browser, current: str, password: str, told: str):
    page = act(ona, "/password", current=current, password=password)
    assert page.status == 400
    assert told in page.text
    assert password not in page.answer.text
    email = email_of(ona)
    ona.log_out()
    assert ona.log_in(email).path == "/"


def test_keys_are_made_and_revoked(server: Server, ona: Browser):
    shown = act(ona, "/keys")
    [key] = set(re.findall(r"rc_[\w-]{43}", shown.text))
    page = ona.open(HERE)
    assert key not in page.answer.text

    def status() -> int:
        with server.client(key) as client:
            return client.get("/runs", params={"serial_number": "none"}).status_code

    assert status() == 200
    assert "never" in page.text
    [path] = [one["action"] for one in page.all("form") if "/revoke" in one["action"]]
    assert "revoked" in act(ona, path.removeprefix(HERE)).text
    assert status() == 401


def test_a_key_says_what_uses_it_and_when_it_expires(ona: Browser):
    act(ona, "/keys", used_by=" <b>MES</b> ", expires="2035-01-31", may_read="yes")
    page = ona.open(HERE)
    assert "<b>MES</b>" in page.text
    assert "<b>MES" not in page.answer.text
    [cells] = [row for row in page.rows if "<b>MES</b>" in row]
    assert cells[2] == "read"
    assert cells[4].startswith("2035-02-01")
    assert cells[6].startswith("works")
    for filled, told in (
        ({"used_by": "x" * 101, "expires": "2035-01-31"}, "is no name of a key"),
        ({"used_by": "MES", "expires": "2026-01-01"}, "give a day to come"),
        ({"used_by": "MES", "expires": "2085-01-01"}, "at most 3650 days"),
    ):
        refused = act(ona, "/keys", **filled)
        assert refused.status == 400
        assert told in refused.text
        kept = {one["name"]: one["value"] for one in refused.all("input") if one.get("name") in filled}
        assert kept == filled


def test_a_key_is_replaced(server: Server, ona: Browser):
    act(ona, "/keys", used_by="MES", may_read="yes")

    def paths() -> list[str]:
        return [one["action"] for one in ona.open(HERE).all("form") if "/replace" in one["action"]]

    [path] = paths()
    refused = act(ona, path.removeprefix(HERE), overlap="91")
    assert refused.status == 400
    assert "give 0 to 90 days" in refused.text
    shown = act(ona, path.removeprefix(HERE), overlap="3")
    [key] = set(re.findall(r"rc_[\w-]{43}", shown.text))
    with server.client(key) as client:
        assert client.get("/runs", params={"serial_number": "none"}).status_code == 200
    newer, older = ([cell for cell in row if cell] for row in ona.open(HERE).rows[1:3])
    assert [row[1:3] for row in (newer, older)] == [["MES", "read"]] * 2
    assert (newer[4], older[6].startswith("replaced")) == ("–", True)
    again = act(ona, path.removeprefix(HERE), overlap="3")
    assert again.status == 409
    assert "already. Replace that one." in again.text
    [next_path] = paths()
    assert next_path != path


def test_the_keys_of_others_are_not_theirs(server: Server, ada: Browser, ona: Browser):
    act(ona, "/keys")
    forms = [one["action"] for one in ona.open(HERE).all("form") if "/keys/" in one["action"]]
    assert len(forms) == 2
    for path in forms:
        assert act(ada, path.removeprefix(HERE), overlap="1").status == 404
    for deed in ("revoke", "replace"):
        assert act(ona, f"/keys/no-id/{deed}", overlap="1").status == 404


def test_log_ins_are_listed_and_ended(ona: Browser, other: Browser):
    email = email_of(ona)
    other.http.headers["User-Agent"] = "The other browser"
    other.log_in(email)
    page = ona.open(HERE)
    assert "The other browser" in page.text
    assert "Ona's <script> browser" in page.text
    assert "<script> browser" not in page.answer.text
    [path] = [one["action"] for one in page.all("form") if re.search(r"/sessions/\w{64}/end", one["action"])]
    assert "The other browser" not in act(ona, path.removeprefix(HERE)).text
    assert other.open(HERE).path.startswith("/log-in")

    other.log_in(email)
    act(ona, "/sessions/end")
    assert other.open(HERE).path.startswith("/log-in")
    assert ona.open(HERE).path == HERE
    assert act(ona, "/sessions/no-digest/end").status == 404


def test_nobody_ends_the_log_ins_of_others(ada: Browser, ona: Browser, other: Browser):
    other.log_in(email_of(ona))
    forms = ona.open(HERE).all("form")
    [path] = [one["action"] for one in forms if re.search(r"/sessions/\w{64}/end", one["action"])]
    act(ada, path.removeprefix(HERE))
    assert other.open(HERE).path == HERE


@pytest.mark.parametrize("path", ["", "/password", "/keys", "/sessions/end"])
def test_a_form_needs_its_token(ona: Browser, path: str):
    assert ona.send(HERE + path, {"name": "Evil"}).status == 403


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_colours_are_chosen(ona: Browser, theme: str):
    here = "/settings/appearance"
    page = ona.fill(here, {"theme": theme})
    assert page.path == here
    [chosen] = [one["value"] for one in page.all("input") if "checked" in one]
    assert chosen == theme
    assert ona.http.cookies.get("runcard_theme") == (None if theme == "system" else theme)


def test_a_colour_that_is_none_is_refused(ona: Browser):
    page = ona.fill("/settings/appearance", {"theme": "pink"})
    assert page.status == 400
    assert "theme: " in page.text
