"""Logging in and out, and forms that nobody else can make a browser send."""

import re
from collections.abc import Iterator

import httpx
import pytest

from runcard.auth.credentials import MAX_FAILURES, MAX_FAILURES_PER_ADDRESS
from runcard.auth.passwords import hash_password
from runcard.domain.actor import SystemActor, UserActor
from runcard.store.people.users import create_user, suspend_user
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page, logged_in
from tests.web.reporting import record, report
from tests.world import PASSWORD


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """One of the module's own: it has settings of its own, and counts attempts."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """The tests stand where a proxy would."""
    return {"RUNCARD_TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture
def other(server: Server) -> Iterator[Browser]:
    """A browser that is not `stranger`."""
    browser = Browser(server.url)
    yield browser
    browser.close()


def session_cookie(page: Page) -> str:
    answers = [*page.answer.history, page.answer]
    cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    [cookie] = [cookie for cookie in cookies if cookie.startswith("runcard_session=")]
    return cookie.lower()


@pytest.mark.parametrize("path", ["/", "/runs"])
def test_a_stranger_is_asked_to_log_in(stranger: Browser, path: str):
    page = stranger.open(path)
    assert (page.status, page.path.partition("?")[0]) == (200, "/log-in")
    assert [field["name"] for field in page.all("input")] == ["form_token", "next", "email", "password"]


def test_who_logs_in_sees_the_overview(server: Server, stranger: Browser):
    page = stranger.log_in(server.world.acme.admin.email)
    assert (page.status, page.path) == (200, "/")
    assert "Acme" in page.text
    assert stranger.open("/log-in").path == "/"


def test_the_e_mail_is_matched_without_case_and_blanks(server: Server, stranger: Browser):
    assert stranger.log_in(f" {server.world.acme.admin.email.upper()} ").path == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(server: Server, stranger: Browser):
    cookie = session_cookie(stranger.log_in(server.world.acme.admin.email))
    assert {"httponly", "samesite=lax", "path=/", "max-age=1209600"} <= set(cookie.split("; "))
    assert "secure" not in cookie


BY_TLS = {"X-Forwarded-Proto": "https"}


def session_by_tls(server: Server) -> httpx.Response:
    """The answer to a log-in by TLS. The client itself speaks http, so it would keep secure cookies to itself."""
    url = f"{server.url}/log-in"
    shown = httpx.get(url, headers=BY_TLS)
    [cookie] = re.findall(r"__Host-runcard_visitor=[^;]+", shown.headers["set-cookie"])
    fields = {**Page(shown).hidden_fields, "email": server.world.acme.admin.email, "password": PASSWORD}
    return httpx.post(url, data=fields, headers={**BY_TLS, "Cookie": cookie}, timeout=DEADLINE_S)


def test_by_tls_every_cookie_stays_on_tls_and_with_this_host(server: Server):
    answer = session_by_tls(server)
    assert answer.status_code == 303
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-runcard_session",
        "__Host-runcard_browser",
    }
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "domain" not in cookie.lower()


def test_a_session_is_worth_nothing_the_other_way(server: Server, stranger: Browser):
    stranger.log_in(server.world.acme.viewer.email)
    plain = stranger.http.cookies["runcard_session"]
    [tls] = re.findall(r"__Host-runcard_session=([^;]+)", session_by_tls(server).headers["set-cookie"])

    def status(name: str, session: str, **headers: str) -> int:
        headers["Cookie"] = f"{name}={session}"
        return httpx.get(f"{server.url}/runs", headers=headers).status_code

    by_tls = {"X-Forwarded-Proto": "https"}
    assert status("runcard_session", plain) == 200
    assert status("__Host-runcard_session", tls, **by_tls) == 200
    for session in (plain, tls):
        for name in ("runcard_session", "__Host-runcard_session"):
            for headers in ({}, by_tls):
                is_its_own = (name, headers) == (
                    ("runcard_session", {}) if session is plain else ("__Host-runcard_session", by_tls)
                )
                assert status(name, session, **headers) == (200 if is_its_own else 303)


def test_guesses_behind_the_same_proxy_do_not_keep_out_who_has_been_here(
    server: Server, stranger: Browser, other: Browser
):
    """All have one address where a proxy is not named, or tells none."""
    here = {"X-Forwarded-For": "192.0.2.99"}
    stranger.http.headers.update(here)
    other.http.headers.update(here)
    email = server.world.globex.admin.email
    assert stranger.log_in(email).path == "/"
    assert stranger.log_out().path == "/log-in"
    for number in range(MAX_FAILURES_PER_ADDRESS):
        # Refused before it is hashed, so the test is quick.
        assert other.log_in(f"{number}@acme.test", "x" * 2000).status == 401
    assert other.log_in(email).status == 429
    assert stranger.log_in(email).path == "/"


def test_wrong_unknown_and_suspended_are_answered_the_same(server: Server, stranger: Browser):
    acme = server.world.acme
    tries = [
        (acme.admin.email, "not the password"),
        ("nobody@acme.test", PASSWORD),
        (acme.suspended.email, PASSWORD),
        (acme.admin.email, ""),
        ("", ""),
        ("ada@acme.test\0", PASSWORD),
    ]
    answers = set()
    for email, password in tries:
        page = stranger.log_in(email, password)
        [field] = [field for field in page.all("input") if field["name"] == "email"]
        assert field["value"] == email
        answers.add((page.status, page.path, page.text))
    [(status, path, text)] = answers
    assert (status, path) == (401, "/log-in")
    assert "E-mail or password is wrong." in text
    assert "runcard_session" not in stranger.http.cookies


def test_after_ten_failures_an_e_mail_must_wait(server: Server, stranger: Browser):
    email = server.world.acme.engineer.email
    for _ in range(MAX_FAILURES):
        assert stranger.log_in(email, "a guess").status == 401
    refused = stranger.log_in(email)
    assert refused.status == 429
    assert "Wait five minutes" in refused.text
    assert stranger.log_in(server.world.acme.viewer.email).path == "/"


def test_log_in_leads_to_the_page_that_was_asked_for(server: Server, stranger: Browser):
    run = record(server, report("WANTED"))
    page = stranger.open(f"{run}?x=1")
    assert page.path.startswith("/log-in?next=")
    fields = {**page.hidden_fields, "email": server.world.acme.admin.email, "password": PASSWORD}
    assert stranger.send("/log-in", fields).path == f"{run}?x=1"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "/runs/a\nb", "/log-out"],
)
def test_log_in_leads_nowhere_else(server: Server, stranger: Browser, wanted: str):
    fields = {"email": server.world.acme.admin.email, "password": PASSWORD, "next": wanted}
    assert stranger.fill("/log-in", fields).path == "/"


def test_a_log_in_form_without_its_token_is_refused(server: Server, stranger: Browser):
    fields = {"email": server.world.acme.admin.email, "password": PASSWORD}
    stranger.open("/log-in")
    for token in ({}, {"form_token": ""}, {"form_token": "made-up"}, {"form_token": "ü"}):
        page = stranger.send("/log-in", {**fields, **token})
        assert page.status == 403
        assert "form has expired" in page.text


def test_a_log_in_form_of_another_browser_is_refused(server: Server, stranger: Browser, other: Browser):
    fields = {"email": server.world.acme.admin.email, "password": PASSWORD}
    stranger.open("/log-in")
    assert stranger.send("/log-in", {**fields, **other.open("/log-in").hidden_fields}).status == 403


def test_log_out_ends_the_session_for_good(server: Server):
    leaving = logged_in(server.url, server.world.acme.admin)
    kept = Browser(server.url, httpx.Cookies(leaving.http.cookies))
    assert kept.open("/runs").path == "/runs"
    assert leaving.log_out().path.startswith("/log-in")
    assert leaving.open("/runs").path.startswith("/log-in")
    assert kept.open("/runs").path.startswith("/log-in")
    for browser in (leaving, kept):
        browser.close()


def test_log_out_without_the_token_of_its_session_is_refused(ada: Browser, gus: Browser):
    for token in ({}, gus.open("/runs").hidden_fields):
        assert ada.send("/log-out", token).status == 403
    assert ada.open("/runs").path == "/runs"


def test_a_made_up_session_is_none(stranger: Browser):
    stranger.http.cookies.set("runcard_session", "rs_made-up")
    assert stranger.open("/runs").path.startswith("/log-in")


def test_who_is_suspended_is_out_at_once(server: Server, stranger: Browser):
    home = server.world.acme.id
    hashed = hash_password(PASSWORD)
    user = server.change(
        lambda tx: create_user(
            tx.of(SystemActor(home, "test")), "tim@acme.test", name="Tim", role="viewer", password_hash=hashed
        )
    )
    assert stranger.log_in(user.email).path == "/"
    actor = UserActor(user.id, home, user.role)
    server.change(lambda tx: suspend_user(tx.of(SystemActor(home, "test")), actor.user_id))
    assert stranger.open("/runs").path.startswith("/log-in")


def test_a_new_password_ends_the_sessions_of_the_old_one(server: Server, stranger: Browser, other: Browser):
    email, changed = "una@acme.test", "another horse battery staple"
    server.runcard("user", "create", email, "--password", PASSWORD, "--organization", "acme")
    assert stranger.log_in(email).path == "/"
    server.runcard("user", "password", email, "--password", changed, "--organization", "acme")
    assert stranger.open("/runs").path.startswith("/log-in")
    assert other.log_in(email).status == 401
    assert other.log_in(email, changed).path == "/"


def test_a_form_that_is_too_large_is_refused(stranger: Browser):
    assert stranger.send("/log-in", {"email": "a" * 20_000}).status == 413
    assert stranger.send("/log-in", {f"f{number}": "" for number in range(260)}).status == 400
