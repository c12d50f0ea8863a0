"""How requests are spelled and answers are wrapped (section 1 of the v1 contract)."""

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Unchanged
from tests.acceptance.wire import assert_error, create_run, measurement_of, phase_of, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server

JSON = {"Content-Type": "application/json"}
NOBODYS_ID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def root(server: Server):
    """The whole server, with the key of an admin."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


SPELLINGS = [
    "/api/v1/runs",
    "/api/v1/runs/",
    "//api/v1/runs",
    "///api//v1///runs",
    "/API/V1/RUNS",
    "/Api/v1/Runs/",
    "/v1/runs",
    "//v1/runs/",
    "/V1/runs",
]


@pytest.mark.parametrize("path", SPELLINGS)
def test_spelling_of_a_path_does_not_matter(root: httpx.Client, admin, server: Server, new_serial, path):
    serial = new_serial()
    created = root.post(f"{server.url}{path}", json=run_of(serial))
    assert created.status_code == 200, created.text
    shown = root.get(f"{server.url}{path}", params={"serial_number": serial})
    assert shown.status_code == 200, shown.text
    assert [run["id"] for run in shown.json()["result"]] == [created.json()["id"]]
    assert len(runs_of(admin, serial)) == 1


@pytest.mark.parametrize(
    "path", ["/api/v1/uploads/initialize", "//api/v1/uploads/initialize/", "/API/v1/Uploads/Initialize"]
)
def test_spelling_of_nested_paths(root: httpx.Client, server: Server, path):
    assert root.post(f"{server.url}{path}", json={"name": "log.txt"}).status_code == 200


def test_no_answer_redirects(root: httpx.Client, server: Server):
    for path in (*SPELLINGS, "/api/v1", "/api/v1/units/", "/api/v1/unknown/"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
            assert not root.request(method, f"{server.url}{path}").is_redirect, (method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/unknown"),
        ("POST", "/api/v1/unknown"),
        ("GET", "/api/v1"),
        ("GET", "/api/v1/"),
        ("PUT", "/api/v1/runs"),
        ("PATCH", "/api/v1/runs"),
        ("DELETE", "/api/v1/runs"),
        ("GET", "/api/v1/uploads/initialize"),
        ("GET", "/api/v1/import"),
        ("POST", "/api/v1/rooms"),
        ("POST", f"/api/v1/runs/{NOBODYS_ID}"),
        ("GET", f"/api/v1/runs/{NOBODYS_ID}"),
        ("POST", "/api/v1/units/x"),
        ("OPTIONS", "/api/v1/runs"),
        ("TRACE", "/api/v1/runs"),
    ],
)
def test_unknown_path_or_wrong_method(root: httpx.Client, stranger, server: Server, method, path):
    for client in (root, stranger):
        assert_error(client.request(method, f"{server.url}{path}"), 404, "NOT_FOUND", "Not found")


@pytest.mark.parametrize(
    "path",
    ["/runs", "/runs/", "/RUNS", f"/runs/{NOBODYS_ID}", "/units", "/units/SN 1/2", "/import", "/streaming"],
)
def test_head_of_a_known_path(stranger, path):
    answer = stranger.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/unknown", "/runs/1/2/3", "/", ""])
def test_head_of_an_unknown_path(stranger, path):
    answer = stranger.head(path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_scheme_of_the_key_has_no_case(server: Server, stranger, serial, scheme):
    key = server.world.acme.admin.api_key
    answer = stranger.post("/runs", json=run_of(serial), headers={"Authorization": f"{scheme} {key}"})
    assert answer.status_code == 200, answer.text


def test_content_type_is_bare_json_everywhere(admin, serial):
    run_id = create_run(admin, run_of(serial))
    answers = [
        admin.post("/runs", json=run_of(serial)),
        admin.post("/runs", json={}),
        admin.post("/runs", content=b"{", headers=JSON),
        admin.get("/runs", params={"serial_number": serial}),
        admin.get("/runs", params={"serial_number": serial, "envelope": "object"}),
        admin.get("/runs"),
        admin.post("/uploads/initialize", json={"name": "a"}),
        admin.post("/uploads/initialize", json={}),
        admin.post("/uploads/sync", json={"upload_id": NOBODYS_ID, "run_id": run_id}),
        admin.post("/import", json={"upload_id": NOBODYS_ID, "importer": "OPENHTF"}),
        admin.patch("/units", json={"serial_number": serial}),
        admin.patch(f"/units/{serial}", json={"sub_units": None}),
        admin.delete(f"/units/{serial}"),
        admin.get("/rooms"),
        admin.get("/streaming"),
        admin.delete(f"/runs/{run_id}"),
        admin.get("/unknown"),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/json", answer.request.url
        assert isinstance(answer.json(), dict | list)


def test_body_may_be_absent_where_none_is_needed(admin, serial):
    run_id = create_run(admin, run_of(serial))
    assert admin.get("/runs", params={"serial_number": serial}, headers=JSON).status_code == 200
    assert admin.get("/rooms", headers=JSON).status_code == 200
    assert admin.delete(f"/runs/{run_id}", headers=JSON).status_code == 200
    assert admin.delete(f"/units/{serial}", headers=JSON).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON", None]
)
def test_json_is_read_however_it_is_announced(admin, serial, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = admin.post("/runs", content=json.dumps(run_of(serial)).encode(), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_other_media_are_refused(admin, serial, unchanged: Unchanged, content_type):
    body = json.dumps(run_of(serial)).encode()
    with unchanged():
        for path in ("/runs", "/import", "/uploads/initialize"):
            answer = admin.post(path, content=body, headers={"Content-Type": content_type})
            assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_forms_are_read_too(admin, serial):
    answer = admin.post("/uploads/initialize", data={"name": "Prüf log.txt", "mimeType": "text/plain"})
    assert answer.status_code == 200, answer.text
    create_run(admin, run_of(serial))
    assert admin.patch("/units", data={"serial_number": serial}).status_code == 200
    # A form cannot say true, so it cannot say whether a run passed.
    answer = admin.post("/runs", data={"procedure_id": "FVT1", "serial_number": serial, "run_passed": "true"})
    assert_error(answer, 400, "BAD_REQUEST", at=["run_passed"])


def _posted(client: httpx.Client, body: dict[str, Any]) -> httpx.Response:
    """Posts with NaN and Infinity as literals."""
    return client.post("/runs", content=json.dumps(body).encode(), headers=JSON)


def test_literals_that_are_no_json_are_read_but_never_written(admin, serial):
    nan, inf = float("nan"), float("inf")
    values = [nan, inf, -inf, [[1.0, nan], [2.0, -inf]], {"peak": nan, "list": [inf]}, [nan, 1]]
    measurements = [measurement_of(value, name=f"m{n}") for n, value in enumerate(values)]
    phase = phase_of(*measurements, measurement_of(1.0, lower_limit=-inf, upper_limit=nan))
    answer = _posted(admin, run_of(serial, phases=[phase]))
    assert answer.status_code == 200, answer.text
    shown = admin.get("/runs", params={"serial_number": serial})
    (run,) = json.loads(shown.text, parse_constant=pytest.fail)["result"]
    shown_values = [m["measured_value"] for m in run["phases"][0]["measurements"]]
    assert shown_values == ["nan", "inf", "-inf", None, {"peak": "nan", "list": ["inf"]}, ["nan", 1], 1.0]
    series = run["phases"][0]["measurements"][3]["data_series"]
    assert [column["data"] for column in series] == [[1.0, 2.0], ["nan", "-inf"]]


def test_keep_alive_after_every_kind_of_answer(server: Server, serial):
    """One connection, many answers: none leaves the next one out of step."""
    limits = httpx.Limits(max_connections=1)
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, limits=limits, timeout=60) as client:
        for _ in range(3):
            assert client.post("/runs", content=b"{", headers=JSON).status_code == 400
            assert client.post("/runs", json=run_of(serial)).status_code == 200
            assert (
                client.post("/runs", json=run_of(serial), headers={"Authorization": "x"}).status_code == 401
            )
            assert client.post("/unknown", json=run_of(serial)).status_code == 404
            assert client.head("/runs").status_code == 200
            assert client.put("/runs", json=run_of(serial)).status_code == 404
        assert len(runs_of(client, serial)) == 3


def test_get_runs_validates_its_query(admin, serial):
    assert_error(admin.get("/runs"), 400, "BAD_REQUEST", at=["serial_number"])
    assert_error(admin.get("/runs", params={"serial_number": ""}), 400, "BAD_REQUEST", at=["serial_number"])
    long = {"serial_number": "x" * 256}
    assert_error(admin.get("/runs", params=long), 400, "BAD_REQUEST", at=["serial_number"])
    odd = {"serial_number": serial, "envelope": "tuple"}
    assert_error(admin.get("/runs", params=odd), 400, "BAD_REQUEST", at=["envelope"])
    assert runs_of(admin, "x" * 255) == []


@pytest.mark.parametrize(
    "serial_tail", ["/1", " x", "äöü", "@#$%", "?a=b&c", "+1", "%2F", "\u202e", "\U0001f600"]
)
def test_any_character_may_stand_in_a_serial_number(admin, serial, serial_tail):
    whole = serial + serial_tail
    create_run(admin, run_of(whole))
    (run,) = runs_of(admin, whole)
    assert run["unit"]["serial_number"] == whole


@pytest.mark.parametrize("asked", [{}, {"envelope": "object"}])
def test_runs_are_listed_as_every_client_reads_them(admin, serial, asked):
    create_run(admin, run_of(serial))
    wrapped = admin.get("/runs", params={"serial_number": serial, **asked}).json()
    assert list(wrapped) == ["message", "data", "result"]
    bare = admin.get("/runs", params={"serial_number": serial, "envelope": "array"}).json()
    assert len(bare) == 1
    assert wrapped["data"] == wrapped["result"] == bare


def test_rooms_and_streaming_lead_nowhere_in_peace(server: Server, admin, ict):
    for client in (admin, ict):
        room = server.url.replace("http://", "ws://") + "/api/v1/rooms/nobody"
        assert client.get("/rooms").json() == {"url": room}
        credentials = client.get("/streaming")
        assert credentials.status_code == 200
        assert list(credentials.json()) == [
            "token",
            "operatorPage",
            "clientOptions",
            "willOptions",
            "connectOptions",
            "publishOptions",
            "subscribeOptions",
        ]


def test_openapi_document_is_served(stranger, server: Server):
    answer = stranger.get(f"{server.url}/api/openapi.json")
    assert answer.status_code == 200
    assert "post" in answer.json()["paths"]["/api/v1/runs"]
