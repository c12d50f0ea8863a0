"""Input that no station should send: each gets an error of the contract that names the field, and changes nothing."""

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Unchanged
from tests.acceptance.wire import (
    INVALID,
    Json,
    assert_error,
    create_run,
    measurement_of,
    phase_of,
    recorded,
    run_of,
    runs_of,
)
from tests.conftest import DatabaseKind
from tests.servers import Server

JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024
SN = "SN-NEVER-RECORDED"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def _post(client: httpx.Client, text: str | bytes) -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    return client.post("/runs", content=content, headers=JSON)


def _log(**changes: Any) -> Json:
    return {"level": "INFO", "timestamp": "2024-03-01T12:00:00Z", "message": "m", **changes}


WRONG_TYPES = [
    (run_of(SN, run_passed=[]), ["run_passed"]),
    (run_of(SN, procedure_id=1), ["procedure_id"]),
    (run_of(SN, procedure_version=1.5), ["procedure_version"]),
    (run_of(SN, started_at=1_700_000_000), ["started_at"]),
    (run_of(SN, started_at="yesterday"), ["started_at"]),
    (run_of(SN, started_at="2024-02-30T12:00:00Z"), ["started_at"]),
    (run_of(SN, started_at="2024-03-01"), ["started_at"]),
    (run_of(SN, started_at="2024-03-01T25:00:00Z"), ["started_at"]),
    (run_of(SN, started_at="2024-03-01T12:00:00+99:00"), ["started_at"]),
    (run_of(SN, started_at="10000-01-01T00:00:00Z"), ["started_at"]),
    (run_of(SN, started_at="0001-01-01T00:00:00+14:00"), ["started_at"]),
    (run_of(SN, started_at=""), ["started_at"]),
    (run_of(SN, duration=90), ["duration"]),
    (run_of(SN, duration="90"), ["duration"]),
    (run_of(SN, duration=""), ["duration"]),
    (run_of(SN, duration="1:30:00"), ["duration"]),
    (run_of(SN, duration="P1Y"), ["duration"]),
    (run_of(SN, duration="P1M"), ["duration"]),
    (run_of(SN, duration="-PT1S"), ["duration"]),
    (run_of(SN, duration="PT-1S"), ["duration"]),
    (run_of(SN, duration="PT" + "9" * 400 + "S"), ["duration"]),
    (run_of(SN, duration="P9999999D"), ["duration"]),
    (run_of(SN, duration="P999999999W"), ["duration"]),
    (run_of(SN, started_at="2024-03-01T12:00:00Z", ended_at="2024-03-01T11:59:59Z"), ["duration"]),
    (run_of(SN, ended_at="never"), ["ended_at"]),
    (run_of(SN, phases="none"), ["phases"]),
    (run_of(SN, phases=[None]), ["phases", 0]),
    (run_of(SN, phases=[phase_of(name=7)]), ["phases", 0, "name"]),
    (run_of(SN, phases=[phase_of(start_time_millis="now")]), ["phases", 0, "start_time_millis"]),
    (run_of(SN, phases=[phase_of(measurements={})]), ["phases", 0, "measurements"]),
    (run_of(SN, phases=[phase_of(measurements=["vcc"])]), ["phases", 0, "measurements", 0]),
    (run_of(SN, phases=[phase_of(measurement_of(units=5))]), ["phases", 0, "measurements", 0, "units"]),
    (
        run_of(SN, phases=[phase_of(measurement_of(lower_limit="3.1"))]),
        ["phases", 0, "measurements", 0, "lower_limit"],
    ),
    (
        run_of(SN, phases=[phase_of(measurement_of(validators="x > 3"))]),
        ["phases", 0, "measurements", 0, "validators"],
    ),
    (
        run_of(SN, phases=[phase_of(measurement_of(validators=[3]))]),
        ["phases", 0, "measurements", 0, "validators", 0],
    ),
    (run_of(SN, logs=[_log(), _log(message=None)]), ["logs", 1, "message"]),
    (run_of(SN, logs=[_log(timestamp="12:00")]), ["logs", 0, "timestamp"]),
    (run_of(SN, logs=[_log(line_number="7")]), ["logs", 0, "line_number"]),
    (run_of(SN, logs=[_log(line_number=7.5)]), ["logs", 0, "line_number"]),
    (run_of(SN, logs=[_log(line_number=1e300)]), ["logs", 0, "line_number"]),
    (run_of(SN, logs=[_log(timestamp=1e300)]), ["logs", 0, "timestamp"]),
    (run_of(SN, logs=[{"level": "INFO"}]), ["logs", 0, "timestamp"]),
    (run_of(SN, steps=[{"name": "s", "duration": "P1Y"}]), ["steps", 0, "duration"]),
    (run_of(SN, steps=[{"name": "s", "duration": "P9999999D"}]), ["steps", 0, "duration"]),
    (run_of(SN, steps=[{"name": "s", "started_at": "noon"}]), ["steps", 0, "started_at"]),
    (run_of(SN, sub_units="SN"), ["sub_units"]),
    (run_of(SN, sub_units=["x" * 256]), ["sub_units", 0]),
    (run_of(SN, sub_units=[{"serial_number": "x" * 256}]), ["sub_units", 0, "serial_number"]),
    (run_of(SN, operated_by=["a@b"]), ["operated_by"]),
    (run_of(SN, operated_by="x" * 256), ["operated_by"]),
    (run_of(SN, unit={"part_number": "x" * 256}), ["unit_under_test", "part_number"]),
    (run_of(SN, unit={"revision": "x" * 256}), ["unit_under_test", "revision"]),
    (run_of(SN, unit={"batch_number": "x" * 256}), ["unit_under_test", "batch_number"]),
    (run_of(SN, unit={"batch_number": 7}), ["unit_under_test", "batch_number"]),
]


