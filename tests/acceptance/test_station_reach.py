"""What a key of a station changes: one table over all routes that write, for each kind of station and of user."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.deploying import ARCHIVE
from tests.acceptance.files import openhtf_report
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server

Unchanged = Callable[[], AbstractContextManager[None]]
Route = tuple[str, str]

# maker: a station that recorded the things that are asked for. linked: one that may report such runs, too.
# elsewhere: one that may report other procedures only. unlinked: one that may report none.
USERS = frozenset({"admin", "operator"})
MANAGE = frozenset({"admin"})
LINKED = USERS | {"maker", "linked"}
ANY_STATION = LINKED | {"elsewhere"}
BRINGER = USERS | {"maker"}
EVERYBODY = ["viewer", "unlinked", "elsewhere", "linked", "maker", "operator", "admin"]


class Write(NamedTuple):
    """Who may, and how to ask for it. consumes: what is asked for is there no more. status: of who may."""

    who: frozenset[str]
    body: Any = None
    query: Mapping[str, Any] = {}
    consumes: bool = False
    status: int = 200


_TIMES = {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:01:00Z"}
_V1_RUN = {
    "run_passed": True,
    "procedure_id": "{procedure}",
    "unit_under_test": {"serial_number": "{new}", "part_number": "{part}"},
}
_V2_RUN = {
    "outcome": "PASS",
    "procedure_id": "{procedure}",
    "serial_number": "{new}",
    "part_number": "{part}",
}
_MAPPING = {
    "fields": {
        "serial_number": {"value": "{new}"},
        "part_number": {"value": "{part}"},
        "outcome": {"value": "PASS"},
        "started_at": {"value": "2026-01-01T00:00:00Z"},
        "ended_at": {"value": "2026-01-01T00:01:00Z"},
    },
    "measurements": {"layout": "none"},
}
_TABULAR = {"upload_id": "{table}", "procedure_id": "{procedure}", "mapping": _MAPPING}
_REPORT = {"upload_id": "{report}", "importer": "OPENHTF"}
_REVISION = "/api/v2/parts/{part_number}/revisions/{revision_number}"
_SUB_UNITS = [{"serial_number": "{child}"}]

WRITES: dict[Route, Write] = {
    ("POST", "/api/v1/runs"): Write(LINKED, _V1_RUN),
    ("DELETE", "/api/v1/runs/{run_id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/v1/uploads/initialize"): Write(ANY_STATION, {"name": "a.txt"}),
    ("POST", "/api/v1/uploads/sync"): Write(LINKED, {"upload_id": "{upload}", "run_id": "{run}"}),
    ("POST", "/api/v1/import"): Write(
        LINKED, {**_REPORT, "client": "x", "client_version": "1"}, consumes=True
    ),
    ("PATCH", "/api/v1/units"): Write(LINKED, {"serial_number": "{unit}", "sub_units": _SUB_UNITS}),
    ("PATCH", "/api/v1/units/{serial_number}"): Write(LINKED, {"sub_units": _SUB_UNITS}),
    ("DELETE", "/api/v1/units/{serial_number}"): Write(MANAGE, status=409),  # it has runs
    ("POST", "/api/v2/runs"): Write(LINKED, {**_V2_RUN, **_TIMES}),
    ("PATCH", "/api/v2/runs/{id}"): Write(LINKED, {"attachments": ["{upload}"]}, consumes=True),
    ("PATCH", "/api/v2/runs/{id}/metadata"): Write(LINKED, {"metadata": {"a": 1}}),
    ("DELETE", "/api/v2/runs"): Write(MANAGE, query={"ids": "{run}"}, consumes=True),
    ("POST", "/api/v2/runs/{id}/attachments"): Write(LINKED, {"name": "a.txt"}),
    ("POST", "/api/v2/attachments"): Write(ANY_STATION, {"name": "a.txt"}),
    ("POST", "/api/v2/attachments/{id}/finalize"): Write(ANY_STATION),
    ("DELETE", "/api/v2/attachments"): Write(MANAGE, query={"ids": "{upload}"}, consumes=True),
    ("POST", "/api/v2/units"): Write(
        ANY_STATION, {"serial_number": "{new}", "part_number": "{part}", "revision_number": "{revision}"}
    ),
    ("PATCH", "/api/v2/units/{serial_number}"): Write(LINKED, {"sample": "golden", "metadata": {"a": 1}}),
    ("DELETE", "/api/v2/units"): Write(MANAGE, query={"serial_numbers": "{child}"}, consumes=True),
    ("PUT", "/api/v2/units/{serial_number}/children"): Write(LINKED, {"child_serial_number": "{child}"}),
    ("DELETE", "/api/v2/units/{serial_number}/children"): Write(
        LINKED, query={"child_serial_number": "{part_of_it}"}, consumes=True
    ),
    ("POST", "/api/v2/units/{serial_number}/attachments"): Write(LINKED, {"name": "a.txt"}),
    ("DELETE", "/api/v2/units/{serial_number}/attachments"): Write(
        BRINGER, query={"ids": "{unit_file}"}, consumes=True
    ),
    ("POST", "/api/v2/parts"): Write(ANY_STATION, {"number": "{new}"}),
    ("PATCH", "/api/v2/parts/{number}"): Write(MANAGE, {"name": "New"}),
    ("DELETE", "/api/v2/parts/{number}"): Write(MANAGE, status=409),
    ("POST", "/api/v2/parts/{part_number}/revisions"): Write(ANY_STATION, {"number": "{new}"}),
    ("PATCH", _REVISION): Write(MANAGE, {"metadata": {"a": 1}}),
    ("DELETE", _REVISION): Write(MANAGE, status=409),
    ("POST", "/api/v2/batches"): Write(ANY_STATION, {"number": "{new}"}),
    ("PATCH", "/api/v2/batches/{number}"): Write(MANAGE, {"new_number": "{batch}"}),
    ("DELETE", "/api/v2/batches/{number}"): Write(MANAGE, consumes=True),
    ("POST", "/api/v2/procedures"): Write(MANAGE, {"name": "New"}),
    ("PATCH", "/api/v2/procedures/{id}"): Write(MANAGE, {"entryPoint": "main.py"}),
    ("DELETE", "/api/v2/procedures/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/v2/procedures/{procedure_id}/versions"): Write(LINKED, {"tag": "{new}"}),
    ("DELETE", "/api/v2/procedures/{procedure_id}/versions/{tag}"): Write(MANAGE, status=409),
    ("POST", "/api/v2/stations"): Write(MANAGE, {"name": "{new}"}),
    ("PATCH", "/api/v2/stations/{id}"): Write(MANAGE, {"metadata": {"a": 1}}),
    ("DELETE", "/api/v2/stations/{id}"): Write(MANAGE, consumes=True),
    # Whose runs may not be reported, nor those of which procedure, is told for each file.
    ("POST", "/api/v2/imports/structured"): Write(ANY_STATION, {"items": [_REPORT]}, consumes=True),
    ("POST", "/api/v2/imports/tabular"): Write(LINKED, _TABULAR, consumes=True),
    ("POST", "/api/v2/imports/templates"): Write(MANAGE, {"name": "{new}", "mapping": _MAPPING}),
    ("DELETE", "/api/v2/imports/templates/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/cli/deployments/upload"): Write(MANAGE, {"name": "a.tar.gz", "size_bytes": len(ARCHIVE)}),
    ("POST", "/api/cli/deployments"): Write(MANAGE, {"procedure_id": "{procedure}", "upload_id": "{upload}"}),
    ("DELETE", "/api/quarantine/files/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/quarantine/files/{id}/retry"): Write(frozenset({"admin", "maker"}), {}),
    ("POST", "/api/runs/void"): Write(MANAGE, {"ids": ["{run}"], "reason": "Lid open"}, consumes=True),
    ("POST", "/api/runs/unvoid"): Write(MANAGE, {"ids": ["{voided}"]}, consumes=True),
    ("POST", "/api/runs/correct"): Write(
        MANAGE, {"ids": ["{run}"], "reason": "Wrong scan", "operator": "{new}"}, consumes=True
    ),
    ("POST", "/api/runs/uncorrect"): Write(
        MANAGE, {"ids": ["{corrected}"], "reason": "Right after all"}, consumes=True
    ),
    ("POST", "/api/units/correct"): Write(
        MANAGE, {"ids": ["{renamed}"], "reason": "Wrong label", "batch_number": "{new}"}, consumes=True
    ),
    ("POST", "/api/units/let-go"): Write(
        MANAGE, {"id": "{renamed}", "serial_number": "{old_number}", "reason": "Another's"}, consumes=True
    ),
    ("POST", "/api/units/merge"): Write(
        MANAGE, {"source": "{other}", "into": "{unit}", "reason": "Misread"}, consumes=True
    ),
    ("POST", "/api/units/split"): Write(MANAGE, {"id": "{merged}", "reason": "Two after all"}, consumes=True),
    ("POST", "/api/bin/{id}/restore"): Write(MANAGE, {}, consumes=True),
    ("DELETE", "/api/bin/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/comments"): Write(LINKED, {"thing_id": "{run}", "text": "Seen"}),
    ("PATCH", "/api/comments/{id}"): Write(frozenset({"admin", "maker"}), {"text": "Looked at"}),
    ("DELETE", "/api/comments/{id}"): Write(frozenset({"admin", "maker"}), consumes=True),
    ("POST", "/api/tags"): Write(MANAGE, {"name": "{new}"}),
    ("PATCH", "/api/tags/{id}"): Write(MANAGE, {"colour": "red"}),
    ("DELETE", "/api/tags/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/tags/apply"): Write(LINKED, {"thing_ids": ["{run}"], "add": ["{batch}"]}),
    ("POST", "/api/causes"): Write(MANAGE, {"code": "{new}", "name": "New"}),
    ("PATCH", "/api/causes/{id}"): Write(MANAGE, {"name": "Other"}),
    ("POST", "/api/parts/{id}/merge"): Write(
        MANAGE, {"into": "{other_part}", "reason": "Same"}, consumes=True
    ),
    ("POST", "/api/parts/{id}/split"): Write(MANAGE, {"reason": "Not the same"}, status=409),
    ("DELETE", "/api/causes/{id}"): Write(MANAGE, consumes=True),
    ("POST", "/api/causes/apply"): Write(LINKED, {"thing_ids": ["{run}"], "cause": "{batch}"}),
}
# What the parameters of these paths stand for, where it is not what they are called.
_IDS = {
    "/api/v2/attachments": "upload",
    "/api/v2/procedures": "unused_procedure",
    "/api/v2/stations": "bench",
    "/api/v2/imports": "template",
    "/api/v2/runs": "run",
    "/api/quarantine": "quarantined",
    "/api/bin": "in_bin",
    "/api/comments": "comment",
    "/api/tags": "noted_tag",
    "/api/causes": "cause",
    "/api/parts": "spare_part",
}
_NAMES = {
    "run_id": "run",
    "serial_number": "unit",
    "part_number": "part",
    "revision_number": "revision",
    "procedure_id": "procedure",
    "tag": "version",
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The rules do not depend on the database; `tests/ingest/test_reach.py` asks both."""
    return "sqlite"


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    acme, home = server.world.acme, ("--organization", server.world.acme.slug)
    operator = server.runcard(
        "user", "create", f"olga@{server.world.acme.slug}.test", "--role", "operator", *home
    )
    return {
        "admin": acme.admin.api_key,
        "operator": server.runcard("key", "create", "--user", operator["email"], *home)["api_key"],
        "viewer": acme.viewer.api_key,
        "maker": acme.ict.api_key,
        "linked": server.runcard("station", "create", "Twin", "--procedure", "FVT1", *home)["api_key"],
        "elsewhere": server.runcard("station", "create", "Other", "--procedure", "FVT2", *home)["api_key"],
        "unlinked": acme.lonely.api_key,
    }


