"""The quarantine over REST: files that were refused are listed, got, tried again and discarded, by those who may."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.importers.many_runs import junit_of
from tests.servers import DEADLINE_S, Server

Unchanged = Callable[[], AbstractContextManager[None]]

ALL = frozenset({"admin", "engineer", "operator", "viewer", "station"})
MANAGE = frozenset({"admin", "engineer"})
STATEMENTS = (
    "serial_number",
    "serial_number_template",
    "name_pattern",
    "content_pattern",
)
NOWHERE = "00000000-0000-4000-8000-000000000000"
SCRIPT = "<script>alert(1)</script>"


class Operation(NamedTuple):
    """How to ask for it, of a file that is in quarantine and was brought by an admin, and who may."""

    method: str
    path: str
    who: frozenset[str]
    body: Any = None


OPERATIONS = {
    "quarantine-list": Operation("GET", "/files?limit=1000", ALL),
    "quarantine-get": Operation("GET", "/files/{id}", ALL),
    "quarantine-download": Operation("GET", "/files/{id}/content", ALL),
    "quarantine-retry": Operation("POST", "/files/{id}/retry", MANAGE, {}),
    "quarantine-delete": Operation("DELETE", "/files/{id}", MANAGE),
}


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key of each kind and role of Acme."""
    acme = server.world.acme
    home = ("--organization", server.world.acme.slug)
    olga = server.runcard(
        "user", "create", f"olga@{server.world.acme.slug}.test", "--role", "operator", *home
    )
    made = server.runcard("key", "create", "--user", olga["email"], *home)
    return {
        "admin": acme.admin.api_key,
        "engineer": acme.engineer.api_key,
        "operator": made["api_key"],
        "viewer": acme.viewer.api_key,
        "station": acme.ict.api_key,
    }


@pytest.fixture(scope="module")
def caller(server: Server) -> Iterator[httpx.Client]:
    """HTTP to the quarantine without a key."""
    with httpx.Client(base_url=f"{server.url}/api/quarantine", timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture(scope="module")
def bring(server: Server) -> Callable[..., str]:
    """Has a file refused that comes over the API; the id that it has in quarantine."""

    def bring(content: bytes, key: str = "", name: str = "report.xml", importer: str = "JUNIT") -> str:
        headers = _key(key or server.world.acme.admin.api_key) | {"X-Client-Type": "rig"}
        with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as v2:
            slot = v2.post("/attachments", json={"name": name}).json()
            httpx.put(slot["upload_url"], content=content, timeout=DEADLINE_S).raise_for_status()
            body = {"items": [{"upload_id": slot["id"], "importer": importer}]}
            (result,) = v2.post("/imports/structured", json=body).json()["results"]
            assert not result["success"], result
            root = f"{server.url}/api/quarantine"
            files = v2.get(f"{root}/files").json()["data"]
        found = next(one for one in files if one["reason"] == result["error"])
        return str(found["id"])

    return bring


def _key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _ask(caller: httpx.Client, operation: Operation, file_id: str, key: str | None) -> httpx.Response:
    headers = {} if key is None else _key(key)
    path = operation.path.format(id=file_id)
    return caller.request(operation.method, path, json=operation.body, headers=headers)


def _without_part(serial_number: str = "") -> bytes:
    """A report of a new unit that names no part."""
    return junit_of([serial_number or f"SN-{uuid4().hex[:8]}"], part_number=None)


# Who may, and of whose organization


def test_the_table_holds_every_operation(server: Server) -> None:
    paths = httpx.get(f"{server.url}/api/openapi.json").json()["paths"]
    served = {
        one["operationId"]: f"{method.upper()} {path.removeprefix('/api/quarantine')}"
        for path, operations in paths.items()
        if path.startswith("/api/quarantine")
        for method, one in operations.items()
    }
    told = {name: f"{one.method} {one.path.partition('?')[0]}" for name, one in OPERATIONS.items()}
    assert served == told


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_without_a_key(
    caller: httpx.Client, bring: Callable[..., str], unchanged: Unchanged, name: str
) -> None:
    file_id = bring(_without_part())
    with unchanged():
        for key in (None, "rc_unknown"):
            answer = _ask(caller, OPERATIONS[name], file_id, key)
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_role(
    caller: httpx.Client,
    bring: Callable[..., str],
    keys: dict[str, str],
    unchanged: Unchanged,
    name: str,
) -> None:
    operation, file_id = OPERATIONS[name], bring(_without_part())
    with unchanged():
        for who in ALL - operation.who:
            answer = _ask(caller, operation, file_id, keys[who])
            assert (who, answer.status_code, answer.json()["code"]) == (who, 403, "FORBIDDEN")
    for who in sorted(operation.who):
        own = bring(_without_part())  # that of the caller before may be gone
        assert (who, _ask(caller, operation, own, keys[who]).status_code) == (who, 200)


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_reaches_into_another_organization(
    server: Server, caller: httpx.Client, bring: Callable[..., str], unchanged: Unchanged, name: str
) -> None:
    file_id, key = bring(_without_part()), server.world.globex.admin.api_key
    with unchanged():
        answer = _ask(caller, OPERATIONS[name], file_id, key)
    if name == "quarantine-list":
        assert answer.json()["data"] == []
    else:
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"quarantine-list"}))
@pytest.mark.parametrize("file_id", [NOWHERE, "nothing", "%00"])
def test_a_file_that_is_none(
    caller: httpx.Client, keys: dict[str, str], unchanged: Unchanged, name: str, file_id: str
) -> None:
    with unchanged():
        answer = _ask(caller, OPERATIONS[name], file_id, keys["admin"])
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


