"""The error table of POST /runs (section 3.8 of the v1 contract), row by row, and the order of its rows."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from runcard.auth.api_keys import new_api_key
from runcard.domain.actor import SystemActor
from runcard.domain.floor.key import KeyTerms
from runcard.store.people.api_keys import create_station_key, list_keys, revoke_key
from tests.acceptance.conftest import Policy, Unchanged
from tests.acceptance.wire import (
    INVALID,
    MISSING_PART_NUMBER,
    NOT_AUTHORIZED,
    Json,
    assert_error,
    create_run,
    measurement_of,
    phase_of,
    run_of,
    runs_of,
)
from tests.servers import Server
from tests.world import World

NOT_JSON = b'{"run_passed": true,'
JSON = {"Content-Type": "application/json"}
NOBODYS_ID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Basic YWRhOnNlY3JldA==",
        "Bearer rc_there-is-no-such-key",
        "Bearer " + "x" * 5000,
        "Bearer \u00e4\u00f6\u00fc",
        "Token rc_there-is-no-such-key",
    ],
)
def test_row_1_key_is_missing_or_invalid(stranger, serial, unchanged: Unchanged, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    with unchanged():
        answer = stranger.post("/runs", json=run_of(serial), headers=headers)
        assert_error(answer, 401, "UNAUTHORIZED")


def test_row_1_key_of_a_suspended_user(server: Server, serial, unchanged: Unchanged):
    with server.client(server.world.acme.suspended.api_key) as suspended, unchanged():
        assert_error(suspended.post("/runs", json=run_of(serial)), 401, "UNAUTHORIZED", "Invalid API key.")


def test_row_1_key_that_is_revoked_while_the_server_knows_it(server: Server, serial):
    made = server.runcard("key", "create", "--station", "FCT-1", "--organization", server.world.acme.slug)
    with server.client(made["api_key"]) as station:
        create_run(station, run_of(serial))
        with server.database() as database, database.read_in(server.world.acme.id) as scope:
            keys = {str(key.id): key for key in list_keys(scope)}
        server.change(
            lambda tx: revoke_key(tx.of(SystemActor(server.world.acme.id, "test")), keys[made["id"]].id)
        )
        assert_error(station.post("/runs", json=run_of(serial)), 401, "UNAUTHORIZED", "Invalid API key.")
        assert_error(
            station.get("/runs", params={"serial_number": serial}), 401, "UNAUTHORIZED", "Invalid API key."
        )


def test_row_1_key_that_has_expired(server: Server, serial, unchanged: Unchanged):
    key, acme = new_api_key(), server.world.acme
    terms = KeyTerms("the old tester", datetime.now(UTC) - timedelta(days=1))
    server.change(
        lambda tx: create_station_key(
            tx.of(SystemActor(acme.id, "test")), acme.fct.actor.station_id, key.secret, terms
        )
    )
    with server.client(key.api_key) as station, unchanged():
        for answer in (
            station.post("/runs", json=run_of(serial)),
            station.get("/runs", params={"serial_number": serial}),
            station.post(f"{server.url}/api/v2/runs", json={}),
        ):
            assert_error(answer, 401, "UNAUTHORIZED")
            assert answer.json()["message"].startswith("Invalid API key: it expired at ")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/runs"),
        ("GET", "/runs?serial_number=x"),
        ("GET", "/runs"),
        ("DELETE", f"/runs/{NOBODYS_ID}"),
        ("POST", "/uploads/initialize"),
        ("POST", "/uploads/sync"),
        ("POST", "/import"),
        ("PATCH", "/units"),
        ("PATCH", "/units/x"),
        ("DELETE", "/units/x"),
        ("GET", "/rooms"),
        ("GET", "/streaming"),
    ],
)
def test_row_1_at_every_other_door(stranger, method, path):
    assert_error(stranger.request(method, path, headers=JSON), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "body", [b"", NOT_JSON, b"run_passed=1", b"<run/>", b"\xff\xfe", b"{} {}", b"{'run_passed': 1}", b"[1,]"]
)
def test_row_2_body_is_not_json(admin, unchanged: Unchanged, body):
    with unchanged():
        assert_error(admin.post("/runs", content=body, headers=JSON), 400, "PARSE_ERROR")


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


SN = "SN-NEVER-RECORDED"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(_without(run_of(SN), "run_passed"), ["run_passed"], id="no run_passed"),
        pytest.param(run_of(SN, run_passed=None), ["run_passed"], id="null run_passed"),
        pytest.param(run_of(SN, run_passed="true"), ["run_passed"], id="text run_passed"),
        pytest.param(run_of(SN, run_passed=1), ["run_passed"], id="number run_passed"),
        pytest.param(_without(run_of(SN), "procedure_id"), ["procedure_id"], id="no procedure"),
        pytest.param(run_of(SN, procedure_id=None), ["procedure_id"], id="null procedure"),
        pytest.param(run_of(SN, procedure_id=""), ["procedure_id"], id="empty procedure"),
        pytest.param(run_of(SN, procedure_id="x" * 256), ["procedure_id"], id="long procedure"),
        pytest.param(run_of(SN, procedure_name="x" * 256), ["procedure_name"], id="long procedure name"),
        pytest.param(run_of(SN, procedure_version="x" * 256), ["procedure_version"], id="long version"),
        pytest.param(
            _without(run_of(SN), "unit_under_test"), ["unit_under_test", "serial_number"], id="no unit"
        ),
        pytest.param(
            run_of(unit_under_test={"part_number": "P"}), ["unit_under_test", "serial_number"], id="no serial"
        ),
        pytest.param(run_of(None), ["unit_under_test", "serial_number"], id="null serial"),
        pytest.param(run_of(""), ["unit_under_test", "serial_number"], id="empty serial"),
        pytest.param(run_of(" \t"), ["unit_under_test", "serial_number"], id="blank serial"),
        pytest.param(run_of("x" * 256), ["unit_under_test", "serial_number"], id="long serial"),
        pytest.param(run_of(SN, unit_under_test="SN1"), ["unit_under_test"], id="text unit"),
        pytest.param(run_of(SN, outcome="RUNNING"), ["outcome"], id="running"),
        pytest.param(run_of(SN, outcome="pass"), ["outcome"], id="lower-case outcome"),
        pytest.param(run_of(SN, phases=[phase_of(name="")]), ["phases", 0, "name"], id="empty phase name"),
        pytest.param(
            run_of(SN, phases=[phase_of(), phase_of(outcome="UNSET")]),
            ["phases", 1, "outcome"],
            id="phase outcome",
        ),
        pytest.param(
            run_of(SN, phases=[phase_of(measurement_of(outcome="SKIP"))]),
            ["phases", 0, "measurements", 0, "outcome"],
            id="measurement outcome",
        ),
        pytest.param(
            run_of(SN, phases=[phase_of(measurement_of(name=None))]),
            ["phases", 0, "measurements", 0, "name"],
            id="null measurement name",
        ),
        pytest.param(run_of(SN, phases={"name": "x"}), ["phases"], id="phases no array"),
        pytest.param(run_of(SN, steps=[{"step_passed": True}]), ["steps", 0, "name"], id="step without name"),
    ],
)
def test_row_3_schema(admin, unchanged: Unchanged, body, path):
    with unchanged():
        assert_error(admin.post("/runs", json=body), 400, "BAD_REQUEST", INVALID, at=path)


def test_row_3_names_every_field_that_is_wrong(admin):
    answer = admin.post("/runs", json={"procedure_id": 7, "phases": [{"outcome": "GOOD"}], "duration": 5})
    body = assert_error(answer, 400, "BAD_REQUEST", INVALID, at=["run_passed"])
    paths = [issue["path"] for issue in body["issues"]]
    for path in (["procedure_id"], ["phases", 0, "name"], ["phases", 0, "outcome"], ["duration"]):
        assert path in paths
    assert all(issue["message"] and issue["code"] for issue in body["issues"])


@pytest.mark.parametrize("procedure", ["FVT2", "FVT99", "no such procedure", NOBODYS_ID])
def test_row_4_station_is_not_linked_and_learns_nothing_else(ict, serial, unchanged: Unchanged, procedure):
    with unchanged():
        answer = ict.post("/runs", json=run_of(serial, procedure_id=procedure))
        assert_error(answer, 403, "FORBIDDEN", NOT_AUTHORIZED)


def test_row_4_procedure_by_id_and_of_another_organization(server: Server, ict, fct, lonely, world: World):
    acme = world.acme
    for client, procedure in [
        (ict, acme.final.id),
        (lonely, acme.board.id),
        (lonely, acme.board.identifier),
        (fct, world.globex.board.id),
    ]:
        answer = client.post("/runs", json=run_of(SN, procedure_id=str(procedure)))
        assert_error(answer, 403, "FORBIDDEN", NOT_AUTHORIZED)


@pytest.mark.parametrize("procedure", ["FVT99", "  FVT99\t", NOBODYS_ID])
def test_row_5_user_and_unknown_procedure(admin, serial, unchanged: Unchanged, procedure):
    with unchanged():
        answer = admin.post("/runs", json=run_of(serial, procedure_id=procedure))
        assert_error(
            answer,
            404,
            "NOT_FOUND",
            f"Procedure with ID {procedure.strip()} does not exist. Create the procedure first in the app.",
        )


def test_row_5_procedure_of_another_organization(globex, world: World, serial):
    procedure = str(world.acme.board.id)
    answer = globex.post("/runs", json=run_of(serial, procedure_id=procedure))
    message = f"Procedure with ID {procedure} does not exist. Create the procedure first in the app."
    assert_error(answer, 404, "NOT_FOUND", message)


def test_row_5_name_of_a_procedure_does_not_stand_in_for_its_id(admin, serial):
    answer = admin.post("/runs", json=run_of(serial, procedure_id="FVT99", procedure_name="Board"))
    assert_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("address", ["nobody@acme.test", " nobody@acme.test ", "{gus}"])
def test_row_6_operator_is_unknown(admin, fct, serial, world: World, unchanged: Unchanged, address):
    email = address.format(gus=world.globex.admin.email)
    message = f"Operator with email {email.strip()} does not exist. Create the user first in the app."
    with unchanged():
        for client in (admin, fct):
            answer = client.post("/runs", json=run_of(serial, operated_by=email))
            assert_error(answer, 404, "NOT_FOUND", message)


@pytest.mark.parametrize("part_number", [None, "", "  "])
def test_row_7_no_part_number(admin, fct, serial, unchanged: Unchanged, part_number):
    with unchanged():
        for client in (admin, fct):
            answer = client.post("/runs", json=run_of(serial, unit={"part_number": part_number}))
            assert_error(answer, 400, "BAD_REQUEST", MISSING_PART_NUMBER)


def _unreadable(serial: str) -> str:
    return (
        f"Part number extraction failed for serial number {serial}. "
        "Provide a part_number parameter explicitly or fix the regex pattern in organization settings."
    )


@pytest.mark.parametrize("pattern", ["^([0-9]{8})", "^SN-(X*)", "^()", "(?P<part_number>Z)?"])
def test_row_8_pattern_finds_no_part_number(admin, serial, policy: Policy, unchanged: Unchanged, pattern):
    with policy(serial_number_pattern=pattern), unchanged():
        answer = admin.post("/runs", json=run_of(f" {serial} ", unit={"part_number": None}))
        assert_error(answer, 422, "UNPROCESSABLE_CONTENT", _unreadable(serial))


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*b"])
def test_row_8_explosive_pattern_is_answered(admin, policy: Policy, pattern):
    serial = "a" * 254 + "!"
    with policy(serial_number_pattern=pattern):
        answer = admin.post("/runs", json=run_of(serial, unit={"part_number": None}))
        assert_error(answer, 422, "UNPROCESSABLE_CONTENT", _unreadable(serial))


def test_row_9_sub_units_are_unknown(admin, fct, globex, new_serial, unchanged: Unchanged):
    known, theirs, missing = new_serial(), new_serial(), new_serial()
    create_run(admin, run_of(known))
    create_run(globex, run_of(theirs))
    body = run_of(new_serial(), sub_units=[{"serial_number": s} for s in (known, missing, theirs)])
    with unchanged():
        for client in (admin, fct):
            answer = client.post("/runs", json=body)
            assert_error(answer, 400, "BAD_REQUEST", f"Sub-units not found: {missing}, {theirs}")


def test_row_9_sub_unit_is_the_unit_itself(admin, serial, unchanged: Unchanged):
    create_run(admin, run_of(serial))
    with unchanged():
        answer = admin.post("/runs", json=run_of(serial, sub_units=[{"serial_number": serial.lower()}]))
        assert_error(answer, 400, "BAD_REQUEST", "Circular parent relationship not allowed")


def test_row_9_new_unit_cannot_be_its_own_sub_unit(admin, serial, unchanged: Unchanged):
    with unchanged():
        answer = admin.post("/runs", json=run_of(serial, sub_units=[serial]))
        assert_error(answer, 400, "BAD_REQUEST")


KNOWN = {"part_number": "KNOWN-PART", "revision": "B", "batch_number": "KNOWN-BATCH"}
NEW = {
    "parts": {"part_number": "NEVER-PART"},
    "revisions": {"revision": "NEVER-REVISION"},
    "batches": {"batch_number": "NEVER-BATCH"},
}


@pytest.mark.parametrize(
    ("closed", "message"),
    [
        (["parts"], "Part creation failed."),
        (["revisions"], "Revision creation failed."),
        (["batches"], "Batch creation failed."),
        (["units"], "Unit creation failed."),
        (["versions"], "Version creation failed."),
        (["batches", "versions"], "Batch creation failed.; Version creation failed."),
        (
            ["parts", "revisions", "batches", "units", "versions"],
            (
                "Part creation failed.; Revision creation failed.; Batch creation failed.; "
                "Unit creation failed.; Version creation failed."
            ),
        ),
    ],
)
def test_row_10_station_may_not_create(
    fct, admin, new_serial, policy: Policy, unchanged: Unchanged, closed, message
):
    known = new_serial()
    create_run(admin, run_of(known, unit=KNOWN, procedure_version="1.0"))
    new: Json = {}
    for entity in closed:
        new |= NEW.get(entity, {})
    serial = new_serial() if "units" in closed else known
    version = "NEVER-VERSION" if "versions" in closed else "1.0"
    body = run_of(serial, unit=KNOWN | new, procedure_version=version)
    with policy(**{f"station_may_create_{entity}": False for entity in closed}):
        with unchanged():
            assert_error(fct.post("/runs", json=body), 403, "FORBIDDEN", message)
        create_run(fct, run_of(known, unit=KNOWN, procedure_version="1.0"))


def test_row_10_policies_do_not_bind_users(admin, new_serial, policy: Policy):
    closed = ("parts", "revisions", "batches", "units", "versions")
    unique = new_serial()
    with policy(**{f"station_may_create_{entity}": False for entity in closed}):
        unit = {"part_number": f"P-{unique}", "revision": "Z", "batch_number": f"B-{unique}"}
        create_run(admin, run_of(unique, unit=unit, procedure_version=f"V-{unique}"))


def test_row_10_default_revision_comes_with_its_part(fct, new_serial, policy: Policy):
    with policy(station_may_create_revisions=False):
        create_run(fct, run_of(new_serial(), unit={"part_number": f"P-{new_serial()}"}))


def test_row_10_viewers_record_nothing(viewer, serial, unchanged: Unchanged):
    with unchanged():
        assert_error(viewer.post("/runs", json=run_of(serial)), 403, "FORBIDDEN")


def test_row_11_monthly_quota(admin, fct, globex, serial, policy: Policy, unchanged: Unchanged):
    create_run(admin, run_of(serial))
    with policy(monthly_run_quota=0), unchanged():
        for client in (admin, fct):
            answer = client.post("/runs", json=run_of(serial))
            assert_error(answer, 403, "FORBIDDEN", "Monthly limit exceeded.")
    with policy(monthly_run_quota=1):
        create_run(globex, run_of(serial))
        assert_error(admin.post("/runs", json=run_of(serial)), 403, "FORBIDDEN", "Monthly limit exceeded.")
    with policy(monthly_run_quota=100_000):
        create_run(admin, run_of(serial))
    assert len(runs_of(admin, serial)) == 2


# What is wrong with a run, in the order of the table; each says how to break a valid run of a station.
BAD_SCHEMA = {"run_passed": "yes"}
UNLINKED = {"procedure_id": "FVT99"}
NO_OPERATOR = {"operated_by": "nobody@acme.test"}
NO_PART = {"unit": {"part_number": None}}
NO_SUB_UNIT = {"sub_units": ["NEVER-SUB-UNIT"]}
NEW_VERSION = {"procedure_version": "NEVER-VERSION"}


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param([BAD_SCHEMA, UNLINKED], (400, "BAD_REQUEST", INVALID), id="3 before 4"),
        pytest.param([UNLINKED, NO_OPERATOR], (403, "FORBIDDEN", NOT_AUTHORIZED), id="4 before 6"),
        pytest.param([UNLINKED, NO_PART], (403, "FORBIDDEN", NOT_AUTHORIZED), id="4 before 7"),
        pytest.param([NO_OPERATOR, NO_PART], (404, "NOT_FOUND", None), id="6 before 7"),
        pytest.param([NO_OPERATOR, NO_SUB_UNIT, NEW_VERSION], (404, "NOT_FOUND", None), id="6 before 9, 10"),
        pytest.param([NO_PART, NO_SUB_UNIT], (400, "BAD_REQUEST", MISSING_PART_NUMBER), id="7 before 9"),
        pytest.param(
            [NO_SUB_UNIT, NEW_VERSION],
            (400, "BAD_REQUEST", "Sub-units not found: NEVER-SUB-UNIT"),
            id="9 before 10",
        ),
        pytest.param([NEW_VERSION], (403, "FORBIDDEN", "Version creation failed."), id="10 before 11"),
        pytest.param([], (403, "FORBIDDEN", "Monthly limit exceeded."), id="11"),
    ],
)
def test_order_of_rows_for_stations(fct, serial, policy: Policy, unchanged: Unchanged, faults, expected):
    changes: Json = {}
    for fault in faults:
        changes |= fault
    with policy(station_may_create_versions=False, monthly_run_quota=0), unchanged():
        answer = fct.post("/runs", json=run_of(serial, **changes))
        status, code, message = expected
        path = ["run_passed"] if BAD_SCHEMA in faults else None
        assert_error(answer, status, code, message, at=path)


def test_order_of_rows_for_users(admin, serial, policy: Policy, unchanged: Unchanged):
    everything = run_of(serial, **UNLINKED, **NO_OPERATOR, **NO_PART, **NO_SUB_UNIT)
    with policy(serial_number_pattern="^never$", monthly_run_quota=0), unchanged():
        assert (
            "Procedure with ID"
            in assert_error(admin.post("/runs", json=everything), 404, "NOT_FOUND")["message"]
        )
        everything["procedure_id"] = "FVT1"
        assert (
            "Operator with" in assert_error(admin.post("/runs", json=everything), 404, "NOT_FOUND")["message"]
        )
        del everything["operated_by"]
        assert_error(admin.post("/runs", json=everything), 422, "UNPROCESSABLE_CONTENT", _unreadable(serial))
        everything["unit_under_test"]["part_number"] = "PCB-100"
        message = "Sub-units not found: NEVER-SUB-UNIT"
        assert_error(admin.post("/runs", json=everything), 400, "BAD_REQUEST", message)
        del everything["sub_units"]
        assert_error(admin.post("/runs", json=everything), 403, "FORBIDDEN", "Monthly limit exceeded.")


def test_order_key_before_body(stranger: httpx.Client, admin: httpx.Client):
    for content in (NOT_JSON, b'{"run_passed": 1}'):
        assert_error(stranger.post("/runs", content=content, headers=JSON), 401, "UNAUTHORIZED")
        headers = {"Content-Type": "text/xml"}
        assert_error(stranger.post("/runs", content=content, headers=headers), 401, "UNAUTHORIZED")
    assert_error(admin.post("/runs", content=NOT_JSON, headers=JSON), 400, "PARSE_ERROR")


def test_same_body_twice_is_two_runs(admin, serial):
    first, second = create_run(admin, run_of(serial)), create_run(admin, run_of(serial))
    assert first != second
    assert [run["id"] for run in runs_of(admin, serial)] == [second, first]
