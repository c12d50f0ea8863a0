"""v2 stands under /v2 as well, as v1 does under /v1."""

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.v2.reporting import phase, report
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def short(server: Server):
    """The official client, told the root of the server alone."""
    key = server.world.acme.engineer.api_key
    with TofuPilot(api_key=key, server_url=server.url, timeout_ms=int(DEADLINE_S * 1000)) as client:
        yield client


def test_the_client_records_and_reads(server: Server, short: TofuPilot, user: TofuPilot, fresh):
    run_id = report(short, server.world.acme.board.id, fresh("SN"), phases=[phase("boot")])
    assert short.runs.get(id=run_id) == user.runs.get(id=run_id)
    assert [one.id for one in short.runs.list(ids=[run_id]).data] == [run_id]
    assert short.runs.delete(ids=[run_id]).id == [run_id]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/runs"),
        ("GET", "/runs/nothing"),
        ("GET", "/runs?limit=x"),
        ("POST", "/runs"),
        ("POST", "/parts"),
        ("PUT", "/runs"),
        ("GET", "/nothing"),
        ("GET", ""),
        ("HEAD", "/runs"),
        ("HEAD", "/nothing"),
    ],
)
@pytest.mark.parametrize("prefix", ["/v2", "//V2"])
def test_what_goes_wrong_is_told_alike(wire: httpx.Client, server: Server, method, path, prefix):
    long, short = (
        wire.request(method, f"{server.url}{root}{path}", json={"number": 1} if method == "POST" else None)
        for root in ("/api/v2", prefix)
    )
    assert (short.status_code, short.headers["content-type"]) == (
        long.status_code,
        long.headers["content-type"],
    )
    assert _without_id(short) == _without_id(long)
    assert "text/html" not in short.headers["content-type"]


def _without_id(answer: httpx.Response) -> bytes:
    """The body, without the id that each request has of its own."""
    return answer.content.replace(answer.headers["x-request-id"].encode(), b"")


def test_a_stranger_is_told_so(server: Server):
    answer = httpx.get(f"{server.url}/v2/runs", timeout=DEADLINE_S)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
