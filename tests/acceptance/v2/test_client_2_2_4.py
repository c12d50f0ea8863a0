"""The v2 module of tofupilot 2.2.4: every operation of it, with the key of an admin and with that of a station."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest

from tests.acceptance.deploying import COMMIT, REPOSITORY, command_line, deploy
from tests.acceptance.environments import old_environment, run_script
from tests.acceptance.wire import Json
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.world import World

OPERATION_COUNT = 44
FILE, CONTENT = "plot of vcc.csv", "t,v\n0,3.3\n"
LISTS = ["runs.list", "procedures.list", "units.list", "parts.list", "batches.list", "stations.list"]

# What a kind of key may not do at all, and as which class the client raises that.
REFUSED: Mapping[str, Mapping[str, str]] = {
    "user": {"stations.get_current": "ErrorFORBIDDEN"},
    "station": {
        "attachments.delete": "APIError",
        "batches.delete": "APIError",
        "batches.update": "APIError",
        "parts.delete": "APIError",
        "parts.revisions.delete": "APIError",
        "parts.revisions.update": "APIError",
        "parts.update": "APIError",
        "procedures.create": "APIError",
        "procedures.delete": "APIError",
        "procedures.update": "APIError",
        "procedures.versions.delete": "APIError",
        "runs.delete": "APIError",
        "stations.create": "ErrorFORBIDDEN",
        "stations.list": "APIError",
        "stations.remove": "APIError",
        "stations.update": "APIError",
        "units.delete": "APIError",
    },
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


class Came(NamedTuple):
    """What came back of one call, and what the client sent for it. `case` tells calls of an operation apart."""

    who: str
    operation: str
    case: str
    query: str
    body: str
    answer: Any = None
    error: str | None = None
    status: int | None = None
    text: str = ""


class Told(NamedTuple):
    """What the script found out. operations: all that the client has. contents: of what was downloaded."""

    calls: list[Came]
    operations: list[str]
    contents: Mapping[str, str]

    def call(self, who: str, operation: str, case: str = "") -> Came:
        (only,) = [one for one in self.calls if one[:3] == (who, operation, case)]
        return only

    def answer(self, who: str, operation: str, case: str = "") -> Any:
        call = self.call(who, operation, case)
        assert call.error is None, call
        return call.answer

    def of_case(self, case: str) -> Iterator[Came]:
        """The calls that users and stations made of it, without those that their key may not make at all."""
        found = [one for one in self.calls if one.case == case]
        assert found
        yield from (one for one in found if one.operation not in REFUSED[one.who])


@pytest.fixture(scope="module")
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """As the admin of Acme, as ICT-1, and as somebody whose key nobody made."""
    folder = tmp_path_factory.mktemp("station")
    (folder / FILE).write_text(CONTENT, "utf-8")
    acme = server.world.acme
    with command_line(server, acme.admin.api_key) as client:
        deploy(client, acme.board.id, commit=COMMIT, repository=REPOSITORY)
    found = run_script(
        old_environment("tofupilot-2.2.4"),
        "v2_client.py",
        folder,
        server,
        api_key=acme.ict.api_key,
        user_key=acme.admin.api_key,
        email=acme.admin.email,
        board=str(acme.board.id),
        final=str(acme.final.id),
        station=str(acme.ict.actor.station_id),
        file=FILE,
    ).found
    return Told([Came(**call) for call in found["told"]], found["operations"], found["contents"])


@pytest.fixture(scope="module", params=["station", "user"])
def who(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def maker(who: str, world: World) -> Json:
    """How a thing says who made it."""
    admin, ict = world.acme.admin, world.acme.ict
    if who == "user":
        user = {"id": str(admin.actor.user_id), "name": admin.name}
        return {"created_by_user": user, "created_by_station": None}
    return {
        "created_by_user": None,
        "created_by_station": {"id": str(ict.actor.station_id), "name": ict.name},
    }


def shown(thing: Json, *names: str) -> Json:
    return {name: thing[name] for name in names}


def made_by(thing: Json) -> Json:
    return shown(thing, "created_by_user", "created_by_station")


def test_every_operation_is_called_with_each_key(told: Told):
    assert len(told.operations) == OPERATION_COUNT
    for caller in ("user", "station", "stranger"):
        assert sorted({one.operation for one in told.calls if one.who == caller}) == told.operations


def test_every_operation_that_a_key_may_use_is_answered(told: Told, who: str):
    answered = {one.operation for one in told.calls if one.who == who and one.error is None}
    assert answered == set(told.operations) - set(REFUSED[who])


def test_the_client_can_read_everything(told: Told):
    assert [one for one in told.calls if one.status is not None and not 400 <= one.status < 500] == []
    assert [one for one in told.calls if one.error == "ResponseValidationError"] == []


def test_what_a_key_may_not_do_is_forbidden_before_anything_else(told: Told, who: str):
    words = ("stations cannot", "station access is not authorized", "forbidden", "permission")
    for call in told.calls:
        if call.who == who and call.operation in REFUSED[who]:
            assert (call.error, call.status) == (REFUSED[who][call.operation], 403), call
            assert any(word in call.text.lower() for word in words), call


def test_a_stranger_is_told_so(told: Told):
    for call in told.calls:
        if call.who == "stranger":
            assert (call.error, call.status, call.text) == ("ErrorUNAUTHORIZED", 401, "Invalid API key."), (
                call
            )


def test_what_does_not_exist_is_not_found(told: Told):
    # Stations must not learn which procedures there are.
    secrets = {
        ("station", "runs.create"): ("ErrorFORBIDDEN", 403),
        ("station", "procedures.versions.create"): ("APIError", 403),
    }
    for call in told.of_case("unknown"):
        wanted = secrets.get((call.who, call.operation), ("ErrorNOTFOUND", 404))
        assert (call.error, call.status) == wanted, call


def test_what_is_taken_is_a_conflict(told: Told):
    for call in told.of_case("taken"):
        assert (call.error, call.status) == ("ErrorCONFLICT", 409), call
        assert "already exists" in call.text


@pytest.mark.parametrize(
    ("operation", "case", "error", "status", "said"),
    [
        ("attachments.initialize", "blank", "ErrorBADREQUEST", 400, "name"),
        ("batches.create", "blank", "ErrorBADREQUEST", 400, "validation"),
        ("parts.create", "blank", "APIError", 400, "validation"),
        ("parts.revisions.create", "blank", "APIError", 400, "validation"),
        ("procedures.versions.create", "long", "APIError", 400, "60 character"),
        ("procedures.versions.create", "malformed", "APIError", 400, "procedure_id"),
        ("runs.create", "blank serial", "ErrorBADREQUEST", 400, "serial number"),
        ("runs.create", "no uuid", "ErrorBADREQUEST", 400, "uuid"),
        ("runs.create", "half a line", "ErrorBADREQUEST", 400, "line_number"),
        ("runs.create", "ends early", "APIError", 400, "ended_at"),
        ("runs.create", "no part", "ErrorUNPROCESSABLECONTENT", 422, "part number"),
        ("runs.list", "no uuid", "ErrorBADREQUEST", 400, "ids"),
        ("units.add_child", "itself", "ErrorBADREQUEST", 400, "circular"),
        ("units.remove_child", "not a child", "ErrorBADREQUEST", 400, "is not a child of"),
    ],
)
def test_bad_input_is_told(told: Told, who: str, operation, case, error, status, said):
    call = told.call(who, operation, case)
    assert (call.error, call.status) == (error, status)
    assert said in call.text.lower()


def test_what_only_one_key_is_refused(told: Told):
    blank = told.call("user", "procedures.create", "blank")
    assert (blank.error, blank.status) == ("APIError", 400)
    assert "validation" in blank.text
    run, version = (
        told.call("station", operation, "not linked")
        for operation in ("runs.create", "procedures.versions.create")
    )
    assert (run.error, run.status) == ("ErrorFORBIDDEN", 403)
    assert (version.error, version.status) == ("APIError", 403)
    assert "not authorized" in run.text
    in_use = told.call("user", "procedures.versions.delete", "in use")
    assert (in_use.error, in_use.status) == ("ErrorCONFLICT", 409)
    for operation, case in (("runs.get", "deleted"), ("stations.get", "removed")):
        assert told.call("user", operation, case).error == "ErrorNOTFOUND"


def test_a_run_is_shown_whole(told: Told, who: str, maker: Json, world: World):
    run, admin = told.answer(who, "runs.get"), world.acme.admin
    assert run["id"] == told.answer(who, "runs.create")["id"]
    assert shown(run, "outcome", "started_at", "ended_at", "duration", "docstring") == {
        "outcome": "FAIL",
        "started_at": "2026-01-31T12:00:00Z",
        "ended_at": "2026-01-31T12:05:00Z",
        "duration": "PT5M",
        "docstring": "Whole board",
    }
    assert shown(run["procedure"], "id", "name") == {"id": str(world.acme.board.id), "name": "Board"}
    assert run["procedure"]["version"]["tag"] == "1.2.3"
    unit = run["unit"]
    assert unit["serial_number"] == f"SN-{who}"
    assert (unit["part"]["number"], unit["part"]["name"]) == (f"PCB-{who}", "Main board")
    assert (unit["part"]["revision"]["number"], unit["batch"]["number"]) == ("B", f"LOT-{who}")
    operator = {"id": str(admin.actor.user_id), "name": admin.name, "email": admin.email}
    assert run["operated_by"] == operator
    if who == "user":
        maker["created_by_user"] = operator
    assert made_by(run) == maker
    (child,) = run["sub_units"]
    assert (child["serial_number"], child["part_number"]) == (f"CHILD-{who}", f"PCB-{who}")


def test_a_line_number_comes_as_a_float(told: Told, who: str):
    (log,) = told.answer(who, "runs.get")["logs"]
    assert '"line_number":3.0' in told.call(who, "runs.create").body
    assert shown(log, "level", "timestamp", "message", "source_file", "line_number") == {
        "level": "WARNING",
        "timestamp": "2026-01-31T12:00:00Z",
        "message": "hot",
        "source_file": "station.py",
        "line_number": 3,
    }


def test_phases_and_measurements(told: Told, who: str):
    first, second = told.answer(who, "runs.get")["phases"]
    assert shown(first, "name", "outcome", "duration", "retry_count", "docstring") == {
        "name": "power",
        "outcome": "FAIL",
        "duration": "PT1M",
        "retry_count": 0,
        "docstring": "Power up",
    }
    assert (second["outcome"], second["retry_count"], second["measurements"]) == ("PASS", 1, [])
    found = {one["name"]: one for one in first["measurements"]}
    values = {name: one["measured_value"] for name, one in found.items() if "measured_value" in one}
    assert values == {
        "vcc": 3.3,
        "limits": 7,
        "firmware": "1.2.3",
        "led": True,
        "settings": {"gain": [1, 2]},
        "list": ["a", "b"],
    }
    assert values["led"] is True
    assert {name: one["outcome"] for name, one in found.items() if one["outcome"] != "PASS"} == {
        "limits": "FAIL",
        "unset": "UNSET",
    }
    assert (found["vcc"]["units"], found["unset"]["units"]) == ("V", None)
    table = [(one["data"], one["units"]) for one in found["table"]["data_series"]]
    sweep = [(one["data"], one["units"]) for one in found["sweep"]["data_series"]]
    assert table == sweep == [([0, 10], "Hz"), ([1.5, 2.5], "V")]


def test_validators_and_aggregations(told: Told, who: str):
    found = {one["name"]: one for one in told.answer(who, "runs.get")["phases"][0]["measurements"]}
    (low,) = found["vcc"]["validators"]
    assert low == {
        "outcome": "PASS",
        "operator": ">=",
        "expected_value": 3.1,
        "expression": "x >= 3.1",
        "is_decisive": False,
        "is_expression_only": False,
        "analytics_expression": "x >= 3.1",
        "has_custom_expression": False,
    }
    limits = found["limits"]["validators"]
    judged = [(one["operator"], one["expected_value"], one["outcome"]) for one in limits]
    assert judged == [(">=", 5, "PASS"), ("<=", 6, "FAIL")]
    (count,) = found["sweep"]["aggregations"]
    assert (count["type"], count["value"], count["outcome"]) == ("count", 2, "PASS")
    _, y = found["sweep"]["data_series"]
    (spikes,), (highest,) = y["validators"], y["aggregations"]
    assert (spikes["expression"], spikes["operator"], spikes["is_expression_only"]) == (
        "no spikes",
        None,
        True,
    )
    assert (highest["type"], highest["value"], highest["unit"]) == ("max", 2.5, "V")
    assert highest["validators"] == [low]


def test_files_come_back(told: Told, who: str):
    (attachment,) = told.answer(who, "runs.get")["attachments"]
    assert shown(attachment, "name", "size", "content_type", "is_report") == {
        "name": FILE,
        "size": len(CONTENT),
        "content_type": "text/csv",
        "is_report": False,
    }
    assert told.contents[f"{who} {FILE}"] == CONTENT
    (note,) = told.answer(who, "units.get")["attachments"]
    assert note["id"] == told.answer(who, "attachments.initialize")["id"]
    assert shown(note, "name", "size", "content_type") == {
        "name": "note.txt",
        "size": 4,
        "content_type": "text/plain",
    }
    assert told.contents[f"{who} note.txt"] == "note"


def test_a_run_is_listed_as_it_is_shown(told: Told, who: str):
    listed = told.answer(who, "runs.list")
    assert listed["meta"] == {"has_more": False, "next_cursor": None}
    (run,) = listed["data"]
    assert run == shown(told.answer(who, "runs.get"), *run)


@pytest.mark.parametrize("operation", LISTS)
def test_pages(told: Told, operation: str):
    first, second = (told.call("user", operation, f"page {number}") for number in (1, 2))
    (one,), (other,) = first.answer["data"], second.answer["data"]
    assert one["id"] != other["id"]
    assert first.answer["meta"]["has_more"] is True
    (cursor,) = parse_qs(second.query)["cursor"]
    # Of two lists, the client knows cursors only as floats.
    as_sent = float if operation in ("runs.list", "procedures.list") else int
    assert cursor == str(as_sent(first.answer["meta"]["next_cursor"]))


def test_units(told: Told, who: str, maker: Json):
    unit = told.answer(who, "units.get")
    assert unit["id"] == told.answer(who, "units.create", f"SN-{who}")["id"]
    assert told.answer(who, "units.update") == {"id": unit["id"]}
    assert made_by(unit) == maker
    assert (unit["serial_number"], unit["batch"]["number"]) == (f"SN-{who}", f"LOT-{who}")
    assert (unit["part"]["number"], unit["part"]["revision"]["number"]) == (f"PCB-{who}", "B")
    assert (unit["parent"], unit["children"], unit["created_during"]) == (None, [], None)
    (listed,) = told.answer(who, "units.list", "with runs")["data"]
    assert listed["last_run"]["id"] == told.answer(who, "runs.create", "plain")["id"]
    assert listed["last_run"]["outcome"] == "PASS"
    assert listed["last_run"]["procedure"]["name"] == "Board"


def test_a_unit_that_a_run_made(told: Told, who: str, maker: Json):
    unit = told.answer(who, "units.get", "made by a run")
    during = unit["created_during"]
    assert during["id"] == told.answer(who, "runs.create", "new unit")["id"]
    assert (during["outcome"], during["duration"], during["procedure"]["name"]) == ("FAIL", "PT5M", "Board")
    assert made_by(unit) == maker


def test_sub_units(told: Told, who: str):
    unit_id = told.answer(who, "units.create", f"SN-{who}")["id"]
    child_id = told.answer(who, "units.create", f"CHILD-{who}")["id"]
    assert told.answer(who, "units.add_child") == told.answer(who, "units.remove_child") == {"id": child_id}
    parent = told.answer(who, "units.get", "as a child")["parent"]
    assert (parent["id"], parent["part"]["revision"]["number"]) == (unit_id, "A")
    found = {one["serial_number"]: one for one in told.answer(who, "units.list")["data"]}
    assert list(found) == [f"SN-{who}", f"CHILD-{who}"]
    assert found[f"SN-{who}"]["children"] == [{"id": child_id, "serial_number": f"CHILD-{who}"}]
    assert found[f"CHILD-{who}"]["parent"] == {"id": unit_id, "serial_number": f"SN-{who}"}
    without_parent = told.answer(who, "units.list", "without parent")["data"]
    assert [one["serial_number"] for one in without_parent] == [f"SN-{who}"]


def test_parts_and_revisions(told: Told, who: str, maker: Json):
    part, revision = told.answer(who, "parts.get"), told.answer(who, "parts.revisions.get")
    assert part["id"] == told.answer(who, "parts.create")["id"]
    assert revision["id"] == told.answer(who, "parts.revisions.create")["id"]
    assert made_by(part) == made_by(revision) == maker
    assert (part["number"], part["name"]) == (f"PCB-{who}", "Main board")
    assert [one["number"] for one in part["revisions"]] == ["A", "B"]
    (listed,) = told.answer(who, "parts.list")["data"]
    assert shown(listed, "id", "number", "name", "created_at") == shown(
        part, "id", "number", "name", "created_at"
    )
    assert [one["id"] for one in listed["revisions"]] == [one["id"] for one in part["revisions"]]
    assert revision["part"] == shown(part, "id", "number", "name")
    assert (revision["number"], revision["units"]) == ("B", [])
    units = told.answer(who, "parts.revisions.get", "with units")["units"]
    assert {one["serial_number"] for one in units} == {f"SN-{who}", f"NEW-{who}"}


def test_batches(told: Told, who: str, maker: Json):
    batch = told.answer(who, "batches.get")
    assert batch["id"] == told.answer(who, "batches.create")["id"]
    assert {one["serial_number"] for one in batch["units"]} == {f"SN-{who}", f"NEW-{who}"}
    assert {one["part"]["revision"]["number"] for one in batch["units"]} == {"B"}
    (listed,) = told.answer(who, "batches.list")["data"]
    assert listed == shown(batch, "id", "number", "created_at", *maker) | {"unit_count": 2}
    assert made_by(batch) == maker


# The station reports first.
RUN_COUNTS = {"station": 3, "user": 6}


def test_procedures(told: Told, who: str, world: World):
    board, admin = world.acme.board, world.acme.admin
    procedure = told.answer(who, "procedures.get")
    assert shown(procedure, "id", "name", "identifier", "runs_count") == {
        "id": str(board.id),
        "name": board.name,
        "identifier": board.identifier,
        "runs_count": RUN_COUNTS[who],
    }
    newest = procedure["recent_runs"][0]
    assert newest["id"] == told.answer(who, "runs.create", "new unit")["id"]
    assert (newest["outcome"], newest["unit"]) == ("FAIL", {"serial_number": f"NEW-{who}"})
    assert {one["name"] for one in procedure["stations"]} == {"ICT-1", "FCT-1"}
    (listed,) = told.answer(who, "procedures.list")["data"]
    creator = {"id": str(admin.actor.user_id), "name": admin.name, "email": admin.email}
    assert listed["created_by_user"] == procedure["created_by_user"] == creator
    assert (listed["id"], listed["name"]) == (procedure["id"], procedure["name"])
    assert (listed["runs"], listed["linkedRepository"]) == ([], None)


def test_versions(told: Told, who: str, maker: Json, world: World):
    version = told.answer(who, "procedures.versions.get")
    assert version["id"] == told.answer(who, "procedures.versions.create")["id"]
    assert (version["tag"], version["run_count"]) == (f"v1-{who}", 0)
    assert version["procedure"] == {"id": str(world.acme.board.id), "name": "Board"}
    assert made_by(version) == maker
    used = told.answer(who, "procedures.versions.get", "with runs")
    assert used["run_count"] == RUN_COUNTS[who] // 3 * 2


def test_stations(told: Told, who: str, world: World):
    bench, ict = told.answer(who, "stations.get"), told.answer(who, "stations.get", "that reports")
    assert (bench["id"], bench["name"]) == (told.answer("user", "stations.create")["id"], "Bench 1")
    assert shown(bench, "api_key", "organization_slug", "connection_status", "team") == {
        "api_key": None,
        "organization_slug": world.acme.slug,
        "connection_status": None,
        "team": None,
    }
    (procedure,) = ict["procedures"]
    assert shown(procedure, "id", "name", "identifier", "runs_count") == {
        "id": str(world.acme.board.id),
        "name": "Board",
        "identifier": "FVT1",
        "runs_count": 3,
    }
    assert procedure["deployment"]["commit"]["message"] == COMMIT["message"]
    assert procedure["deployment"]["repository"]["provider"] == "gitlab"


def test_the_current_station(told: Told, world: World):
    current, ict = told.answer("station", "stations.get_current"), world.acme.ict
    assert shown(current, "id", "name", "connection_status", "organization_slug") == {
        "id": str(ict.actor.station_id),
        "name": ict.name,
        "connection_status": "connected",
        "organization_slug": world.acme.slug,
    }
    assert ict.api_key.startswith(current["api_key"])
    assert [one["identifier"] for one in current["procedures"]] == ["FVT1"]


def test_listed_stations(told: Told, world: World):
    (bench,) = told.answer("user", "stations.list")["data"]
    board = world.acme.board
    assert bench == {
        "id": told.answer("user", "stations.create")["id"],
        "name": "Bench 1",
        "procedures": [{"id": str(board.id), "identifier": board.identifier, "name": board.name}],
        "procedures_count": 1,
        "team": None,
    }


def test_users(told: Told, who: str, world: World):
    acme = world.acme
    listed = {one["email"]: one for one in told.answer(who, "user.list")}
    members = (acme.admin, acme.engineer, acme.viewer, acme.suspended)
    assert {one["id"] for one in listed.values()} == {str(one.actor.user_id) for one in members}
    assert [email for email, one in listed.items() if one["banned"]] == [acme.suspended.email]
    me = [listed[acme.admin.email]] if who == "user" else []
    assert told.answer(who, "user.list", "current") == me


def test_changes_and_deletions_name_what_they_changed(told: Told):
    def made(operation: str, case: str = "") -> str:
        made_id: str = told.answer("user", operation, case)["id"]
        return made_id

    bench, burn_in = made("stations.create"), made("procedures.create")
    part, revision = made("parts.create", "spare"), made("parts.revisions.create", "spare")
    assert told.answer("user", "stations.update") == {"id": bench, "name": "Bench 1b"}
    assert told.answer("user", "stations.remove") == {"id": bench}
    assert told.answer("user", "procedures.update") == {"id": burn_in}
    assert told.answer("user", "procedures.get", "renamed")["name"] == "Burn-in 2"
    assert told.answer("user", "procedures.delete") == {"id": burn_in}
    version = told.answer("station", "procedures.versions.create")
    assert told.answer("user", "procedures.versions.delete") == version
    assert told.answer("user", "parts.revisions.update") == {"id": revision}
    assert told.answer("user", "parts.revisions.delete") == {"id": revision}
    changed = told.answer("user", "parts.update")
    assert shown(changed, "id", "number", "name") == {"id": part, "number": "SPARE-2", "name": "Spare part"}
    deleted = told.answer("user", "parts.delete")
    assert (deleted["id"], len(deleted["deletedRevisionIds"])) == (part, 1)
    batch = made("batches.create", "spare")
    assert told.answer("user", "batches.update") == {"id": batch}
    assert told.answer("user", "batches.delete") == {"id": [batch]}
    run = told.answer("station", "runs.create")
    assert told.answer("station", "runs.update") == run
    for resource, create in (("attachments", "initialize"), ("units", "create"), ("runs", "create")):
        made_id = made(f"{resource}.{create}", "to delete")
        assert told.answer("user", f"{resource}.delete") == {"id": [made_id]}
