"""Who may do what, and that nobody reaches into another organization: one table over all operations of v2."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from runcard.domain.actor import KEY_SCOPES
from tests.acceptance.deploying import command_line, deploy
from tests.acceptance.v2.reporting import STARTED_AT, measurement, phase
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server

Unchanged = Callable[[], AbstractContextManager[None]]

# Who may do it. Stations are linked to the procedure that is asked for.
ALL = frozenset({"admin", "engineer", "operator", "viewer", "station"})
RECORD = ALL - {"viewer"}
MANAGE = frozenset({"admin", "engineer"})
USERS = ALL - {"station"}
STATION = frozenset({"station"})


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


class Things(NamedTuple):
    """What there is in one organization, by what an operation calls it."""

    organization: str
    names: Mapping[str, str]

    def fill(self, template: Any) -> Any:
        """The same with each `{name}` in its texts replaced."""
        filled = json.dumps(template)
        for name, value in self.names.items():
            filled = filled.replace(f"{{{name}}}", value)
        return json.loads(filled)


class Operation(NamedTuple):
    """How to ask for it, of things that exist; who may; `lists` the things: others are told of none of them."""

    method: str
    path: str
    who: frozenset[str]
    query: Mapping[str, Any] = {}
    body: Any = None
    lists: bool = False


_RUN = {
    "outcome": "PASS",
    "procedure_id": "{procedure}",
    "serial_number": "{new}",
    "part_number": "{part}",
    "started_at": "2026-01-01T00:00:00Z",
    "ended_at": "2026-01-01T00:01:00Z",
}
_REVISION = "/parts/{part}/revisions/{revision}"
_MAPPING = {
    "fields": {
        "serial_number": {"value": "{new}"},
        "outcome": {"value": "PASS"},
        "started_at": {"value": "2026-01-01T00:00:00Z"},
        "ended_at": {"value": "2026-01-01T00:01:00Z"},
    },
    "measurements": {"layout": "none"},
}

OPERATIONS: dict[str, Operation] = {
    "run-create": Operation("POST", "/runs", RECORD, body=_RUN),
    "run-list": Operation("GET", "/runs", ALL, {"ids": "{run}"}, lists=True),
    "run-get": Operation("GET", "/runs/{run}", ALL),
    "run-update": Operation("PATCH", "/runs/{run}", RECORD, body={"attachments": ["{upload}"]}),
    "run-updateMetadata": Operation("PATCH", "/runs/{run}/metadata", RECORD, body={"metadata": {"a": 1}}),
    "run-delete": Operation("DELETE", "/runs", MANAGE, {"ids": "{run}"}),
    "run-createAttachment": Operation("POST", "/runs/{run}/attachments", RECORD, body={"name": "a.txt"}),
    "attachment-initialize": Operation("POST", "/attachments", RECORD, body={"name": "a.txt"}),
    "attachment-finalize": Operation("POST", "/attachments/{upload}/finalize", RECORD),
    "attachment-delete": Operation("DELETE", "/attachments", MANAGE, {"ids": "{upload}"}),
    "unit-create": Operation(
        "POST",
        "/units",
        RECORD,
        body={"serial_number": "{new}", "part_number": "{part}", "revision_number": "{revision}"},
    ),
    "unit-list": Operation("GET", "/units", ALL, {"serial_numbers": "{unit}"}, lists=True),
    "unit-get": Operation("GET", "/units/{unit}", ALL),
    "unit-update": Operation("PATCH", "/units/{unit}", RECORD, body={"sample": "golden"}),
    "unit-delete": Operation("DELETE", "/units", MANAGE, {"serial_numbers": "{spare}"}),
    "unit-addChild": Operation(
        "PUT", "/units/{unit}/children", RECORD, body={"child_serial_number": "{child}"}
    ),
    "unit-removeChild": Operation(
        "DELETE", "/units/{unit}/children", RECORD, {"child_serial_number": "{child}"}
    ),
    "unit-createAttachment": Operation("POST", "/units/{unit}/attachments", RECORD, body={"name": "a.txt"}),
    # A station deletes the files that it brought; `test_station_reach` asks for these too.
    "unit-deleteAttachment": Operation(
        "DELETE", "/units/{unit}/attachments", RECORD - STATION, {"ids": "{unit_file}"}
    ),
    "part-create": Operation("POST", "/parts", RECORD, body={"number": "{new}"}),
    "part-list": Operation("GET", "/parts", ALL, {"search_query": "{part}"}, lists=True),
    "part-get": Operation("GET", "/parts/{part}", ALL),
    "part-update": Operation("PATCH", "/parts/{part}", MANAGE, body={"name": "New"}),
    "part-delete": Operation("DELETE", "/parts/{part}", MANAGE),
    "part-createRevision": Operation("POST", "/parts/{part}/revisions", RECORD, body={"number": "{new}"}),
    "part-getRevision": Operation("GET", _REVISION, ALL),
    "part-updateRevision": Operation("PATCH", _REVISION, MANAGE, body={"metadata": {"a": 1}}),
    "part-deleteRevision": Operation("DELETE", _REVISION, MANAGE),
    "procedure-create": Operation("POST", "/procedures", MANAGE, body={"name": "New"}),
    "procedure-list": Operation("GET", "/procedures", ALL, {"limit": 500}, lists=True),
    "procedure-get": Operation("GET", "/procedures/{procedure}", ALL),
    "procedure-update": Operation("PATCH", "/procedures/{procedure}", MANAGE, body={"entryPoint": "main.py"}),
    "procedure-delete": Operation("DELETE", "/procedures/{unused_procedure}", MANAGE),
    "procedure-createVersion": Operation(
        "POST", "/procedures/{procedure}/versions", RECORD, body={"tag": "{new}"}
    ),
    "procedure-getVersion": Operation("GET", "/procedures/{procedure}/versions/{version}", ALL),
    "procedure-deleteVersion": Operation("DELETE", "/procedures/{procedure}/versions/{version}", MANAGE),
    "batch-create": Operation("POST", "/batches", RECORD, body={"number": "{new}"}),
    "batch-list": Operation("GET", "/batches", ALL, {"numbers": "{batch}"}, lists=True),
    "batch-get": Operation("GET", "/batches/{batch}", ALL),
    "batch-update": Operation("PATCH", "/batches/{batch}", MANAGE, body={"new_number": "{batch}"}),
    "batch-delete": Operation("DELETE", "/batches/{batch}", MANAGE),
    "station-create": Operation("POST", "/stations", MANAGE, body={"name": "{new}"}),
    "station-list": Operation("GET", "/stations", USERS, {"limit": 500}, lists=True),
    "station-getCurrent": Operation("GET", "/stations/current", STATION),
    "station-get": Operation("GET", "/stations/{station}", ALL),
    "station-update": Operation("PATCH", "/stations/{station}", MANAGE, body={"metadata": {"a": 1}}),
    "station-remove": Operation("DELETE", "/stations/{station}", MANAGE),
    "user-list": Operation("GET", "/users", ALL, lists=True),
    "user-getCurrent": Operation("GET", "/users/current", USERS),
    "identity-whoami": Operation("GET", "/whoami", ALL),
    "phase-list": Operation("GET", "/phases", ALL, {"procedure_id": "{procedure}"}, lists=True),
    "phase-get": Operation("GET", "/phases/{phase}", ALL),
    "measurement-list": Operation("GET", "/measurements", ALL, {"procedure_id": "{procedure}"}, lists=True),
    "measurement-get": Operation("GET", "/measurements/{measurement}", ALL),
    "log-list": Operation("GET", "/logs", ALL, {"run_ids": "{run}"}, lists=True),
    "log-get": Operation("GET", "/logs/{log}", ALL),
    "import-structured": Operation(
        "POST",
        "/imports/structured",
        RECORD,
        body={"items": [{"upload_id": "{upload}", "importer": "OPENHTF"}]},
    ),
    "import-tabular": Operation(
        "POST",
        "/imports/tabular",
        RECORD,
        body={"upload_id": "{upload}", "procedure_id": "{procedure}", "mapping": _MAPPING},
    ),
    "importTemplate-create": Operation(
        "POST", "/imports/templates", MANAGE, body={"name": "{new}", "mapping": _MAPPING}
    ),
    "importTemplate-list": Operation("GET", "/imports/templates", ALL, {"limit": 500}, lists=True),
    "importTemplate-get": Operation("GET", "/imports/templates/{template}", ALL),
    "importTemplate-delete": Operation("DELETE", "/imports/templates/{template}", MANAGE),
    "deployment-list": Operation("GET", "/deployments", ALL, {"limit": 500}, lists=True),
    "deployment-get": Operation("GET", "/deployments/{deployment}", ALL),
}
# Operations that ask for nothing but the caller's own.
OWN = {"procedure-create", "part-create", "batch-create", "station-create", "attachment-initialize"} | {
    "importTemplate-create",
    "station-getCurrent",
    "user-getCurrent",
    "identity-whoami",
}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """Each of many tests looks at all that is recorded, which is less here."""
    return own_server


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key of each kind and role of Acme."""
    acme = server.world.acme
    operator = server.runcard(
        "user",
        "create",
        f"olga@{acme.slug}.test",
        "--role",
        "operator",
        "--organization",
        acme.slug,
    )
    made = server.runcard("key", "create", "--user", operator["email"], "--organization", acme.slug)
    return {
        "admin": acme.admin.api_key,
        "engineer": acme.engineer.api_key,
        "operator": made["api_key"],
        "viewer": acme.viewer.api_key,
        "station": acme.ict.api_key,
    }


