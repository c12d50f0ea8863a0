"""Numbers past what is kept are refused with their place at every door, and spoil nothing for others."""

from typing import Any

import httpx
import pytest

from tests.acceptance.wire import assert_error, create_run, run_of, runs_of
from tests.servers import Server

HUGE = 10**30


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It ends the process that records."""
    return own_server


@pytest.fixture(scope="module")
def v2(server: Server) -> Any:
    """HTTP to the v2 API, as the admin."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=60) as client:
        yield client


def poison(server: Server, serial: str, number: Any = HUGE) -> dict[str, Any]:
    """A run of v2 whose metadata hold a number."""
    return {
        "procedure_id": str(server.world.acme.board.id),
        "serial_number": serial,
        "part_number": "P",
        "outcome": "PASS",
        "started_at": "2024-03-01T12:00:00Z",
        "ended_at": "2024-03-01T12:00:01Z",
        "metadata": {"n": number},
    }


@pytest.mark.parametrize("number", [HUGE, 2**63, -(2**63) - 1])
def test_after_a_run_with_a_huge_integer_another_process_records(server: Server, v2, admin, serial, number):
    answer = v2.post("/runs", json=poison(server, serial, number))
    assert_error(answer, 400, "BAD_REQUEST", at=["metadata", "n"])
    assert "does not fit 64 bits" in answer.text
    process = server.recording_process()
    process.kill()
    process.wait(60)
    assert runs_of(admin, serial) == []
    create_run(admin, run_of(serial))
    assert len(runs_of(admin, serial)) == 1