@pytest.fixture(scope="module")
def caller(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=DEADLINE_S) as client:
        yield client


class Floor:
    """Asks for things, and makes them as the station `maker` does."""

    def __init__(self, server: Server, caller: httpx.Client, keys: Mapping[str, str]) -> None:
        self._board = str(server.world.acme.board.id)
        self._caller = caller
        self._keys = keys

    def ask(self, who: str, method: str, path: str, write: Write, names: Mapping[str, str]) -> httpx.Response:
        query, body = (_filled(one, names) for one in (write.query, write.body))
        headers = {"Authorization": f"Bearer {self._keys[who]}"}
        return self._caller.request(method, _path(path, names), params=query, json=body, headers=headers)

    def make(self) -> dict[str, str]:
        """Names and ids of one of everything that a route asks for."""
        mark = uuid4().hex[:8].upper()
        names = {"new": f"N{mark}", "procedure": self._board, "unit": f"SN-{mark}", "child": f"CHILD-{mark}"}
        names |= {
            "part": f"PART-{mark}",
            "revision": f"REV-{mark}",
            "batch": f"BATCH-{mark}",
            "version": f"v{mark}",
        }
        names["part_of_it"] = f"IN-{mark}"
        run = {
            **_V2_RUN,
            **_TIMES,
            "serial_number": "{unit}",
            "revision_number": "{revision}",
            "batch_number": "{batch}",
            "procedure_version": "{version}",
        }
        names["run"] = self._made("/runs", run, names)
        names["voided"], names["in_bin"], names["corrected"] = (
            self._made("/runs", run, names) for _ in range(3)
        )
        self._done("admin", "POST", "/api/runs/void", {"ids": ["{voided}"], "reason": "Lid open"}, names)
        self._done("admin", "DELETE", f"/api/v1/runs/{names['in_bin']}", None, names)
        names |= {"other": f"OTHER-{mark}", "merged": f"MERGED-{mark}"}
        for name in ("{child}", "{part_of_it}", "{other}", "{merged}"):
            unit = {"serial_number": name, "part_number": "{part}", "revision_number": "{revision}"}
            self._made("/units", unit, names)
        self._correct(names)
        added = {"child_serial_number": "{part_of_it}"}
        self._done("maker", "PUT", "/api/v2/units/{serial_number}/children", added, names)
        joined = {"source": "{merged}", "into": "{unit}", "reason": "Misread"}
        names["merged"] = self._done("admin", "POST", "/api/units/merge", joined, names)["id"]
        names["unit_file"] = self._made("/units/{serial_number}/attachments", {"name": "u.txt"}, names)
        names["upload"] = self._uploaded(b"x", names)
        names["report"] = self._uploaded(openhtf_report(f"HTF-{mark}", procedure_id="FVT1"), names)
        names["table"] = self._uploaded(b"a\n1\n", names, "a.csv")
        names["quarantined"] = self._quarantined(names)
        names["unused_procedure"] = self._made("/procedures", {"name": f"Unused {mark}"}, names, "admin")
        names["bench"] = self._made("/stations", {"name": f"Bench {mark}"}, names, "admin")
        for name in ("spare_part", "other_part"):
            names[name] = self._made("/parts", {"number": f"{name}-{mark}"}, names, "admin")
        template = {"name": f"T{mark}", "mapping": _MAPPING}
        names["template"] = self._made("/imports/templates", template, names, "admin")
        for name, who, path, body in (
            ("comment", "maker", "/api/comments", {"thing_id": "{run}", "text": "Seen"}),
            ("noted_tag", "admin", "/api/tags", {"name": "{batch}"}),
            ("cause", "admin", "/api/causes", {"code": "{batch}", "name": "Cause"}),
        ):
            names[name] = self._done(who, "POST", path, body, names)["id"]
        return names

    def _correct(self, names: dict[str, str]) -> None:
        """Correct a run, and a unit that has an old serial number then."""
        names["old_number"] = f"OLD-{names['new']}"
        unit = {
            "serial_number": "{old_number}",
            "part_number": "{part}",
            "revision_number": "{revision}",
        }
        names["renamed"] = self._made("/units", unit, names)
        for path, body in (
            ("/api/runs/correct", {"ids": ["{corrected}"], "operator": "Ana"}),
            ("/api/units/correct", {"ids": ["{renamed}"], "serial_number": "RIGHT-{new}"}),
        ):
            self._done("admin", "POST", path, {**body, "reason": "Wrong"}, names)

    def _made(self, path: str, body: Any, names: Mapping[str, str], who: str = "maker") -> str:
        made: str = self._done(who, "POST", f"/api/v2{path}", body, names)["id"]
        return made

    def _done(self, who: str, method: str, path: str, body: Any, names: Mapping[str, str]) -> Any:
        answer = self.ask(who, method, path, Write(frozenset(), body), names)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _uploaded(self, content: bytes, names: Mapping[str, str], name: str = "a.txt") -> str:
        slot = self._done("maker", "POST", "/api/v2/attachments", {"name": name}, names)
        assert self._caller.put(slot["upload_url"], content=content).status_code == 200
        upload_id: str = slot["id"]
        return upload_id

    def _quarantined(self, names: Mapping[str, str]) -> str:
        item = {"upload_id": self._uploaded(uuid4().bytes, names), "importer": "OPENHTF"}
        self._done("maker", "POST", "/api/v2/imports/structured", {"items": [item]}, names)
        listed = self._done("maker", "GET", "/api/quarantine/files", None, names)
        newest: str = listed["data"][0]["id"]
        return newest