# What is told, and what is done


def test_a_refused_file_is_told_with_its_reason(
    server: Server, caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str]
) -> None:
    content = _without_part()
    file_id = bring(content, keys["station"], name="ICT/1.xml")
    told = caller.get(f"/files/{file_id}", headers=_key(keys["viewer"])).json()
    assert told == {
        "id": file_id,
        "name": "ICT/1.xml",
        "size_bytes": len(content),
        "format": "JUNIT",
        "reason": told["reason"],
        "recorded_reports": 0,
        "attempts": 1,
        "tried_at": told["created_at"],
        "created_at": told["created_at"],
        "created_by_user": None,
        "created_by_station": {"id": str(server.world.acme.ict.actor.station_id), "name": "ICT-1"},
        "client": "rig",
        "procedure_id": None,
        "part_number": None,
        "template_id": None,
        "stated": dict.fromkeys(STATEMENTS) | {"override": False},
    }
    assert told["reason"].startswith("Part number is required")
    answer = caller.get(f"/files/{file_id}/content", headers=_key(keys["viewer"]))
    assert answer.content == content


@pytest.mark.parametrize("name", ["page.html", "picture.png", f"{SCRIPT}.svg", 'a"\r\nX: y.xml', "ä.xml"])
def test_a_file_is_only_ever_saved(
    caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str], name: str
) -> None:
    """Whatever it is called and holds."""
    content = f"<html>{SCRIPT}{uuid4()}</html>".encode()
    file_id = bring(content, name=name)
    answer = caller.get(f"/files/{file_id}/content", headers=_key(keys["admin"]))
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x" not in answer.headers


def test_a_file_is_recorded_once_it_is_said_what_it_lacks(
    server: Server, caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str]
) -> None:
    serial_number = f"SN-{uuid4().hex[:8]}"
    file_id = bring(_without_part(serial_number), keys["station"])
    path, headers = f"/files/{file_id}/retry", _key(keys["engineer"])
    refused = caller.post(path, json={}, headers=headers).json()
    assert (refused["status"], refused["id"], refused["import_id"]) == ("refused", file_id, None)
    assert caller.get(f"/files/{file_id}", headers=headers).json()["attempts"] == 2

    body = {"part_number": "PCB01", "procedure_id": server.world.acme.board.identifier}
    told = caller.post(path, json=body, headers=headers).json()
    assert told == {
        "status": "recorded",
        "format": "JUNIT",
        "runs": 1,
        "repairs": 0,
        "recorded_reports": 0,
        "reason": None,
        "import_id": told["import_id"],
        "id": None,
        "stated": {"part_number": 1, "procedure": 1},
        "warnings": [],
        "first_runs": [],
    }
    assert caller.get(f"/files/{file_id}", headers=headers).status_code == 404
    runs = httpx.get(
        f"{server.url}/api/v2/runs", params={"serial_numbers": serial_number}, headers=headers
    ).json()["data"]
    assert [one["created_by_station"]["name"] for one in runs] == ["ICT-1"]


def test_a_unit_is_stated_and_tried_before_it_is_recorded(
    caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str], unchanged: Unchanged
) -> None:
    serial_number, headers = f"SN{uuid4().hex[:8]}", _key(keys["admin"])
    content = _without_part().replace(b'"serial_number"', b'"board"')
    file_id = bring(content, keys["station"], name=f"PCB01_{serial_number}.xml")
    assert caller.get(f"/files/{file_id}", headers=headers).json()["reason"].endswith("name_pattern (REST).")
    path = f"/files/{file_id}/retry"
    body = {"name_pattern": r"(?P<part_number>\w+)_(?P<serial_number>SN\w+)"}
    with unchanged():
        told = caller.post(path, json=body | {"dry_run": True}, headers=headers).json()
    assert (told["status"], told["import_id"], told["stated"]) == (
        "recorded",
        None,
        {"serial_number": 1, "part_number": 1},
    )
    assert told["first_runs"] == [
        {
            "serial_number": serial_number,
            "part_number": "PCB01",
            "procedure_name": "Board",
            "outcome": "PASS",
            "started_at": "2026-01-02T03:04:05Z",
            "stated": ["serial_number", "part_number"],
        }
    ]
    # What is refused is kept with what was stated, and the next retry states it again.
    refused = caller.post(path, json=body | {"serial_number_template": "{lot}"}, headers=headers).json()
    assert (refused["status"], "which a report does not say" in refused["reason"]) == ("refused", True)
    stated = caller.get(f"/files/{file_id}", headers=headers).json()["stated"]
    assert (stated["name_pattern"], stated["serial_number_template"]) == (body["name_pattern"], "{lot}")
    told = caller.post(path, json={"serial_number_template": "{serial_number}"}, headers=headers).json()
    assert (told["status"], told["runs"]) == ("recorded", 1)