@pytest.mark.parametrize(
    ("body", "path"), WRONG_TYPES, ids=[json.dumps(path)[:40] for _, path in WRONG_TYPES]
)
def test_wrong_types_lengths_dates_and_durations(admin, unchanged: Unchanged, body, path):
    with unchanged():
        assert_error(admin.post("/runs", json=body), 400, "BAD_REQUEST", INVALID, at=path)


@pytest.mark.parametrize("body", ["null", "true", "7", '"run"', "[]", "[{}]"])
def test_json_that_is_no_object(admin, unchanged: Unchanged, body):
    with unchanged():
        for method, path in [
            ("POST", "/runs"),
            ("POST", "/import"),
            ("POST", "/uploads/initialize"),
            ("POST", "/uploads/sync"),
            ("PATCH", "/units"),
            ("PATCH", "/units/x"),
        ]:
            answer = admin.request(method, path, content=body, headers=JSON)
            assert_error(answer, 400, "BAD_REQUEST", INVALID, at=[])


@pytest.mark.parametrize("millis", [1e18, -1e18, 253_402_300_800_000, "1e400", "NaN", "-Infinity"])
def test_moments_outside_of_the_calendar(admin, unchanged: Unchanged, millis):
    for name in ("start_time_millis", "end_time_millis"):
        text = json.dumps(run_of(SN, phases=[phase_of(**{name: "MILLIS"})])).replace('"MILLIS"', str(millis))
        with unchanged():
            answer = _post(admin, text)
            assert answer.status_code == 400, answer.text
            assert answer.json()["issues"][0]["path"][:2] == ["phases", 0]
            assert name in json.dumps(answer.json()["issues"])


NUL_FIELDS = [
    ({"unit": {"serial_number": "SN\0"}}, "serial_number"),
    ({"unit": {"part_number": "\0"}}, "part_number"),
    ({"unit": {"revision": "A\0"}}, "revision"),
    ({"unit": {"batch_number": "B\0B"}}, "batch_number"),
    ({"procedure_id": "FVT1\0"}, "procedure"),
    ({"procedure_version": "1\0"}, "procedure_version"),
    ({"operated_by": "ada\0@acme.test"}, "operated_by"),
    ({"sub_units": ["SN\0"]}, "sub_units"),
    ({"docstring": "\0"}, "docstring"),
    ({"client": "\0"}, "client"),
    ({"client_version": "\0"}, "client_version"),
]