def _filled(template: Any, names: Mapping[str, str]) -> Any:
    text = json.dumps(template)
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


def _path(path: str, names: Mapping[str, str]) -> str:
    """With what each parameter stands for."""
    of = next((name for start, name in _IDS.items() if path.startswith(start)), "")
    number = "batch" if "/batches" in path else "part"
    known = {parameter: names.get(name, "") for parameter, name in _NAMES.items()}
    known |= {"id": names.get(of, ""), "number": names[number]}
    filled: str = _filled(path, known)
    return filled


@pytest.fixture(scope="module")
def floor(server: Server, caller: httpx.Client, keys: dict[str, str]) -> Floor:
    return Floor(server, caller, keys)


def test_the_table_holds_every_route_that_writes(caller: httpx.Client) -> None:
    paths = caller.get("/api/openapi.json").json()["paths"]
    writing = {(method.upper(), path) for path, one in paths.items() for method in one if method != "get"}
    assert writing == set(WRITES)


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_who_may_write(floor: Floor, unchanged: Unchanged, route: Route) -> None:
    write, names = WRITES[route], floor.make()
    with unchanged():
        for who in EVERYBODY:
            if who not in write.who:
                answer = floor.ask(who, *route, write, names)
                assert (who, answer.status_code, answer.json()["code"]) == (who, 403, "FORBIDDEN"), (
                    answer.text
                )
    for who in EVERYBODY:
        if who in write.who:
            names["new"] = f"N{uuid4().hex[:10].upper()}"
            answer = floor.ask(who, *route, write, names)
            assert (who, answer.status_code) == (who, write.status), answer.text
            if write.consumes:
                names = floor.make()


