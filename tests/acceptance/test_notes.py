"""Comments, tags and causes over REST: who may, what they leave in the trail, which runs they find, what is refused."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from runcard.domain.ids import RunPart, part_id
from tests.acceptance.conftest import Unchanged
from tests.acceptance.wire import create_run, measurement_of, phase_of, run_of
from tests.servers import DEADLINE_S, Server

Json = dict[str, Any]


def api(server: Server, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{server.url}/api", headers=headers, timeout=DEADLINE_S)


@pytest.fixture(scope="module")
def callers(server: Server) -> Iterator[dict[str, httpx.Client]]:
    """A client for each role, for stations, and for the admin of another organization."""
    acme, globex = server.world.acme, server.world.globex
    keys = {
        "admin": acme.admin.api_key,
        "engineer": acme.engineer.api_key,
        "viewer": acme.viewer.api_key,
        "ict": acme.ict.api_key,
        "fct": acme.fct.api_key,
        "lonely": acme.lonely.api_key,
        "stranger": globex.admin.api_key,
    }
    made = {name: api(server, key) for name, key in keys.items()}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(scope="module")
def engineer(callers: dict[str, httpx.Client]) -> httpx.Client:
    return callers["engineer"]


@pytest.fixture
def run_id(ict: httpx.Client, serial: str) -> str:
    """A run of ICT-1 with a phase and a measurement in it."""
    return create_run(ict, run_of(serial, steps=None, phases=[phase_of(measurement_of())]))


@pytest.fixture
def tag(engineer: httpx.Client) -> str:
    """The name of a tag that no test has used."""
    return str(new_tag(engineer)["name"])


def new_tag(client: httpx.Client, **body: Any) -> Json:
    return done(client.post("/tags", json={"name": f"Tag {uuid4().hex[:8]}", "colour": "teal", **body}))


def new_cause(client: httpx.Client, parent: str | None = None) -> Json:
    code = f"C-{uuid4().hex[:8]}"
    return done(client.post("/causes", json={"code": code, "name": f"Cause {code}", "parent": parent}))


def done(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def refused(answer: httpx.Response, status: int, *told: str) -> None:
    assert answer.status_code == status, answer.text
    assert all(one in answer.json()["error"]["message"] for one in told), answer.text


def note_of(client: httpx.Client, thing_id: str) -> Json:
    (note,) = done(client.get("/notes", params={"thing_ids": thing_id}))["data"]
    return dict(note)


def entries_of(server: Server, thing_id: str) -> list[Json]:
    """What the trail tells of a thing, oldest first."""
    with api(server, server.world.acme.admin.api_key) as admin:
        return list(reversed(done(admin.get("/trail", params={"thing_id": thing_id}))["data"]))


def things_of(callers: dict[str, httpx.Client], run_id: str) -> dict[str, str]:
    """The ids of one thing of each kind that may have notes."""
    run = done(callers["engineer"].get(f"/v2/runs/{run_id}"))
    batch = done(callers["engineer"].post("/v2/batches", json={"number": uuid4().hex}))
    station = done(callers["engineer"].post("/v2/stations", json={"name": uuid4().hex}))
    return {
        "run": run_id,
        "phase": str(part_id(UUID(run_id), RunPart.PHASE, 0)),
        "measurement": str(part_id(UUID(run_id), RunPart.MEASUREMENT, 0)),
        "unit": run["unit"]["id"],
        "batch": batch["id"],
        "station": station["id"],
    }


def test_each_kind_of_thing_has_comments_tags_and_a_cause(
    server: Server, callers: dict[str, httpx.Client], run_id: str, tag: str
) -> None:
    admin = callers["admin"]
    cause = new_cause(admin)
    for kind, thing_id in things_of(callers, run_id).items():
        done(admin.post("/comments", json={"thing_id": thing_id, "text": "Looks *odd*"}))
        done(admin.post("/tags/apply", json={"thing_ids": [thing_id], "add": [tag.upper()]}))
        given = {"thing_ids": [thing_id], "cause": cause["code"].lower()}
        assert done(admin.post("/causes/apply", json=given)) == {"changed_ids": [thing_id]}
        note = note_of(callers["viewer"], thing_id)
        assert note.pop("name")
        assert note == {
            "thing_id": thing_id,
            "kind": kind,
            "tags": [{"name": tag, "colour": "teal"}],
            "cause": {"code": cause["code"], "name": cause["name"]},
            "comment_count": 1,
        }
        told = [one for one in entries_of(server, thing_id) if one["door"] == "notes"]
        assert [one["kind"] for one in told] == ["comment_created", "thing_tagged", "thing_cause_changed"]
        assert [one["what"] for one in told[1:]] == [
            {"tags": [[], [tag]]},
            {"cause": [None, {"id": cause["id"], "name": f"{cause['code']} {cause['name']}"}]},
        ]
        assert told[0]["what"]["text"] == [None, "Looks *odd*"]


def test_notes_change_no_byte_of_the_run(
    server: Server, engineer: httpx.Client, run_id: str, tag: str
) -> None:
    document = done(engineer.get(f"/v2/runs/{run_id}"))
    done(engineer.post("/comments", json={"thing_id": run_id, "text": "Said"}))
    done(engineer.post("/tags/apply", json={"thing_ids": [run_id], "add": [tag]}))
    assert done(engineer.get(f"/v2/runs/{run_id}")) == document


def test_a_comment_is_written_edited_and_deleted(
    server: Server, callers: dict[str, httpx.Client], run_id: str
) -> None:
    ada = server.world.acme.admin
    engineer = callers["engineer"]
    body = {"thing_id": run_id, "text": f"  @{ada.email.upper()} please look, @nobody@else.example  "}
    made = done(engineer.post("/comments", json=body))
    assert made["mentions"] == [{"handle": f"@{ada.email.upper()}", "user_id": str(ada.actor.user_id)}]
    assert made["created_by_user"]["id"] == str(server.world.acme.engineer.actor.user_id)
    assert (made["text"], made["edited_at"], made["files"]) == (body["text"].strip(), None, [])
    edited = done(engineer.patch(f"/comments/{made['id']}", json={"text": "Done"}))
    assert (edited["text"], edited["mentions"]) == ("Done", [])
    assert edited["edited_at"] > made["created_at"]
    done(engineer.patch(f"/comments/{made['id']}", json={"text": "Done"}))
    for caller in ("ict", "fct"):
        refused(
            callers[caller].patch(f"/comments/{made['id']}", json={"text": "x"}), 403, "Only whoever wrote"
        )
    done(callers["admin"].delete(f"/comments/{made['id']}"))
    refused(engineer.delete(f"/comments/{made['id']}"), 404, "Comment not found")
    assert done(engineer.get("/comments", params={"thing_id": run_id}))["data"] == []
    told = entries_of(server, run_id)
    assert [one["kind"] for one in told] == ["comment_created", "comment_changed", "comment_withdrawn"]
    assert told[1]["what"]["text"] == [body["text"].strip(), "Done"]
    assert told[2]["what"]["text"] == ["Done", None]
    assert {one["thing_id"] for one in told} == {made["id"]}


def test_comments_are_paged_oldest_first(engineer: httpx.Client, run_id: str) -> None:
    for number in range(5):
        done(engineer.post("/comments", json={"thing_id": run_id, "text": str(number)}))
    texts: list[str] = []
    query: Json = {"thing_id": run_id, "limit": 2}
    while True:
        page = done(engineer.get("/comments", params=query))
        texts += [one["text"] for one in page["data"]]
        if not page["meta"]["has_more"]:
            break
        query["cursor"] = page["meta"]["next_cursor"]
    assert texts == ["0", "1", "2", "3", "4"]


def test_a_comment_has_files_which_are_needed_from_then_on(engineer: httpx.Client, run_id: str) -> None:
    slot = done(engineer.post("/v2/attachments", json={"name": "photo.png"}))
    body = {"thing_id": run_id, "text": "See", "file_ids": [slot["id"]]}
    refused(engineer.post("/comments", json=body), 404, slot["id"])
    assert httpx.put(slot["upload_url"], content=b"png", timeout=DEADLINE_S).status_code == 200
    made = done(engineer.post("/comments", json=body))
    assert made["files"] == [{"id": slot["id"], "name": "photo.png", "size_bytes": 3}]
    assert done(engineer.patch(f"/comments/{made['id']}", json={"text": "Seen"}))["files"] == made["files"]
    assert done(engineer.patch(f"/comments/{made['id']}", json={"file_ids": []}))["files"] == []


def test_a_tag_is_renamed_archived_and_deleted_when_nothing_has_it(
    server: Server, engineer: httpx.Client, run_id: str
) -> None:
    made = new_tag(engineer)
    done(engineer.post("/tags/apply", json={"thing_ids": [run_id], "add": [made["name"]]}))
    refused(engineer.delete(f"/tags/{made['id']}"), 409, "1 thing has it")
    name = f"Renamed {uuid4().hex}"
    changed = done(
        engineer.patch(f"/tags/{made['id']}", json={"name": name, "colour": "pink", "archived": True})
    )
    assert (changed["name"], changed["colour"], changed["archived_at"] is None) == (name, "pink", False)
    refused(engineer.post("/tags/apply", json={"thing_ids": [run_id], "add": [name]}), 409, "archived")
    (listed,) = [one for one in done(engineer.get("/tags"))["data"] if one["id"] == made["id"]]
    assert listed["thing_count"] == 1
    done(engineer.post("/tags/apply", json={"thing_ids": [run_id], "remove": [name]}))
    done(engineer.delete(f"/tags/{made['id']}"))
    kinds = [one["kind"] for one in entries_of(server, made["id"])]
    assert kinds == ["tag_created", "tag_changed", "tag_deleted"]


def test_causes_form_a_tree(server: Server, engineer: httpx.Client, run_id: str) -> None:
    top = new_cause(engineer)
    middle = new_cause(engineer, top["code"])
    leaf = new_cause(engineer, middle["code"].upper())
    for below in (top, middle, leaf):
        moved = engineer.patch(f"/causes/{top['id']}", json={"parent": below["code"]})
        refused(moved, 400, "parent", "cannot stand below itself")
    mine = {top["id"], middle["id"], leaf["id"]}
    rows = [one for one in done(engineer.get("/causes"))["data"] if one["id"] in mine]
    assert [(one["code"], one["depth"]) for one in rows] == [
        (top["code"], 0),
        (middle["code"], 1),
        (leaf["code"], 2),
    ]
    assert rows[2]["path"] == [top["name"], middle["name"], leaf["name"]]
    refused(engineer.delete(f"/causes/{middle['id']}"), 409, leaf["code"])
    done(engineer.post("/causes/apply", json={"thing_ids": [run_id], "cause": leaf["code"]}))
    refused(engineer.delete(f"/causes/{leaf['id']}"), 409, "1 thing has it")
    done(engineer.patch(f"/causes/{leaf['id']}", json={"parent": None, "archived": True}))
    refused(
        engineer.post("/causes/apply", json={"thing_ids": [run_id], "cause": leaf["code"]}), 409, "archived"
    )
    done(engineer.delete(f"/causes/{middle['id']}"))
    done(engineer.post("/causes/apply", json={"thing_ids": [run_id], "cause": None}))
    assert note_of(engineer, run_id)["cause"] is None
    changed = entries_of(server, leaf["id"])[1]
    assert changed["what"]["parent_id"] == [{"id": middle["id"], "name": middle["code"]}, None]


def found(client: httpx.Client, path: str, **query: Any) -> set[str]:
    return {one["id"] for one in done(client.get(path, params={"limit": 1000, **query}))["data"]}


def test_runs_units_batches_and_stations_are_found_by_tag_and_cause(
    callers: dict[str, httpx.Client], run_id: str, tag: str
) -> None:
    engineer = callers["engineer"]
    things = things_of(callers, run_id)
    other = new_tag(engineer)["name"]
    top = new_cause(engineer)
    leaf = new_cause(engineer, top["code"])
    lists = {kind: f"/v2/{kind}s" for kind in ("run", "unit", "station")} | {"batch": "/v2/batches"}
    ids = [things[kind] for kind in lists]
    done(engineer.post("/tags/apply", json={"thing_ids": ids, "add": [tag, other]}))
    done(engineer.post("/causes/apply", json={"thing_ids": ids, "cause": leaf["code"]}))
    for kind, path in lists.items():
        for query in (
            {"tags": tag.lower()},
            {"tags": [other, "No such tag"]},
            {"causes": top["code"]},
            {"causes": leaf["code"], "tags": tag},
        ):
            assert found(engineer, path, **query) == {things[kind]}, (kind, query)
        assert found(engineer, path, tags="No such tag") == set()
        assert found(callers["stranger"], path, tags=tag) == set()
        assert found(callers["stranger"], path, causes=top["code"]) == set()
    for query in ({"tags": tag}, {"causes": top["code"]}):
        for order in ("duration", "serial_number"):
            assert found(engineer, "/v2/runs", sort_by=order, **query) == {run_id}
        exported = engineer.get("/export/runs", params={"format": "jsonl", **query})
        assert [line for line in exported.text.splitlines() if run_id in line] == exported.text.splitlines()
        assert exported.text
        procedure = done(engineer.get(f"/v2/runs/{run_id}"))["procedure"]["id"]
        phases = done(engineer.get("/v2/phases", params={"procedure_id": procedure, **query}))["data"]
        assert {one["run_id"] for one in phases} == {run_id}
        asked = done(engineer.get("/analytics/throughput", params={"samples": "production", **query}))
        assert asked["total"]["runs"] == 1, asked


def test_everybody_reads_and_whoever_may_record_notes(
    callers: dict[str, httpx.Client], run_id: str, tag: str
) -> None:
    cause = new_cause(callers["engineer"])["code"]
    things = things_of(callers, run_id)
    asked: Sequence[tuple[str, Json]] = (
        ("/comments", {"thing_id": run_id, "text": "Said"}),
        ("/tags/apply", {"thing_ids": [run_id], "add": [tag]}),
        ("/causes/apply", {"thing_ids": [run_id], "cause": cause}),
    )
    for path, body in asked:
        for name in ("admin", "engineer", "ict", "fct"):
            done(callers[name].post(path, json=body))
        refused(callers["viewer"].post(path, json=body), 403, "viewer")
        refused(callers["lonely"].post(path, json=body), 403, "linked to no procedure")
        for thing in ("batch", "station"):
            ids = {"thing_id": things[thing]} if path == "/comments" else {"thing_ids": [things[thing]]}
            refused(callers["fct"].post(path, json={**body, **ids}), 403, "cannot note anything")
    made: Sequence[tuple[str, str, Json | None]] = (
        ("POST", "/tags", {"name": "Mine"}),
        ("POST", "/causes", {"code": "MINE", "name": "Mine"}),
        ("PATCH", f"/tags/{uuid4()}", {}),
        ("DELETE", f"/tags/{uuid4()}", None),
        ("PATCH", f"/causes/{uuid4()}", {}),
        ("DELETE", f"/causes/{uuid4()}", None),
    )
    for method, path, content in made:
        for name in ("viewer", "ict"):
            refused(callers[name].request(method, path, json=content), 403)
        if method != "POST":
            refused(callers["engineer"].request(method, path, json=content), 404, "not found")
    for path in ("/tags", "/causes", f"/notes?thing_ids={run_id}", f"/comments?thing_id={run_id}"):
        for name in ("viewer", "lonely"):
            done(callers[name].get(path))


def test_another_organization_sees_and_changes_nothing(
    callers: dict[str, httpx.Client], run_id: str, tag: str, unchanged: Unchanged
) -> None:
    engineer, stranger = callers["engineer"], callers["stranger"]
    comment = done(engineer.post("/comments", json={"thing_id": run_id, "text": "Ours"}))["id"]
    cause = new_cause(engineer)
    tag_id = next(one["id"] for one in done(engineer.get("/tags"))["data"] if one["name"] == tag)
    asked: Sequence[tuple[str, str, Json | None]] = (
        ("GET", f"/comments?thing_id={run_id}", None),
        ("GET", f"/notes?thing_ids={run_id}", None),
        ("POST", "/comments", {"thing_id": run_id, "text": "x"}),
        ("PATCH", f"/comments/{comment}", {"text": "x"}),
        ("DELETE", f"/comments/{comment}", None),
        ("POST", "/tags/apply", {"thing_ids": [run_id]}),
        ("POST", "/tags/apply", {"thing_ids": [], "add": [tag]}),
        ("PATCH", f"/tags/{tag_id}", {"name": "x"}),
        ("DELETE", f"/tags/{tag_id}", None),
        ("POST", "/causes/apply", {"thing_ids": [run_id], "cause": None}),
        ("POST", "/causes/apply", {"thing_ids": [], "cause": cause["code"]}),
        ("POST", "/causes", {"code": "x", "name": "x", "parent": cause["code"]}),
        ("PATCH", f"/causes/{cause['id']}", {"name": "x"}),
        ("DELETE", f"/causes/{cause['id']}", None),
    )
    with unchanged():
        for method, path, body in asked:
            assert stranger.request(method, path, json=body).status_code == 404, (method, path)
    for path in ("/tags", "/causes"):
        text = stranger.get(path).text
        assert tag not in text
        assert cause["code"] not in text


def test_notes_wait_in_the_bin_with_their_thing_and_go_with_it(
    server: Server, callers: dict[str, httpx.Client], run_id: str
) -> None:
    admin = callers["admin"]
    made = new_tag(admin)
    done(admin.post("/tags/apply", json={"thing_ids": [run_id], "add": [made["name"]]}))
    comment = done(admin.post("/comments", json={"thing_id": run_id, "text": "Said"}))["id"]
    done(admin.request("DELETE", "/v2/runs", params={"ids": run_id}))
    refused(admin.get("/comments", params={"thing_id": run_id}), 404)
    done(admin.post(f"/bin/{run_id}/restore", json={}))
    assert note_of(admin, run_id)["comment_count"] == 1
    assert [tag["name"] for tag in note_of(admin, run_id)["tags"]] == [made["name"]]
    done(admin.request("DELETE", "/v2/runs", params={"ids": run_id}))
    refused(admin.delete(f"/tags/{made['id']}"), 409, "1 thing has it")
    done(admin.delete(f"/bin/{run_id}"))
    done(admin.delete(f"/tags/{made['id']}"))
    kinds = [one["kind"] for one in entries_of(server, comment)]
    assert kinds == ["comment_created", "comment_deleted"]


def test_many_are_tagged_at_once_or_none(
    server: Server, callers: dict[str, httpx.Client], ict: httpx.Client, tag: str, unchanged: Unchanged
) -> None:
    engineer = callers["engineer"]
    ids = [create_run(ict, run_of(f"SN-{uuid4().hex}")) for _ in range(30)]
    foreign = create_run(ict, run_of(f"SN-{uuid4().hex}"))
    unknown = [str(uuid4()), str(part_id(UUID(foreign), RunPart.PHASE, 9))]
    with unchanged():
        refused(
            engineer.post("/tags/apply", json={"thing_ids": [*ids, *unknown], "add": [tag]}),
            404,
            unknown[0],
            "Nothing was changed",
        )
        refused(
            callers["ict"].post("/tags/apply", json={"thing_ids": [str(uuid4())] * 10_001, "add": [tag]}),
            400,
            "10001",
            "name 0 to 10000",
        )
        refused(
            engineer.post("/causes/apply", json={"thing_ids": [*ids, *unknown], "cause": None}),
            404,
            unknown[1],
        )
    done(engineer.post("/tags/apply", json={"thing_ids": ids[:1], "add": [tag]}))
    body = {"thing_ids": [*ids, *ids], "add": [tag, tag.upper()]}
    assert done(engineer.post("/tags/apply", json=body)) == {"changed_ids": ids[1:]}
    with unchanged():
        assert done(engineer.post("/tags/apply", json=body)) == {"changed_ids": []}
    assert found(engineer, "/v2/runs", tags=tag) == set(ids)
    assert all(len(entries_of(server, one)) == 1 for one in ids[:3])


BAD: Sequence[tuple[str, Json, int, str]] = (
    ("/comments", {"text": ""}, 400, "empty"),
    ("/comments", {"text": "x" * 10_001}, 400, "10001 characters; use at most 10000"),
    ("/comments", {"text": "x" * 1_000_000}, 400, "1000000 characters"),
    ("/comments", {"text": "a\0"}, 400, "NUL"),
    ("/comments", {"text": "x", "file_ids": [str(UUID(int=1))] * 21}, 400, "attach at most 20"),
    ("/comments", {"text": "x", "file_ids": [str(UUID(int=1))]}, 404, "Upload not found"),
    ("/comments", {"text": "x", "colour": "red"}, 400, "colour"),
    ("/tags", {"name": " "}, 400, "is no name"),
    ("/tags", {"name": "x" * 61}, 400, "1 to 60 characters"),
    ("/tags", {"name": "two\nlines"}, 400, "one line"),
    ("/tags", {"name": "x", "colour": "url(x)"}, 400, "colour"),
    ("/tags/apply", {"add": ["No such tag"]}, 404, "Tag not found: No such tag"),
    ("/tags/apply", {"thing_ids": ["x"]}, 400, "thing_ids"),
    ("/causes", {"code": "", "name": "x"}, 400, "is no code"),
    ("/causes", {"code": "x", "name": "x", "parent": "No such cause"}, 404, "No such cause"),
    ("/causes/apply", {"cause": "No such cause"}, 404, "No such cause"),
    ("/causes/apply", {}, 400, "cause"),
)


@pytest.mark.parametrize(("path", "body", "status", "told"), BAD, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_told_and_nothing_changes(
    engineer: httpx.Client, run_id: str, unchanged: Unchanged, path: str, body: Json, status: int, told: str
) -> None:
    things = {"/comments": {"thing_id": run_id}, "/tags": {}, "/causes": {}}
    with unchanged():
        sent = {**things.get(path, {"thing_ids": [run_id]}), **body}
        refused(engineer.post(path, json=sent), status, told)


def test_names_and_codes_are_taken_in_any_case(engineer: httpx.Client, tag: str) -> None:
    cause = new_cause(engineer)
    refused(engineer.post("/tags", json={"name": tag.upper()}), 409, "already exists")
    refused(engineer.patch(f"/tags/{new_tag(engineer)['id']}", json={"name": tag}), 409, "already exists")
    refused(
        engineer.post("/causes", json={"code": cause["code"].upper(), "name": "x"}), 409, "already exists"
    )
    done(engineer.patch(f"/causes/{cause['id']}", json={"code": cause["code"].upper()}))


def test_a_tag_that_is_added_and_removed_is_refused(engineer: httpx.Client, run_id: str, tag: str) -> None:
    body = {"thing_ids": [run_id], "add": [tag], "remove": [tag]}
    refused(engineer.post("/tags/apply", json=body), 400, "leave it in one of them")


def test_unknown_parameters_are_refused(engineer: httpx.Client, run_id: str) -> None:
    for path in ("/tags?name=x", "/causes?x=1", f"/comments?thing_id={run_id}&page=2", "/comments", "/notes"):
        assert engineer.get(path).status_code == 400, path
