"""Traces of a server, as a collector of OpenTelemetry gets them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import runcard
from tests.acceptance.collector import Collector, SpanSeen, running_collector
from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind, Template
from tests.servers import DEADLINE_S, Server

ID = "x-request-id"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The two cannot differ in what is asked here."""
    return "sqlite"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture(scope="module")
def server_settings(collector: Collector) -> dict[str, str]:
    """The last is of OpenTelemetry itself: how long spans wait for others before they are sent, in milliseconds."""
    return {"RUNCARD_OTEL_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "20"}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=DEADLINE_S) as client:
        yield client


def v2_run(server: Server, serial: str) -> dict[str, Any]:
    moment = "2026-03-02T10:15:00Z"
    return {
        "outcome": "PASS",
        "procedure_id": str(server.world.acme.board.id),
        "serial_number": serial,
        "part_number": "PCB-100",
        "started_at": moment,
        "ended_at": moment,
    }


def names(spans: list[SpanSeen]) -> list[str]:
    return [span.sent.name for span in spans]


@pytest.mark.parametrize("path", ["/api/v1/runs", "/v2/runs"])
def test_a_run_has_a_span_and_one_for_its_recording(
    server: Server, admin: httpx.Client, collector: Collector, new_serial, path: str
):
    body = run_of(new_serial()) if "v1" in path else v2_run(server, new_serial())
    answer = admin.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    span = collector.request(answer.headers[ID])
    assert span.sent.name == f"POST {path}"
    assert span.sent.kind == span.sent.SPAN_KIND_SERVER
    assert span.sent.parent_span_id == b""
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": path,
        "http.response.status_code": answer.status_code,
        "url.scheme": "http",
        "runcard.request_id": answer.headers[ID],
    }
    assert (span.resource["service.name"], span.resource["service.version"]) == (
        "runcard",
        runcard.__version__,
    )
    [recording] = collector.children(span)
    assert (recording.sent.name, recording.attributes) == ("record run", {})
    assert recording.sent.trace_id == span.sent.trace_id
    assert span.sent.start_time_unix_nano < recording.sent.start_time_unix_nano
    assert recording.sent.end_time_unix_nano < span.sent.end_time_unix_nano


def test_the_trace_of_a_caller_goes_on(admin: httpx.Client, collector: Collector):
    for flags in ("00", "01"):
        answer = admin.get("/api/v2/runs", headers={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"})
    span = collector.request(answer.headers[ID])
    assert span.sent.trace_id == bytes.fromhex(TRACE)
    assert span.sent.parent_span_id == bytes.fromhex(PARENT)
    # The caller of the first one did not trace it.
    assert len([one for one in collector.spans if one.sent.parent_span_id == span.sent.parent_span_id]) == 1


@pytest.mark.parametrize(
    "given", ["", "x", f"00-{'0' * 32}-{PARENT}-01", "ÿ" * 500, f"00-{TRACE}-{PARENT}-01" * 2]
)
def test_a_header_that_names_no_trace_begins_one(admin: httpx.Client, collector: Collector, given: str):
    answer = admin.get(
        "/api/v2/runs", headers={b"traceparent": given.encode("latin-1"), b"tracestate": b"=,=,x"}
    )
    assert answer.status_code == 200
    assert collector.request(answer.headers[ID]).sent.parent_span_id == b""


def test_a_question_has_spans_for_the_wait_and_for_each_query(admin: httpx.Client, collector: Collector):
    answer = admin.get("/api/analytics/yield")
    assert answer.status_code == 200, answer.text
    span = collector.request(answer.headers[ID])
    assert span.attributes["http.route"] == "/api/analytics/yield"
    waited, *queries = names([*collector.children(span)])
    assert waited == "await columnar copy"
    assert {*queries} == {"query columnar copy"}


def test_files_have_spans(admin: httpx.Client, collector: Collector):
    slot = admin.post("/api/v2/attachments", json={"name": "note.txt"}).json()
    put = admin.put(slot["upload_url"], content=b"some bytes")
    finalized = admin.post(f"/api/v2/attachments/{slot['id']}/finalize")
    got = admin.get(finalized.json()["url"])
    assert got.content == b"some bytes"
    for answer, expected in ((put, "write file"), (got, "open file")):
        span = collector.request(answer.headers[ID])
        [of_file] = collector.children(span)
        assert (of_file.sent.name, of_file.attributes) == (expected, {})


def test_what_has_no_route_is_not_told(admin: httpx.Client, collector: Collector):
    answer = admin.request("PROPFIND", "/a-secret-place?token=secret")
    span = collector.request(answer.headers[ID])
    assert span.sent.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert "http.route" not in span.attributes


def test_probes_have_none(admin: httpx.Client, collector: Collector):
    ids = [admin.get(path).headers[ID] for path in ("/healthz", "/readyz", "/metrics", "/log-in")]
    assert collector.request(ids.pop()).sent.name == "GET /log-in"
    assert not {one.request_id for one in collector.spans} & {*ids}


def test_spans_tell_no_secret_and_nothing_of_the_floor(
    server: Server, admin: httpx.Client, collector: Collector, new_serial
):
    serial = new_serial()
    with server.client(server.world.acme.fct.api_key) as station:
        create_run(station, run_of(serial))
    admin.get("/api/v2/units", params={"serial_numbers": [serial]})
    admin.get(f"/api/v2/units/{serial}")
    admin.get("/runs", params={"serial": serial})
    answer = admin.get("/api/analytics/yield", params={"part_numbers": ["PCB-100"]})
    collector.request(answer.headers[ID])
    sent = b"".join(collector.messages)
    for secret in (
        serial,
        "PCB-100",
        "secret",
        server.world.acme.admin.api_key,
        server.world.acme.fct.api_key,
    ):
        assert secret.encode() not in sent
    assert collector.paths == {"/v1/traces"}


def test_a_collector_that_is_away_disturbs_nobody(peopled: Template, tmp_path: Path):
    """It is told of once a minute, and a server that stops does not wait for it."""
    assert peopled.world is not None
    settings = {"RUNCARD_OTEL_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "20"}
    for _ in peopled.copy(tmp_path, None):
        server = Server(tmp_path, None, peopled.world, settings)
        server.start()
        with server.client(server.world.acme.fct.api_key) as station:
            for number in range(5):
                create_run(station, run_of(f"AWAY-{number}"))
        began_s = time.monotonic()
        server.stop()
        assert time.monotonic() - began_s < 20
        assert server.log.count("while exporting spans batch") == 1, server.log