def test_who_brought_a_file_tries_it_again(
    caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str]
) -> None:
    for who in ("operator", "station"):
        file_id = bring(_without_part(), keys[who])
        other = _key(keys["station" if who == "operator" else "operator"])
        path, body = f"/files/{file_id}/retry", {"part_number": "PCB01"}
        assert caller.post(path, json=body, headers=other).status_code == 403
        answer = caller.post(path, json=body, headers=_key(keys[who]))
        assert (answer.status_code, answer.json()["status"]) == (200, "recorded")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"format": "CSV"}, "format"),
        ({"procedure_id": ""}, "procedure_id"),
        ({"procedure_id": 7}, "procedure_id"),
        ({"part_number": "P" * 256}, "part_number"),
        ({"part_number": "P\0"}, "part_number"),
        ({"template_id": "template"}, "template_id"),
        ({"serial_number": ""}, "serial_number"),
        ({"serial_number_template": "{lot"}, "serial_number_template"),
        ({"name_pattern": "("}, "name_pattern"),
        ({"content_pattern": "(?P<unit>.)"}, "content_pattern"),
        ({"override": "yes"}, "override"),
        ({"template_id": NOWHERE, "format": "TABLE"}, "format"),
        ([], "object"),
    ],
    ids=[
        *("format", "blank", "number", "long", "nul", "template", "unit", "unit template", "name"),
        *("content", "override", "both", "list"),
    ],
)
def test_bad_bodies(
    caller: httpx.Client,
    bring: Callable[..., str],
    keys: dict[str, str],
    unchanged: Unchanged,
    body: Any,
    told: str,
) -> None:
    file_id = bring(_without_part())
    with unchanged():
        answer = caller.post(f"/files/{file_id}/retry", json=body, headers=_key(keys["admin"]))
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert told in answer.json()["issues"][0]["message"]


@pytest.mark.parametrize(
    "body", [{"procedure_id": "FVT99"}, {"procedure_id": "F\0"}, {"template_id": NOWHERE}]
)
def test_what_is_named_must_be_there(
    caller: httpx.Client,
    bring: Callable[..., str],
    keys: dict[str, str],
    unchanged: Unchanged,
    body: dict[str, str],
) -> None:
    file_id = bring(_without_part())
    with unchanged():
        answer = caller.post(f"/files/{file_id}/retry", json=body, headers=_key(keys["admin"]))
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_discarded_file_is_gone(
    server: Server, caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str]
) -> None:
    file_id, headers = bring(_without_part()), _key(keys["engineer"])
    assert caller.delete(f"/files/{file_id}", headers=headers).json() == {"id": file_id}
    assert caller.get(f"/files/{file_id}/content", headers=headers).status_code == 404
    assert caller.delete(f"/files/{file_id}", headers=headers).status_code == 404


def test_the_newest_file_comes_first_and_pages_follow_each_other(
    caller: httpx.Client, bring: Callable[..., str], keys: dict[str, str]
) -> None:
    mark = uuid4().hex
    brought = [
        bring(f"{mark} {one}".encode(), name=f"{mark}-{one}.txt", importer=one) for one in ("STDF", "WATS")
    ]
    headers, asked = _key(keys["viewer"]), {"search_query": mark.upper(), "limit": "1"}
    first = caller.get("/files", params=asked, headers=headers).json()
    assert [one["id"] for one in first["data"]] == brought[1:]
    assert first["meta"]["has_more"]
    asked["cursor"] = first["meta"]["next_cursor"]
    last = caller.get("/files", params=asked, headers=headers).json()
    assert [one["id"] for one in last["data"]] == brought[:1]
    assert last["meta"] == {"has_more": False, "next_cursor": None}

    only = {"search_query": mark, "formats": ["STDF", "UNKNOWN"]}
    assert [one["format"] for one in caller.get("/files", params=only, headers=headers).json()["data"]] == [
        "STDF"
    ]


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 1001}, {"cursor": -1}, {"formats": "CSV"}, {"search_query": "\0"}]
)
def test_bad_queries(caller: httpx.Client, keys: dict[str, str], asked: dict[str, Any]) -> None:
    answer = caller.get("/files", params=asked, headers=_key(keys["admin"]))
    assert (answer.status_code, answer.json()["issues"][0]["path"]) == (400, list(asked))