def test_a_station_imports_no_run_that_it_may_not_report(floor: Floor, unchanged: Unchanged) -> None:
    names = floor.make()
    route = ("POST", "/api/v2/imports/structured")
    answer = floor.ask("elsewhere", *route, WRITES[route], names)
    (result,) = answer.json()["results"]
    assert not result["success"]
    assert "not authorized" in result["error"]


def test_a_unit_without_runs_may_be_described_by_any_station_that_is_linked(floor: Floor) -> None:
    names = floor.make()
    route = ("PATCH", "/api/v2/units/{serial_number}")
    of_child = {**names, "unit": names["child"]}
    for who, status in (("elsewhere", 200), ("linked", 200), ("unlinked", 403), ("viewer", 403)):
        assert floor.ask(who, *route, Write(LINKED, {"metadata": {"a": 1}}), of_child).status_code == status


def test_a_station_creates_nothing_that_its_runs_may_not(
    floor: Floor, unchanged: Unchanged, policy: Callable[..., AbstractContextManager[object]]
) -> None:
    names = floor.make()
    routes = {
        "parts": "/api/v2/parts",
        "revisions": "/api/v2/parts/{part_number}/revisions",
        "batches": "/api/v2/batches",
        "units": "/api/v2/units",
        "versions": "/api/v2/procedures/{procedure_id}/versions",
    }
    for what, path in routes.items():
        write = WRITES["POST", path]
        with policy(**{f"station_may_create_{what}": False}):
            with unchanged():
                answer = floor.ask("maker", "POST", path, write, names)
                assert answer.status_code == 403, answer.text
                assert "creation failed" in answer.json()["message"]
            assert floor.ask("operator", "POST", path, write, names).status_code == 200
        names["new"] = f"N{uuid4().hex[:10].upper()}"
