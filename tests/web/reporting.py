"""Runs as a station sends them."""

import json
from typing import Any

from tests.servers import Server

T0_MS = 1_700_000_000_000


def report(serial_number: str, procedure: str = "FVT1", **fields: Any) -> dict[str, Any]:
    """A body of POST /v1/runs that passes, but for `fields`."""
    unit = {"serial_number": serial_number, "part_number": "PCB-01"}
    return {"procedure_id": procedure, "unit_under_test": unit, "run_passed": True, **fields}


def phase(name: str, *measurements: dict[str, Any], outcome: str = "PASS", **fields: Any) -> dict[str, Any]:
    times = {"start_time_millis": T0_MS, "end_time_millis": T0_MS + 1500}
    return {"name": name, "outcome": outcome, **times, "measurements": measurements, **fields}


def measurement(name: str, value: Any = None, outcome: str = "PASS", **fields: Any) -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "measured_value": value, **fields}


def record(server: Server, body: dict[str, Any], api_key: str | None = None) -> str:
    """Record a run, by ICT-1 unless another key is given; the path of its page."""
    with server.client(api_key or server.world.acme.ict.api_key) as client:
        # As Python's own JSON writes it, so NaN and infinities go through.
        answer = client.post("/runs", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return f"/runs/{answer.json()['id']}"
