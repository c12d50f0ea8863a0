"""Merging a procedure into another in the browser."""

import time
from uuid import uuid4

import pytest

from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


def made(browser: Browser, name: str) -> tuple[str, str]:
    """Address and identifier of a new procedure."""
    identifier = f"{name}-{uuid4().hex[:6]}".upper()
    page = browser.fill("/procedures", {"name": f"{name} {identifier}", "identifier": identifier})
    assert page.status == 200, page.text
    return page.path, identifier


def send(browser: Browser, path: str, **fields: str) -> Page:
    token = browser.open("/stations").hidden_fields["form_token"]
    return browser.send(path, {"form_token": token, **fields})


def test_it_is_shown_before_and_done_then(server: Server, eve: Browser, ada: Browser):
    acme = server.world.acme
    (source, a), (target, b) = made(eve, "Twice"), made(eve, "Once")
    into = target.rpartition("/")[2]
    for identifier, serial, second, passed in (
        (a, "MERGE-1", 1, False),
        (a, "MERGE-2", 2, True),
        (b, "MERGE-1", 3, True),
        (b, "MERGE-3", 4, True),
    ):
        body = report(serial, identifier, run_passed=passed, started_at=f"2026-05-04T05:06:0{second}Z")
        run = record(server, body, acme.fct.api_key)

    assert f"{source}/merge" in eve.open(f"{source}/change").links
    shown = eve.open(f"{source}/merge?into={into}")
    assert [row[1:] for row in shown.rows[1:]] == [
        ["2", "2", "50.0 %", "1"],
        ["2", "2", "100.0 %", "1"],
        # The first run of MERGE-1 failed, and was the source's.
        ["4", "3", "66.7 %", "1"],
    ]
    assert "1 unit ran in both. Their 2 attempts are numbered again" in shown.text
    assert "/units/MERGE-1" in shown.links

    merged = send(eve, f"{source}/merge", into=into)
    assert merged.path == target
    ends = time.monotonic() + DEADLINE_S
    while 'id="merging"' in eve.open(target).answer.text:
        assert time.monotonic() < ends
    told = eve.open(f"{target}/change")
    [line] = [row for row in told.rows if f"({a})" in row[0]]
    assert (line[1], line[3]) == ("2", "Eve")
    # What led to it leads on, the query too.
    assert eve.open(f"{source}?period=all").path == f"{target}?period=all"
    assert eve.open(f"/procedures/{a}").path == target
    assert len(eve.open(f"/runs?period=all&procedure={source.rpartition('/')[2]}").run_links) == 4
    assert source not in eve.open("/procedures").links
    assert [one for one in eve.open("/").answer.text.split("<option") if a in one] == []
    assert eve.open(run).status == 200
    # What is left to be deleted or merged is the target.
    assert send(ada, f"{source}/delete").status == 409
    assert send(eve, f"{source}/merge", into=into).status == 409


def test_nothing_is_chosen_at_first(server: Server, eve: Browser):
    page = eve.open(f"/procedures/{server.world.acme.board.id}/merge")
    assert page.status == 200
    assert "What would happen" not in page.text
    assert f"/procedures/{server.world.acme.board.id}/merge" not in [
        form["action"] for form in page.all("form") if form.get("method") == "post"
    ]


@pytest.mark.parametrize(
    ("into", "status"), [("no id", 404), ("01234567-89ab-7cde-8f01-23456789abcd", 404), ("", 404)]
)
def test_what_is_not_there_is_no_target(server: Server, eve: Browser, into: str, status: int):
    board = f"/procedures/{server.world.acme.board.id}"
    assert send(eve, f"{board}/merge", into=into).status == status
    assert eve.open(board).path == board


def test_viewers_and_other_organizations_merge_nothing(server: Server, vic: Browser, gus: Browser):
    board, final = server.world.acme.board, server.world.acme.final
    path = f"/procedures/{board.id}/merge"
    for browser, status in ((vic, 403), (gus, 404)):
        assert browser.open(f"{path}?into={final.id}").status == status
        token = browser.open("/runs").hidden_fields["form_token"]
        assert browser.send(path, {"form_token": token, "into": str(final.id)}).status == status
    # Nor into one of another organization.
    theirs = f"/procedures/{server.world.globex.board.id}/merge"
    assert send(gus, theirs, into=str(final.id)).status == 404
    assert "Board" in vic.open(f"/procedures/{board.id}").text
