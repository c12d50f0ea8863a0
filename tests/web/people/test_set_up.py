"""The one-time link that an installation is set up with."""

import html
import re
import shlex
from pathlib import Path

import httpx
import pytest

from runcard.auth.tokens import digest_of, new_token
from runcard.store.people.sessions import create_setup_link
from tests.acceptance.environments import current_environment
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """One of the module's own: it looks at the installation."""
    return own_server


def snippet(page: Page, name: str) -> str:
    """A text to copy, as it is copied."""
    [found] = re.findall(rf'<pre id="{name}"[^>]*>(.*?)</pre>', page.answer.text, re.DOTALL)
    return html.unescape(found)


def open_link(server: Server) -> str:
    token = new_token("setup")
    server.change(lambda tx: create_setup_link(tx, digest_of(token)))
    return f"/setup/{token}"


def test_a_link_sets_up_once(server: Server, stranger: Browser):
    link = open_link(server)
    shown = stranger.open(link)
    fields = {"organization": "Initech", "email": "pat@initech.test", "password": PASSWORD}
    filled = {**shown.hidden_fields, **fields}

    done = stranger.send(link, filled)
    assert done.status == 200
    assert "Initech is ready" in done.text
    assert done.answer.headers["cache-control"] == "no-store"

    # The key works, and the browser is logged in: the list says how to go on.
    [api_key] = set(re.findall(r"rc_[\w-]{43}", done.text))
    with server.client(api_key) as client:
        assert client.get("/runs", params={"serial_number": "none"}).json()["result"] == []
    first = stranger.open("/runs")
    assert "No runs yet" in first.text
    assert f"curl {server.url}/api/v1/runs" in first.text
    assert "Each run belongs to a procedure. First make one" in first.text
    assert "/procedures" in first.links

    for page in (stranger.open(link), stranger.send(link, filled)):
        assert page.status == 404
        assert "was used already" in page.text


def test_runs_and_changes_show_who_set_up(server: Server, stranger: Browser):
    link = open_link(server)
    filled = {
        "organization": "Stark",
        "email": "pep@stark.test",
        "password": PASSWORD,
        "person": " Pepper Ürüm ",
        "procedure": "Suit",
    }
    refused = stranger.fill(link, {**filled, "person": "x" * 256})
    assert (refused.status, "is no name" in refused.text) == (400, True)
    [key] = set(re.findall(r"rc_[\w-]{43}", stranger.fill(link, filled).text))
    run = record(server, report("NAMED"), key)
    assert "Pepper Ürüm" in stranger.open(run).text


def test_the_page_that_waits_for_a_first_run_looks_by_itself(server: Server, stranger: Browser):
    fields = {"organization": "Wayne", "email": "al@wayne.test", "procedure": "Cave", "password": PASSWORD}
    [key] = set(re.findall(r"rc_[\w-]{43}", stranger.fill(open_link(server), fields).text))
    for path in ("/", "/runs"):
        page = stranger.open(path)
        [waiting] = {one.attributes["hx-get"] for one in page.elements if "hx-get" in one.attributes}
        # Without JavaScript, the reader looks.
        assert path in page.links
    before = stranger.http.get(waiting)
    assert (before.status_code, before.headers.get("hx-refresh")) == (204, None)
    record(server, report("WAITED"), key)
    after = stranger.http.get(waiting)
    assert (after.status_code, after.headers.get("hx-refresh")) == (204, "true")
    for path in ("/", "/runs"):
        assert waiting not in stranger.open(path).answer.text


def test_the_new_admin_can_log_in(server: Server, stranger: Browser):
    fields = {"organization": "Umbrella", "email": "uma@umbrella.test", "password": PASSWORD}
    stranger.fill(open_link(server), fields)
    assert stranger.log_out().path == "/log-in"
    assert stranger.log_in("uma@umbrella.test", PASSWORD).path == "/"


def test_an_unknown_link_says_so(stranger: Browser):
    page = stranger.open("/setup/setup_made-up")
    assert page.status == 404
    assert "set-up link is unknown" in page.text


def test_what_is_wrong_is_told_and_the_link_stays_open(server: Server, stranger: Browser):
    link = open_link(server)
    good = {"organization": "Hooli", "email": "hal@hooli.test", "password": PASSWORD}
    for wrong, status, told in (
        ({"password": "short"}, 400, "Password has 5 characters; use at least 10"),
        ({"email": "no address"}, 400, "is no e-mail address"),
        ({"organization": " "}, 400, "Name is empty"),
        ({"organization": "Acme"}, 409, "Organization Acme already exists"),
        ({"email": server.world.acme.admin.email}, 409, "already exists"),
    ):
        page = stranger.fill(link, good | wrong)
        assert page.status == status
        assert told in page.text
        assert PASSWORD not in page.answer.text
    assert "Hooli is ready" in stranger.fill(link, good).text


def test_a_set_up_form_without_its_token_is_refused(server: Server, stranger: Browser):
    link = open_link(server)
    fields = {"organization": "Evil", "email": "eve@evil.test", "password": PASSWORD}
    assert stranger.send(link, fields).status == 403
    assert stranger.open(link).status == 200


def test_the_first_run_is_explained_with_a_procedure_that_is_there(server: Server, gus: Browser):
    procedure = server.world.globex.board.identifier
    page = gus.open("/runs")
    assert f'"procedure_id": "{procedure}"' in page.text
    assert "Each run belongs to a procedure. First make one" not in page.text
    run = record(server, report("FIRST", procedure), server.world.globex.admin.api_key)
    assert gus.open("/runs").run_links == [run]


def test_the_snippets_send_runs_as_they_are(server: Server, stranger: Browser, tmp_path: Path):
    fields = {"organization": "Vandelay", "email": "art@vandelay.test", "procedure": "Latex <b>"}
    done = stranger.fill(open_link(server), {**fields, "password": PASSWORD})
    assert "To Latex <b> (FVT1)" in done.text
    assert "Each run belongs to a procedure. First make one" not in done.text

    # Each reports the same unit: three runs of it.
    for name in ("send-client", "send-openhtf"):
        current_environment().run(tmp_path, "-c", snippet(done, name), variables={"HOME": str(tmp_path)})
    command = shlex.split(snippet(done, "send-curl").replace("\\\n", ""))
    assert command[0] == "curl"
    headers = dict(one.split(": ", 1) for one in command if ": " in one and not one.startswith("{"))
    sent = httpx.post(command[1], headers=headers, content=command[-1], timeout=DEADLINE_S)
    assert sent.status_code == 200, sent.text
    listed = stranger.open("/runs")
    assert listed.outcomes == ["PASS"] * 3
    assert listed.text.count("SN-0001") == 3


def test_a_procedure_is_proposed_and_may_be_left_out(server: Server, stranger: Browser):
    link = open_link(server)
    [field] = [one for one in stranger.open(link).all("input") if one.get("name") == "procedure"]
    assert field["value"] == "Functional test"
    fields = {"organization": "Kramerica", "email": "kra@kramerica.test", "procedure": " "}
    done = stranger.fill(link, {**fields, "password": PASSWORD})
    assert "Each run belongs to a procedure. First make one" in done.text
    assert stranger.open("/runs").run_links == []