@pytest.fixture(scope="module")
def caller(server: Server) -> Iterator[httpx.Client]:
    """HTTP to v2 without a key."""
    with httpx.Client(base_url=f"{server.url}/api/v2", timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture(scope="module")
def things(server: Server, caller: httpx.Client) -> Things:
    """One of everything in Acme."""
    return make_things(server, caller, _deploy(server))


def make_things(server: Server, caller: httpx.Client, deployment: str) -> Things:
    acme = server.world.acme
    headers = {"Authorization": f"Bearer {acme.admin.api_key}"}

    def call(method: str, path: str, body: Any = None) -> Any:
        answer = caller.request(method, path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    mark = uuid4().hex[:8].upper()
    part, revision, serial = f"PART-{mark}", f"REV-{mark}", f"SN-{mark}"
    run = call("POST", "/runs", _run_of(mark, str(acme.board.id)))
    shown = call("GET", f"/runs/{run['id']}")
    for name in (f"CHILD-{mark}", f"SPARE-{mark}"):
        call("POST", "/units", {"serial_number": name, "part_number": part, "revision_number": revision})
    call("PUT", f"/units/{serial}/children", {"child_serial_number": f"CHILD-{mark}"})
    template = Things("Acme", {"new": mark}).fill(_MAPPING)
    return Things(
        "Acme",
        {
            "run": run["id"],
            "phase": shown["phases"][0]["id"],
            "measurement": shown["phases"][0]["measurements"][0]["id"],
            "log": shown["logs"][0]["id"],
            "unit": serial,
            "child": f"CHILD-{mark}",
            "spare": f"SPARE-{mark}",
            "part": part,
            "revision": revision,
            "batch": f"BATCH-{mark}",
            "version": f"v{mark}",
            "procedure": str(acme.board.id),
            "unused_procedure": call("POST", "/procedures", {"name": f"Unused {mark}"})["id"],
            "station": call("POST", "/stations", {"name": f"Station {mark}"})["id"],
            "upload": call("POST", "/attachments", {"name": f"{mark}.txt"})["id"],
            "unit_file": call("POST", f"/units/{serial}/attachments", {"name": f"u{mark}.txt"})["id"],
            "deployment": deployment,
            "template": call("POST", "/imports/templates", {"name": f"T{mark}", "mapping": template})["id"],
        },
    )


def _deploy(server: Server) -> str:
    """Id of a deployment to the stations of the procedure `board`."""
    with command_line(server, server.world.acme.admin.api_key) as client:
        deployed: str = deploy(client, server.world.acme.board.id)["id"]
        return deployed


def _run_of(mark: str, procedure_id: str) -> dict[str, Any]:
    moment = STARTED_AT.isoformat()
    log = {
        "level": "INFO",
        "timestamp": moment,
        "message": f"log {mark}",
        "source_file": "a.py",
        "line_number": 1,
    }
    return {
        "outcome": "PASS",
        "procedure_id": procedure_id,
        "serial_number": f"SN-{mark}",
        "part_number": f"PART-{mark}",
        "revision_number": f"REV-{mark}",
        "batch_number": f"BATCH-{mark}",
        "procedure_version": f"v{mark}",
        "started_at": moment,
        "ended_at": moment,
        "phases": [_on_the_wire(phase(f"phase {mark}", measurement(f"measurement {mark}", 1.5)))],
        "logs": [log],
    }


def _on_the_wire(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in given.items()}


def ask(caller: httpx.Client, things: Things, operation: Operation, key: str | None) -> httpx.Response:
    filled = Things(things.organization, {**things.names, "new": f"N{uuid4().hex[:10].upper()}"})
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return caller.request(
        operation.method,
        filled.fill(operation.path),
        params=filled.fill(operation.query),
        json=filled.fill(operation.body),
        headers=headers,
    )


def test_the_table_holds_every_operation(caller: httpx.Client, server: Server) -> None:
    paths = httpx.get(f"{server.url}/api/openapi.json").json()["paths"]
    served = {
        one["operationId"]: (method.upper(), path.removeprefix("/api/v2"))
        for path, operations in paths.items()
        if path.startswith("/api/v2")
        for method, one in operations.items()
    }
    assert set(served) == set(OPERATIONS)
    for name, operation in OPERATIONS.items():
        method, path = served[name]
        assert operation.method == method, name
        assert operation.path.count("/") == path.count("/"), name


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_without_a_key(caller: httpx.Client, things: Things, unchanged: Unchanged, name: str) -> None:
    with unchanged():
        for key in (None, "rc_unknown"):
            answer = ask(caller, things, OPERATIONS[name], key)
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("name", OPERATIONS)
def test_who_may_not_is_refused_before_anything_else(
    caller: httpx.Client, things: Things, keys: dict[str, str], unchanged: Unchanged, name: str
) -> None:
    operation = OPERATIONS[name]
    with unchanged():
        for who in ALL - operation.who:
            # Also where what is asked for does not exist, and where the body is nonsense.
            nonsense = operation._replace(body=None if operation.body is None else {"nonsense": True})
            for asked in (operation, nonsense):
                answer = ask(caller, things, asked, keys[who])
                assert (who, answer.status_code, answer.json()["code"]) == (who, 403, "FORBIDDEN")


@pytest.mark.parametrize("name", OPERATIONS)
def test_who_may_is_let_in(
    server: Server, caller: httpx.Client, things: Things, keys: dict[str, str], name: str
) -> None:
    for who in sorted(OPERATIONS[name].who):
        own = things
        if OPERATIONS[name].method != "GET":  # those of the caller before may be gone
            own = make_things(server, caller, things.names["deployment"])
        answer = ask(caller, own, OPERATIONS[name], keys[who])
        assert answer.status_code in (200, 404, 409), (who, answer.text)
        assert answer.status_code == 200 or name in ANSWERED_OTHERWISE, (who, answer.text)


# What is asked for in the table is refused for a reason of its own.
ANSWERED_OTHERWISE = {
    "part-delete": "units and runs name the part",
    "part-deleteRevision": "units and runs name the revision",
    "procedure-deleteVersion": "a run names the version",
    "attachment-finalize": "no bytes have come",
    "import-tabular": "no bytes have come",
}


def _scope_of(name: str) -> str:
    """The one scope that a key needs for an operation."""
    if OPERATIONS[name].method == "GET":
        return "read"
    return "manage" if OPERATIONS[name].who == MANAGE else "record"


@pytest.fixture(scope="module")
def scoped_keys(server: Server) -> dict[str, dict[str, str]]:
    """Keys of Acme's admin and of a station, by their only scope."""
    acme = server.world.acme
    owners = {
        "admin": ("--user", acme.admin.email, KEY_SCOPES),
        "station": ("--station", "ICT-1", KEY_SCOPES[:2]),
    }
    return {
        who: {
            scope: server.runcard(
                "key", "create", option, owner, "--scope", scope, "--organization", acme.slug
            )["api_key"]
            for scope in scopes
        }
        for who, (option, owner, scopes) in owners.items()
    }


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"identity-whoami"}))
def test_a_key_may_what_its_scope_says_and_nothing_else(
    server: Server, caller: httpx.Client, things: Things, scoped_keys: dict[str, dict[str, str]], name: str
) -> None:
    operation, needed = OPERATIONS[name], _scope_of(name)
    who = "admin" if "admin" in operation.who else "station"
    # Also where the body is nonsense.
    nonsense = operation._replace(body=None if operation.body is None else {"nonsense": True})
    for scope, key in scoped_keys[who].items():
        for asked in (operation, nonsense) if scope != needed else ():
            answer = ask(caller, things, asked, key)
            assert (scope, answer.status_code) == (scope, 403), answer.text
            assert (
                answer.json()["message"] == f"This key may only {scope}. Use a key with the scope {needed}."
            )
    own = things if needed == "read" else make_things(server, caller, things.names["deployment"])
    answer = ask(caller, own, operation, scoped_keys[who][needed])
    assert answer.status_code in (200, 404, 409), answer.text
    assert answer.status_code == 200 or name in ANSWERED_OTHERWISE, answer.text


def test_every_key_may_ask_whose_it_is(caller: httpx.Client, scoped_keys: dict[str, dict[str, str]]) -> None:
    for who, keys_by_scope in scoped_keys.items():
        for key in keys_by_scope.values():
            answer = caller.get("/whoami", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 200
            assert (answer.json()["station"] is None) == (who == "admin")


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OWN))
def test_nobody_reaches_into_another_organization(
    server: Server, caller: httpx.Client, things: Things, unchanged: Unchanged, name: str
) -> None:
    operation, key = OPERATIONS[name], server.world.globex.admin.api_key
    if name == "run-create":
        assert ask(caller, things, operation, key).status_code == 404  # its procedure
        return
    with unchanged():
        answer = ask(caller, things, operation, key)
    told = answer.text
    if operation.lists:
        assert answer.status_code == 200, told
        assert not any(value in told for value in things.names.values()), told
    elif name == "import-structured":
        assert [one["success"] for one in answer.json()["results"]] == [False]
    else:
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), told
