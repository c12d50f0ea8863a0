"""Comments, tags and causes on pages, in a browser without JavaScript."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from runcard.domain.ids import RunPart, part_id
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

SCRIPT = '<script>alert("1")</script>'
LONG = "ベルリン工場の第三検査ラインで見つかった冷間はんだ接合部の不具合を示す長い名前のタグです" + "長" * 17


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    """Acme's engineer over REST."""
    headers = {"Authorization": f"Bearer {server.world.acme.engineer.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api", headers=headers, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def run(server: Server) -> str:
    """The path of a run with a phase and a measurement."""
    phase = {
        "name": "Burn-in",
        "outcome": "PASS",
        "start_time_millis": 1_700_000_000_000,
        "end_time_millis": 1_700_000_001_000,
        "measurements": [{"name": "vcc", "outcome": "PASS", "measured_value": 3.3}],
    }
    body = report(f"SN-{uuid4().hex[:8]}")
    return record(server, body | {"phases": [phase]})


def send(browser: Browser, path: str, fields: dict[str, str], page: str) -> Page:
    """Send a form of a page to a path."""
    return browser.send(path, {"form_token": browser.open(page).hidden_fields["form_token"], **fields})


def comment(browser: Browser, run: str, text: str, files: Any = None) -> Page:
    token = browser.open(run).hidden_fields["form_token"]
    path = f"{run.replace('/runs/', '/notes/')}/comments"
    sent = files or [("files", ("", b""))]
    return Page(browser.http.post(path, data={"form_token": token, "text": text}, files=sent))


def notes_path(run: str) -> str:
    return run.replace("/runs/", "/notes/")


def new_tag(api: httpx.Client, name: str | None = None, **more: str) -> str:
    made = api.post("/tags", json={"name": name or f"Tag {uuid4().hex[:6]}", **more})
    assert made.status_code == 200, made.text
    return str(made.json()["name"])


def chips(page: Page) -> list[str]:
    """The colours of the tags that a page shows."""
    return [one["data-colour"] for one in page.all("span") if one.get("class") == "topic"]


def test_a_comment_is_shown_as_markdown_and_never_as_html(server: Server, eve: Browser, run: str) -> None:
    ada = server.world.acme.admin
    page = comment(eve, run, f"**Bad** joint, @{ada.email}\n\n{SCRIPT} [x](javascript:alert(1))")
    assert page.path == run
    assert "<strong>Bad</strong>" in page.answer.text
    assert f'<span class="mention">@{ada.name}</span>' in page.answer.text
    assert SCRIPT not in page.answer.text
    assert not [link for link in page.links if "javascript" in link]
    assert "commented on a run of unit" in page.text


def test_a_comment_is_edited_and_deleted_by_whoever_wrote_it_and_by_admins(
    ada: Browser, eve: Browser, run: str, api: httpx.Client
) -> None:
    thing_id = run.removeprefix("/runs/")
    comment(ada, run, "Of the admin")
    page = comment(eve, run, "Of the engineer")
    forms = [one["action"] for one in page.all("form") if "/comments/" in one["action"]]
    (of_admin, of_engineer) = [
        one["id"] for one in api.get("/comments", params={"thing_id": thing_id}).json()["data"]
    ]
    assert all(of_engineer in one for one in forms)
    assert len(forms) == 2
    edited = send(eve, f"{notes_path(run)}/comments/{of_engineer}", {"text": "Better"}, run)
    assert "Better" in edited.text
    assert ", edited" in edited.text
    refused = send(eve, f"{notes_path(run)}/comments/{of_admin}", {"text": "x"}, run)
    assert refused.status == 403
    gone = send(ada, f"{notes_path(run)}/comments/{of_engineer}/delete", {}, run)
    assert "deleted a comment on a run of unit" in gone.text
    left = api.get("/comments", params={"thing_id": thing_id}).json()["data"]
    assert [one["text"] for one in left] == ["Of the admin"]


def test_what_was_written_is_kept_when_it_is_refused(eve: Browser, run: str) -> None:
    text = "ö" * 10_001
    page = comment(eve, run, text)
    assert page.status == 400
    assert "text has 10001 characters; use at most 10000" in page.text
    assert text in page.text
    assert comment(eve, run, "ö😀" * 5000).path == run
    assert comment(eve, run, "x" * 1_000_000).status in (400, 413)
    assert comment(eve, run, " ").status == 400


def test_a_preview_shows_a_comment_and_writes_nothing(server: Server, eve: Browser, run: str) -> None:
    token = eve.open(run).hidden_fields["form_token"]
    text = f"*Not yet*, @{server.world.acme.admin.email}"
    sent = {"form_token": token, "text": text, "preview": "yes"}
    page = Page(eve.http.post(f"{notes_path(run)}/comments", data=sent, files=[("files", ("", b""))]))
    assert (page.status, page.path) == (200, f"{notes_path(run)}/comments")
    assert "<em>Not yet</em>" in page.answer.text
    assert '<span class="mention">' in page.answer.text
    assert text in page.text
    assert "Not yet" not in eve.open(run).text
    empty = Page(
        eve.http.post(f"{notes_path(run)}/comments", data={**sent, "text": ""}, files=[("files", ("", b""))])
    )
    assert empty.status == 400


def test_a_comment_has_files(eve: Browser, vic: Browser, gus: Browser, run: str) -> None:
    page = comment(eve, run, "See", [("files", ("../日本.txt", b"content")), ("files", ("b.html", b"<b>"))])
    links = [link for link in page.links if "/files/" in link]
    assert "日本.txt" in page.text
    answers = [vic.http.get(link) for link in links]
    assert [answer.content for answer in answers] == [b"content", b"<b>"]
    assert {answer.headers["content-type"] for answer in answers} == {"application/octet-stream"}
    assert {gus.http.get(link).status_code for link in links} == {404}


def test_tags_are_added_made_and_removed(eve: Browser, api: httpx.Client, run: str) -> None:
    name = new_tag(api, colour="pink")
    page = send(eve, f"{notes_path(run)}/tags", {"add": name}, run)
    assert (page.path, chips(page)) == (run, ["pink"])
    page = send(eve, f"{notes_path(run)}/tags", {"new": LONG[:60], "colour": "teal"}, run)
    assert sorted(chips(page)) == ["pink", "teal"]
    again = send(eve, f"{notes_path(run)}/tags", {"new": LONG[:60], "colour": "teal"}, run)
    assert again.status == 409
    assert "already exists" in again.text
    listed = eve.open(f"/runs?tag={name}")
    assert listed.run_links[:1] == [run]
    assert chips(listed)
    page = send(eve, f"{notes_path(run)}/tags", {"remove": name}, run)
    assert chips(page) == ["teal"]
    assert "changed the tags of" in page.text
    assert send(eve, f"{notes_path(run)}/tags", {"add": "No such tag"}, run).status == 404


def test_a_cause_is_chosen_from_the_tree(eve: Browser, api: httpx.Client, run: str) -> None:
    top, leaf = f"T-{uuid4().hex[:6]}", f"L-{uuid4().hex[:6]}"
    api.post("/causes", json={"code": top, "name": "Product"})
    api.post("/causes", json={"code": leaf, "name": "Cold joint", "parent": top})
    page = send(eve, f"{notes_path(run)}/cause", {"cause": leaf}, run)
    assert [one["value"] for one in page.all("option") if "selected" in one] == [leaf]
    assert "\N{EM SPACE}Cold joint" in page.answer.text
    assert eve.open(f"/runs?cause={top}").run_links[:1] == [run]
    (cause,) = [one for one in api.get("/causes").json()["data"] if one["code"] == leaf]
    api.patch(f"/causes/{cause['id']}", json={"archived": True})
    assert "Cold joint, archived" in eve.open(run).text
    page = send(eve, f"{notes_path(run)}/cause", {"cause": ""}, run)
    assert "Cold joint, archived" not in page.text
    assert send(eve, f"{notes_path(run)}/cause", {"cause": leaf}, run).status == 409


def test_every_kind_of_thing_has_the_section(
    server: Server, eve: Browser, run: str, api: httpx.Client
) -> None:
    unit = api.get(f"/v2/runs/{run.removeprefix('/runs/')}").json()["unit"]
    number = uuid4().hex
    batch = api.post("/v2/batches", json={"number": number}).json()["id"]
    station = str(server.world.acme.ict.actor.station_id)
    name = new_tag(api, colour="green")
    homes = {
        unit["id"]: f"/units/{unit['serial_number']}",
        batch: f"/batches/{number}",
        station: f"/stations/{station}",
    }
    for thing_id, path in homes.items():
        page = send(eve, f"/notes/{thing_id}/tags", {"add": name}, path)
        assert page.path == path
        assert "green" in chips(page)
        assert eve.open(f"/notes/{thing_id}").status == 200
    for path in ("/units", "/batches", "/stations"):
        listed = eve.open(f"{path}?tag={name}")
        assert "green" in chips(listed), path
        assert len(listed.rows) == 2


def test_phases_and_measurements_have_a_page_of_notes(eve: Browser, run: str) -> None:
    run_id = UUID(run.removeprefix("/runs/"))
    page = eve.open(run)
    for part, about in ((RunPart.PHASE, "phase Burn-in"), (RunPart.MEASUREMENT, "measurement vcc")):
        link = f"/notes/{part_id(run_id, part, 0)}"
        assert link in page.links
        notes = eve.open(link)
        assert f"Notes on {about} of unit" in notes.text
        assert run in notes.links
        token = notes.hidden_fields["form_token"]
        sent = {"form_token": token, "text": "Odd"}
        after = Page(eve.http.post(f"{link}/comments", data=sent, files=[("files", ("", b""))]))
        assert (after.path, after.status) == (link, 200)
    counted = eve.open(run)
    assert [one["class"] for one in counted.all("a") if "note" in one.get("class", "").split()] == [
        "note has-notes"
    ] * 2


def test_long_threads_show_the_newest_and_lead_to_the_earlier(
    eve: Browser, run: str, api: httpx.Client
) -> None:
    thing_id = run.removeprefix("/runs/")
    for number in range(23):
        api.post("/comments", json={"thing_id": thing_id, "text": f"Number {number:02}"})
    page = eve.open(run)
    assert "Number 22" in page.text
    assert "Number 02" not in page.text
    (earlier,) = [link for link in page.links if "before=" in link]
    before = eve.open(earlier)
    assert [f"Number {n:02}" in before.text for n in (0, 2, 3)] == [True, True, False]


def test_a_comment_leads_to_its_thing(eve: Browser, run: str, api: httpx.Client) -> None:
    thing_id = run.removeprefix("/runs/")
    made = api.post("/comments", json={"thing_id": thing_id, "text": "x"}).json()["id"]
    assert eve.open(f"/notes/{made}").path == notes_path(run)
    assert eve.open(f"/notes/{uuid4()}").status == 404
    assert eve.open("/notes/x").status == 404


def test_viewers_read_and_have_no_forms(vic: Browser, eve: Browser, run: str) -> None:
    comment(eve, run, "Seen")
    page = vic.open(run)
    assert "Seen" in page.text
    assert not [one for one in page.all("form") if one.get("action", "").startswith("/notes/")]
    for path in ("comments", "tags", "cause"):
        answer = vic.http.post(
            f"{notes_path(run)}/{path}", data={"form_token": page.hidden_fields["form_token"]}
        )
        assert answer.status_code == 403


def test_a_form_needs_the_token_of_its_page(eve: Browser, run: str, api: httpx.Client) -> None:
    name = new_tag(api)
    assert eve.send(f"{notes_path(run)}/tags", {"add": name}).status == 403
    sent = Page(
        eve.http.post(f"{notes_path(run)}/comments", data={"text": "x"}, files=[("files", ("", b""))])
    )
    assert sent.status == 403


def test_strangers_see_no_notes_of_another_organization(gus: Browser, eve: Browser, run: str) -> None:
    comment(eve, run, "Ours")
    token = gus.open("/settings/tags").hidden_fields["form_token"]
    assert gus.open(notes_path(run)).status == 404
    for path in ("tags", "cause"):
        assert gus.send(f"{notes_path(run)}/{path}", {"form_token": token}).status == 404


def test_the_settings_of_tags(ada: Browser, vic: Browser) -> None:
    here = "/settings/tags"
    name = f"Tag {uuid4().hex[:6]}"
    page = ada.fill(here, {"name": name, "colour": "orange"})
    assert page.path == here
    assert "orange" in chips(page)
    assert "already exists" in ada.fill(here, {"name": name.upper(), "colour": "red"}).text
    assert ada.fill(here, {"name": "x", "colour": "url(x)"}).status == 400
    (action,) = {row_action(page, name)}
    renamed = send(ada, action, {"name": f"{name} B", "colour": "grey"}, here)
    assert f"{name} B" in renamed.text
    assert "archived" in send(ada, f"{action}/archive", {"archived": "yes"}, here).text
    gone = send(ada, f"{action}/delete", {}, here)
    assert name not in gone.text
    viewed = vic.open(here)
    assert viewed.status == 200
    token = viewed.hidden_fields["form_token"]
    assert vic.send(here, {"form_token": token, "name": "x", "colour": "red"}).status == 403


def row_action(page: Page, name: str) -> str:
    """Where the form that changes a tag or a cause is sent."""
    text = page.answer.text
    start = text.index("<tr", text.index("<tbody"))
    row = next(one for one in text[start:].split("</tr>") if name in one)
    return row.split('<form method="post" action="')[1].split('"')[0]


def test_the_settings_of_causes(ada: Browser) -> None:
    here = "/settings/causes"
    top, leaf = f"Top {uuid4().hex[:6]}", f"Leaf {uuid4().hex[:6]}"
    ada.fill(here, {"code": top, "name": top, "parent": ""})
    page = ada.fill(here, {"code": leaf, "name": leaf, "parent": top})
    assert page.path == here
    action = row_action(page, f'"/runs?cause={top.replace(" ", "+")}"')
    refused = send(ada, action, {"code": top, "name": top, "parent": leaf}, here)
    assert refused.status == 400
    assert "cannot stand below itself" in refused.text
    of_leaf = row_action(page, f'"/runs?cause={leaf.replace(" ", "+")}"')
    moved = send(ada, of_leaf, {"code": leaf, "name": f"{leaf} B", "parent": ""}, here)
    assert f"{leaf} B" in moved.text
    assert leaf not in send(ada, f"{of_leaf}/delete", {}, here).text
