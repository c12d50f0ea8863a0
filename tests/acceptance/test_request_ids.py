"""One id for each request, wherever it is told of."""

import json
import re
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests.acceptance.wire import run_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import logged_in

ID = "x-request-id"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The two cannot differ in what is asked here."""
    return "sqlite"


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """Every test is a proxy that may say ids, unless it comes from another address."""
    return {"RUNCARD_TRUSTED_PROXIES": "127.0.0.1", "RUNCARD_LOG_FORMAT": "json"}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def v2(server: Server) -> Iterator[httpx.Client]:
    """Acme's engineer at the v2 API."""
    headers = {"Authorization": f"Bearer {server.world.acme.engineer.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        yield client


def test_every_answer_has_one_of_its_own(server: Server) -> None:
    paths = ("/log-in", "/nothing", "/static/icon.svg", "/api/v1/runs", "/api/v2/x", "/healthz", "/metrics")
    ids = [httpx.get(f"{server.url}{path}", timeout=DEADLINE_S).headers[ID] for path in (*paths, *paths)]
    assert len({*ids}) == len(ids)


def test_a_trusted_proxy_says_it(server: Server) -> None:
    for given, is_kept in (("proxy-1.2_3", True), ("two words", False), ("x" * 65, False)):
        told = httpx.get(f"{server.url}/healthz", headers={ID: given}, timeout=DEADLINE_S).headers[ID]
        assert (told == given) is is_kept


def test_a_stranger_does_not(shared_server: Server) -> None:
    told = httpx.get(f"{shared_server.url}/healthz", headers={ID: "mine"}, timeout=DEADLINE_S).headers[ID]
    assert told != "mine"


def test_bodies_of_errors_tell_it_except_those_of_v1(server: Server, v2: httpx.Client) -> None:
    for path in (
        f"{server.url}/api/v2/runs/x",
        f"{server.url}/api/v2/nothing",
        f"{server.url}/api/trail?x=1",
    ):
        answer = v2.get(path)
        assert answer.status_code >= 400
        assert list(answer.json()) == ["code", "message", "issues", "error", "request_id"]
        assert answer.json()["request_id"] == answer.headers[ID]
    for path in (f"{server.url}/api/v1/runs", f"{server.url}/v1/nothing"):
        answer = httpx.get(path, timeout=DEADLINE_S)
        assert answer.status_code >= 400
        assert list(answer.json()) == ["code", "message", "issues", "error"]
        assert answer.headers[ID]


def test_the_trail_and_the_log_of_calls_tell_it(server: Server, v2: httpx.Client) -> None:
    made = v2.post("/batches", json={"number": "B-ID"}, headers={ID: "the-one"})
    assert made.headers[ID] == "the-one"
    with closing(logged_in(server.url, server.world.acme.admin)) as ada:
        assert "the-one" in ada.open("/trail?named=B-ID").text
        links = ada.open("/activity?path=the-one").links
        [call] = {link for link in links if re.fullmatch(r"/activity/\d+", link)}
        assert "the-one" in ada.open(call).text


def test_the_log_of_the_process_that_records_is_json_too(server: Server) -> None:
    before = server.log_size
    server.recording_process().kill()
    with server.client(server.world.acme.fct.api_key) as station:
        assert station.post("/runs", json=run_of("AFTER")).status_code == 200
    lines = [json.loads(line) for line in server.log_since(before).splitlines()]
    assert ("ERROR", "runcard.recording.recorder") in [(line["level"], line["logger"]) for line in lines]
