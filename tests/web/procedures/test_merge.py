"""Merging a procedure into another in the browser, and taking that back."""

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


def until_moved(browser: Browser, path: str) -> None:
    """Wait until no run of this procedure is on its way to or from it."""
    ends = time.monotonic() + DEADLINE_S
    while 'id="merging"' in browser.open(path).answer.text:
        assert time.monotonic() < ends


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
    until_moved(eve, target)
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


def test_a_merge_is_taken_back(server: Server, eve: Browser):
    acme = server.world.acme
    (source, a), (target, b) = made(eve, "Mistaken"), made(eve, "Right")
    ids = [path.rpartition("/")[2] for path in (source, target)]
    for identifier in (a, a, b):
        record(server, report(f"SPLIT-{identifier}", identifier), acme.fct.api_key)
    send(eve, f"{source}/merge", into=ids[1])
    until_moved(eve, target)
    record(server, report("SPLIT-LATER", a), acme.fct.api_key)

    told = eve.open(f"{target}/change")
    [form] = [one for one in told.all("form") if one["action"] == f"{target}/split"]
    assert form["method"] == "post"
    assert "It gets back 2 runs, with their versions." in told.text
    assert (
        f"What Right {b} ({b}) got since the merge stays there, whichever of the two was named: 1 run."
        in told.text
    )

    split = send(eve, f"{target}/split", source=ids[0], reason="Another fixture")
    assert split.path == target
    until_moved(eve, source)
    for path, count in ((source, 2), (target, 2)):
        assert eve.open(path).path == path
        assert len(eve.open(f"/runs?period=all&procedure={path.rpartition('/')[2]}").run_links) == count
    record(server, report("SPLIT-AFTER", a), acme.fct.api_key)
    assert len(eve.open(f"/runs?period=all&procedure={ids[0]}").run_links) == 3
    history = eve.open(source).text
    assert "took back the merge of procedure" in history
    assert "Another fixture" in history
    assert f"{target}/split" not in eve.open(f"{target}/change").answer.text
    # What is not merged cannot be split.
    again = send(eve, f"{target}/split", source=ids[0], reason="Again")
    assert again.status == 409
    assert "is not merged into" in again.text


def test_a_merge_that_is_not_taken_back_stays(server: Server, eve: Browser, vic: Browser, gus: Browser):
    (source, _), (target, _) = made(eve, "Stays"), made(eve, "Here")
    ids = [path.rpartition("/")[2] for path in (source, target)]
    send(eve, f"{source}/merge", into=ids[1])
    for browser, fields, status in (
        (vic, {"reason": "why", "source": ids[0]}, 403),
        (gus, {"reason": "why", "source": ids[0]}, 404),
        (eve, {"reason": " ", "source": ids[0]}, 400),
        (eve, {"reason": "x" * 501, "source": ids[0]}, 400),
        (eve, {"reason": "why", "source": "no id"}, 404),
        (eve, {"reason": "why"}, 404),
        (eve, {"reason": "why", "source": ids[1]}, 409),
    ):
        token = browser.open("/runs").hidden_fields["form_token"]
        assert browser.send(f"{target}/split", {"form_token": token, **fields}).status == status
    assert eve.open(source).path == target


def test_the_preview_names_the_stations_that_may_report_more(server: Server, eve: Browser):
    acme = server.world.acme
    (source, a), (target, b) = made(eve, "Linked"), made(eve, "Linking")
    into = target.rpartition("/")[2]
    assert f"No other station than now may report {b}." in eve.open(f"{source}/merge?into={into}").text
    names = [f"{name} {a}" for name in ("First", "Second")]
    for name in names:
        server.runcard("station", "create", name, "--procedure", a, "--organization", acme.slug)
    shown = eve.open(f"{source}/merge?into={into}").text
    assert f"Because of the merge, {', '.join(names)} may report {b} too." in shown