@pytest.mark.parametrize(("changes", "field"), NUL_FIELDS, ids=[field for _, field in NUL_FIELDS])
def test_nul_characters_in_names(admin, unchanged: Unchanged, changes, field):
    with unchanged():
        answer = admin.post("/runs", json=run_of(SN, **changes))
        assert answer.status_code == 400, answer.text
        assert field in json.dumps(answer.json()["issues"])


def test_nul_characters_elsewhere(admin, unchanged: Unchanged):
    with unchanged():
        assert runs_of(admin, "SN\0") == []
        assert_error(admin.delete("/runs/x%00"), 404, "NOT_FOUND")
        for answer in (
            admin.delete("/units/SN%00"),
            admin.patch("/units/SN%00", json={}),
            admin.patch("/units", json={"serial_number": "SN\0"}),
        ):
            assert answer.status_code in (400, 404), answer.text


def test_nul_characters_in_sub_units_of_an_update(admin, serial, unchanged: Unchanged):
    create_run(admin, run_of(serial))
    with unchanged():
        answer = admin.patch(f"/units/{serial}", json={"sub_units": ["SN\0"]})
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["a\0b", "\0", "   ", "x" * 1001, 7, None])
def test_names_that_no_file_has(admin, unchanged: Unchanged, name):
    with unchanged():
        answer = admin.post("/uploads/initialize", json={"name": name})
        assert_error(answer, 400, "BAD_REQUEST", INVALID, at=["name"])


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udfff x"', '{"\\ud800": 1}', '["a", "\\ud83d"]'])
def test_lone_surrogates(admin, unchanged: Unchanged, text):
    bodies = [
        json.dumps(run_of("HERE")).replace('"HERE"', text),
        json.dumps(run_of(SN, phases=[phase_of(measurement_of("HERE"))])).replace('"HERE"', text),
        json.dumps(run_of(SN, unknown="HERE")).replace('"HERE"', text),
    ]
    with unchanged():
        for body in bodies:
            assert _post(admin, body).status_code == 400
            assert_error(_post(admin, bodies[0]), 400, "PARSE_ERROR")


def test_whole_surrogate_pairs_are_text(admin, serial):
    text = json.dumps(run_of(serial, docstring="HERE")).replace('"HERE"', '"\\ud83d\\ude00"')
    assert _post(admin, text).status_code == 200
    assert runs_of(admin, serial)[0]["docstring"] == "\U0001f600"


