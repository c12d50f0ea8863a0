"""Voiding many runs at once: ticked ones, or all that the filter of the list finds."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def serial() -> str:
    return f"MANY-{uuid4().hex[:8]}"


@pytest.fixture
def paths(server: Server, serial: str) -> list[str]:
    """Twelve runs of one unit, more than the preview shows."""
    return [
        record(server, report(serial, run_passed=False, started_at=f"2026-05-04T05:06:{second:02}Z"))
        for second in range(12)
    ]


def send(browser: Browser, page: Page, deed: str, **fields: str) -> Page:
    """Send the form of the preview that does this to the runs."""
    counts = re.findall(
        rf'name="deed" value="{deed}">\s*<input[^>]*name="count" value="(\d+)"', page.answer.text
    )
    [action] = {
        form["action"] for form in page.all("form") if str(form.get("action")).startswith("/bulk/runs")
    }
    token = page.hidden_fields["form_token"]
    return browser.send(action, {"form_token": token, "deed": deed, "count": counts[0], **fields})


def test_all_that_a_filter_finds(eve: Browser, paths: list[str], serial: str) -> None:
    listed = eve.open(f"/runs?serial={serial}")
    [offered] = [link for link in listed.links if link.startswith("/bulk/runs?")]
    preview = eve.open(offered)
    assert "12 runs" in preview.text
    assert "and 2 more" in preview.text
    done = send(eve, preview, "void", reason="Calibration of the meter had run out")
    assert done.status == 200
    assert "12 runs are voided" in done.text
    assert all("No figure counts this run" in eve.open(path).text for path in paths[::5])
    [undo] = [str(form["action"]) for form in done.all("form") if "undo" in str(form.get("action"))]
    assert eve.send(undo, done.hidden_fields).path == "/runs"
    assert not any("No figure counts this run" in eve.open(path).text for path in paths)
    assert "(reason: Undone)" in eve.open(paths[0]).text
    assert eve.send(undo, done.hidden_fields).status == 409
    assert "These runs count" in eve.open(done.path).text


def test_those_that_were_ticked(eve: Browser, paths: list[str], serial: str) -> None:
    ids = [path.removeprefix("/runs/") for path in paths[:2]]
    assert ids[0] in eve.open(f"/runs?serial={serial}").answer.text
    preview = eve.open(f"/bulk/runs?ids={ids[0]}&ids={ids[1]}")
    assert "2 runs" in preview.text
    assert "that you ticked" in preview.text
    send(eve, preview, "void", reason="x")
    assert ["No figure counts" in eve.open(path).text for path in paths[:3]] == [True, True, False]
    again = eve.open(f"/bulk/runs?serial={serial}")
    assert "Void: 10 runs" in again.text
    assert "Let count again: 2 runs" in again.text
    back = send(eve, again, "unvoid")
    assert (back.status, back.path) == (200, f"/runs?serial={serial}")
    assert "No figure counts" not in eve.open(paths[0]).text


def test_many_are_corrected_and_taken_back(eve: Browser, paths: list[str], serial: str) -> None:
    url = f"/bulk/runs?serial={serial}"
    preview = eve.open(url)
    assert "Take corrections back" not in preview.text
    fields = {"operator": "Ana-Lucía", "none.batch_number": "yes", "reason": "Wrong log-in"}
    done = send(eve, preview, "correct", **fields)
    assert "12 runs changed." in done.text
    assert "Take corrections back: 12 runs" in done.text
    shown = eve.open(paths[3])
    assert "The report said: operator nothing" in " ".join(shown.text.split())
    assert "(reason: Wrong log-in)" in shown.text
    again = send(eve, done, "correct", **fields)
    assert (again.status, "so already" in again.text) == (409, True)
    back = send(eve, done, "uncorrect", reason="Right after all")
    assert "12 runs changed." in back.text
    assert "The report said" not in eve.open(paths[3]).text


def test_what_changed_meanwhile_is_said_and_nothing_is_done(
    server: Server, eve: Browser, paths: list[str], serial: str
) -> None:
    preview = eve.open(f"/bulk/runs?serial={serial}")
    record(server, report(serial))
    refused = send(eve, preview, "void", reason="x")
    assert refused.status == 409
    assert "There are 13 runs now, not 12" in refused.text
    assert "No figure counts" not in eve.open(paths[0]).text


def test_without_a_tick_none_is_found(eve: Browser, paths: list[str], serial: str) -> None:
    listed = eve.open(f"/runs?serial={serial}")
    assert ("ticked", "yes") in [(one.get("name"), one.get("value")) for one in listed.all("button")]
    nothing = eve.open("/bulk/runs?ticked=yes")
    assert "0 runs" in nothing.text
    assert "No run matches" in nothing.text
    token = eve.open("/runs").hidden_fields["form_token"]
    fields = {"form_token": token, "deed": "void", "reason": "x", "count": "0"}
    assert eve.send("/bulk/runs?ticked=yes", fields).status == 409
    assert "No figure counts" not in eve.open(paths[0]).text


def test_of_strange_ids_none_is_found(eve: Browser) -> None:
    assert eve.open("/bulk/runs?ids=x").status == 400
    many = "&".join(f"ids={uuid4()}" for _ in range(50))
    assert "No run matches" in eve.open(f"/bulk/runs?{many}").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"deed": "void", "count": "12", "reason": " "}, 400),
        ({"deed": "delete", "count": "12", "reason": "x"}, 400),
        ({"deed": "void", "count": "many", "reason": "x"}, 400),
        ({"deed": "void", "count": "", "reason": "x"}, 409),
        ({"deed": "unvoid", "count": "12"}, 409),
        ({"deed": "uncorrect", "count": "12", "reason": "x"}, 409),
        ({"deed": "correct", "count": "12", "reason": "x"}, 400),
        ({"deed": "correct", "count": "12", "operator": "Ana"}, 400),
        ({"deed": "correct", "count": "11", "operator": "Ana", "reason": "x"}, 409),
        ({"deed": "correct", "count": "12", "part_number": "NO-SUCH", "reason": "x"}, 404),
    ],
)
def test_bad_fields(eve: Browser, paths: list[str], serial: str, fields: dict[str, str], status: int) -> None:
    url = f"/bulk/runs?serial={serial}"
    token = eve.open(url).hidden_fields["form_token"]
    assert eve.send(url, {"form_token": token, **fields}).status == status
    assert "No figure counts" not in eve.open(paths[0]).text


def test_who_may(eve: Browser, vic: Browser, gus: Browser, paths: list[str], serial: str) -> None:
    url = f"/bulk/runs?serial={serial}"
    tagging = {"deed": "tag", "count": "12", "tag": "x"}
    assert not [link for link in vic.open(f"/runs?serial={serial}").links if "bulk" in link]
    assert vic.open(url).status == 403
    fields = {"deed": "void", "count": "12", "reason": "x"}
    token = vic.open("/runs").hidden_fields["form_token"]
    commenting = {"deed": "comment", "count": "12", "text": "x"}
    correcting = {"deed": "correct", "count": "12", "operator": "Ana", "reason": "x"}
    for sent in (fields, tagging, commenting, correcting):
        assert vic.send(url, {"form_token": token, **sent}).status == 403
    assert "No run matches" in gus.open(url).text
    token = gus.open("/runs").hidden_fields["form_token"]
    assert gus.send(url, {"form_token": token, **fields}).status == 409
    assert eve.send(url, {"form_token": "made-up", **fields}).status == 403
    assert "No figure counts" not in eve.open(paths[0]).text


def test_many_are_tagged_and_given_a_cause(
    server: Server, eve: Browser, paths: list[str], serial: str
) -> None:
    key = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    for path, body in (
        ("tags", {"name": f"tag {serial}"}),
        ("causes", {"code": serial, "name": f"cause {serial}"}),
    ):
        answer = httpx.post(f"{server.url}/api/{path}", json=body, headers=key, timeout=DEADLINE_S)
        assert answer.status_code == 200, answer.text
    url = f"/bulk/runs?serial={serial}"
    fields = {"form_token": eve.open(url).hidden_fields["form_token"], "count": "12"}
    tagged = eve.send(url, {**fields, "deed": "tag", "tag": f"tag {serial}"})
    assert "12 runs changed." in tagged.text
    assert "0 runs changed." in eve.send(url, {**fields, "deed": "tag", "tag": f"tag {serial}"}).text
    assert len(eve.open(f"/runs?tag=tag+{serial}").run_links) == len(paths)
    assert "12 runs changed." in eve.send(url, {**fields, "deed": "cause", "cause": serial}).text
    assert f"cause {serial}" in eve.open(paths[0]).text
    assert "12 runs changed." in eve.send(url, {**fields, "deed": "untag", "tag": f"tag {serial}"}).text
    assert eve.open(f"/runs?tag=tag+{serial}").run_links == []
    assert eve.send(url, {**fields, "deed": "tag", "tag": "unknown"}).status == 404
    assert eve.send(url, {**fields, "count": "11", "deed": "tag", "tag": f"tag {serial}"}).status == 409


def test_many_get_the_same_comment(server: Server, eve: Browser, paths: list[str], serial: str) -> None:
    url = f"/bulk/runs?serial={serial}"
    preview = eve.open(url)
    assert "Comment on 12 runs" in preview.text
    text = f"**Hold**: @{server.world.acme.admin.email} " + "蓋" * 5_000
    done = send(eve, preview, "comment", text=text)
    assert "12 runs changed." in done.text
    for path in (paths[0], paths[-1]):
        shown = eve.open(path)
        assert "<strong>Hold</strong>" in shown.answer.text
        assert '<span class="mention"' in shown.answer.text
        assert shown.text.count("commented on a run of unit") == 1
    for refused in (" ", "x" * 10_001):
        assert send(eve, preview, "comment", text=refused).status == 400
    record(server, report(serial))
    assert send(eve, preview, "comment", text="Once more").status == 409
    assert "Once more" not in eve.open(paths[0]).text


def test_a_comment_on_runs_of_others_is_refused(server: Server, gus: Browser, paths: list[str]) -> None:
    url = f"/bulk/runs?ids={paths[0].removeprefix('/runs/')}"
    token = gus.open("/runs").hidden_fields["form_token"]
    fields = {"form_token": token, "deed": "comment", "count": "1", "text": "Mine"}
    assert gus.send(url, fields).status == 409
    assert gus.send(url, {**fields, "count": "0"}).status == 409