@pytest.mark.parametrize("raw", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\x00", b"\x1b"])
def test_bytes_that_are_no_text(admin, unchanged: Unchanged, raw):
    body = json.dumps(run_of("HERE")).encode().replace(b"HERE", raw)
    with unchanged():
        assert_error(_post(admin, body), 400, "PARSE_ERROR")


@pytest.mark.parametrize(
    "path", ["/runs?serial_number=%ff%fe", "/runs?serial_number=%ED%A0%80", "/runs?serial_number=%"]
)
def test_queries_that_are_no_text(admin, path):
    assert admin.get(path).json()["result"] == []


def test_paths_that_are_no_text(admin, unchanged: Unchanged):
    with unchanged():
        for path in ("/units/%ff%fe", "/units/%ED%A0%80", "/runs/%ff"):
            assert_error(admin.delete(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting(admin, serial, unchanged: Unchanged, opening, closing):
    def body(depth: int, place: Json) -> str:
        deep = opening * depth + "1" + closing * depth
        return json.dumps(run_of(serial, **place)).replace('"HERE"', deep)

    places: list[Json] = [
        {"phases": [phase_of(measurement_of("HERE"))]},
        {"steps": [{"name": "s", "measurement_value": "HERE"}]},
        {"phases": "HERE"},
        {"unit": {"part_number": "HERE"}},
    ]
    with unchanged():
        for depth in (2_000, 100_000):
            for place in places:
                assert _post(admin, body(depth, place)).status_code == 400
        answer = _post(admin, body(101, places[0]))
        assert_error(
            answer, 400, "BAD_REQUEST", INVALID, at=["phases", 0, "measurements", 0, "measured_value"]
        )
    assert _post(admin, body(100, places[0])).status_code == 200
    assert len(runs_of(admin, serial)) == 1


def test_deep_nesting_of_a_whole_body(admin, unchanged: Unchanged):
    with unchanged():
        for depth in (1_000, 1_000_000):
            assert _post(admin, "[" * depth + "]" * depth).status_code == 400


@pytest.mark.parametrize("digits", [400, 5_000, 100_000])
def test_numbers_of_many_digits(admin, serial, digits):
    number = "9" * digits
    body = json.dumps(run_of(serial, phases=[phase_of(measurement_of("HERE"))])).replace('"HERE"', number)
    answer = _post(admin, body)
    # Python refuses to read more than 4300 digits.
    assert answer.status_code == (200 if digits <= 4300 else 400), answer.text
    for changes in ({"phases": [phase_of(start_time_millis="HERE")]}, {"logs": [_log(line_number="HERE")]}):
        body = json.dumps(run_of(serial, **changes)).replace('"HERE"', number)
        assert _post(admin, body).status_code == 400


def test_same_member_twice_is_the_last_one(admin, serial):
    body = json.dumps(run_of(serial)).replace('"run_passed": true', '"run_passed": true, "run_passed": false')
    assert _post(admin, body).status_code == 200
    assert runs_of(admin, serial)[0]["outcome"] == "FAIL"


def test_ten_thousand_measurements(admin, serial):
    measurements = [measurement_of(n, name=f"m{n}", lower_limit=0, units="V") for n in range(10_000)]
    run = recorded(admin, run_of(serial, phases=[phase_of(*measurements)]))
    assert [m["value"] for m in run["phases"][0]["measurements"]] == list(range(10_000))
    wrong = [*measurements, measurement_of(0, outcome="MAYBE")]
    answer = admin.post("/runs", json=run_of(serial, phases=[phase_of(*wrong)]))
    assert_error(answer, 400, "BAD_REQUEST", at=["phases", 0, "measurements", 10_000, "outcome"])


def test_body_where_everything_is_wrong(admin, unchanged: Unchanged):
    with unchanged():
        body = run_of(SN, phases=[phase_of(*[measurement_of(outcome=n) for n in range(10_000)])])
        answer = assert_error(
            admin.post("/runs", json=body), 400, "BAD_REQUEST", at=["phases", 0, "measurements", 0, "outcome"]
        )
        assert 1 < len(answer["issues"]) <= 100
        assert len(admin.post("/runs", json=body).content) < 100_000


def test_more_sub_units_than_a_statement_takes_values(admin, unchanged: Unchanged):
    with unchanged():
        answer = admin.post("/runs", json=run_of(SN, sub_units=[f"NEVER-{n}" for n in range(270_000)]))
        assert answer.status_code == 400, answer.text[:300]
        assert "Sub-units not found: NEVER-0, NEVER-1" in answer.json()["message"]


def test_fifty_megabytes_are_read(admin, serial):
    text = "x" * (50 * MIB)
    answer = admin.post("/runs", json=run_of(serial, phases=[phase_of(measurement_of(text))]))
    assert answer.status_code == 200, answer.text
    (run,) = runs_of(admin, serial)
    assert run["phases"][0]["measurements"][0]["string_value"] == text


def test_fifty_megabytes_of_rubbish(admin, unchanged: Unchanged):
    with unchanged():
        assert_error(_post(admin, b"[" * (50 * MIB)), 400, "PARSE_ERROR")
        assert_error(_post(admin, b"\xff" * (50 * MIB)), 400, "PARSE_ERROR")
        long = run_of("x" * (50 * MIB))
        answer = assert_error(
            admin.post("/runs", json=long), 400, "BAD_REQUEST", at=["unit_under_test", "serial_number"]
        )
        assert len(json.dumps(answer)) < 10_000


HUGE = "x" * 5_000_000


@pytest.mark.parametrize(
    "changes",
    [{"outcome": HUGE}, {"metadata": {HUGE: 1}}, {"metadata": {str(n): {} for n in range(100_000)}}],
    ids=["outcome", "metadata key", "100 000 values"],
)
def test_an_answer_quotes_little_of_what_was_sent(server: Server, unchanged: Unchanged, changes: Json):
    times = {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}
    run = {"outcome": "PASS", "serial_number": "S", "part_number": "P", **times}
    procedure = str(server.world.acme.board.id)
    with server.client(server.world.acme.admin.api_key) as client, unchanged():
        answer = client.post(f"{server.url}/api/v2/runs", json={**run, "procedure_id": procedure, **changes})
    assert answer.status_code == 400
    assert len(answer.content) < 10_000
    assert answer.json()["issues"]


@pytest.mark.parametrize("chunked", [False, True])
def test_body_beyond_the_limit(admin, unchanged: Unchanged, chunked):
    piece = b" " * MIB
    with unchanged():
        for path in ("/runs", "/import"):
            content = (piece for _ in range(65)) if chunked else piece * 65
            assert_error(admin.post(path, content=content, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


def test_large_bodies_are_not_read_for_strangers(stranger):
    assert_error(_post(stranger, b"[" * (20 * MIB)), 401, "UNAUTHORIZED")


def test_huge_headers_and_queries(server: Server, admin):
    assert admin.get("/runs", params={"serial_number": "x" * 30_000}).status_code == 400
    assert (
        admin.get("/runs", headers={"X-Huge": "x" * 60_000}, params={"serial_number": "x"}).status_code < 500
    )
    headers = {"Authorization": "Bearer " + "x" * 30_000}
    with server.client() as client:
        assert_error(client.get("/runs", headers=headers), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "upload_id", ["", "7", "not-an-id", None, 7, "550e8400-e29b-41d4-a716-44665544000", []]
)
def test_ids_that_are_none(admin, unchanged: Unchanged, upload_id):
    other = "550e8400-e29b-41d4-a716-446655440000"
    with unchanged():
        answer = admin.post("/uploads/sync", json={"upload_id": upload_id, "run_id": other})
        assert_error(answer, 400, "BAD_REQUEST", at=["upload_id"])
        answer = admin.post("/uploads/sync", json={"upload_id": other, "run_id": upload_id})
        assert_error(answer, 400, "BAD_REQUEST", at=["run_id"])
        answer = admin.post("/import", json={"upload_id": upload_id, "importer": "OPENHTF"})
        assert_error(answer, 400, "BAD_REQUEST", at=["upload_id"])


def test_server_lives_after_all_of_this(admin, serial):
    assert recorded(admin, run_of(serial))["outcome"] == "PASS"


PHASE = {"name": "boot", "outcome": "OK", "start_time_millis": 1, "end_time_millis": 2}


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/v1/runs", {"duration": "-PT1S"}, "duration: -PT1S is negative; send zero or more, such as "),
        ("POST", "/v1/runs", [1], "failed: Expected an object with run_passed, procedure_id, got `array`"),
        ("POST", "/v1/runs", {"started_at": "yesterday"}, "started_at: 'yesterday' is no date and time; send one "),
        ("POST", "/v1/runs", {"phases": [PHASE]}, "outcome: 'OK' is not known; send PASS, FAIL, SKIP or ERROR"),
        ("POST", "/v2/runs", [1], "failed: Expected an object with outcome, procedure_id, "),
        ("POST", "/v2/runs", {"outcome": "OK"}, "outcome: 'OK' is not known; send PASS, FAIL, ERROR, TIMEOUT or "),
        ("GET", "/v2/runs?outcomes=PASS&outcomes=OK", None, "outcomes: 'OK' is not known; send PASS, FAIL, "),
        ("GET", "/v2/runs?sort_by=age", None, "sort_by: 'age' is not known; send started_at, "),
        ("GET", "/v2/runs?started_after=now", None, "started_after: 'now' is no date and time; send one such as "),
        ("GET", "/api/export/runs?format=jsonl&outcomes=OK", None, "outcomes: 'OK' is not known; send PASS, "),
        ("GET", "/api/analytics/retests?samples=OK", None, "samples: 'OK' is not known; send production, "),
    ],
)  # fmt: skip
def test_a_message_names_the_value_and_what_may_be_sent(server, admin, serial, method, path, body, said):
    if path == "/v1/runs" and isinstance(body, dict):
        body = run_of(serial) | body
    answer = admin.request(method, f"{server.url}{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]["message"]
