"""Bodies as they stand on the wire, and what every answer has to keep."""

from typing import Any
from uuid import UUID

import httpx

Json = dict[str, Any]

MISSING_PART_NUMBER = (
    "Part number is required but not provided and no automatic parsing is configured. "
    "Provide a part_number parameter or configure serial number parsing in organization settings."
)
NOT_AUTHORIZED = "Station is not authorized for this procedure."
NOT_LINKED = (
    "Station is not authorized: it is linked to no procedure, so it may record and change nothing. "
    "Link a procedure to it first."
)
INVALID = "Input validation failed"


def run_of(serial: str | None = None, **changes: Any) -> Json:
    """A small valid run of procedure FVT1; `unit` adds to the unit under test."""
    unit = {"serial_number": serial, "part_number": "PCB-100", **changes.pop("unit", {})}
    return {"run_passed": True, "procedure_id": "FVT1", "unit_under_test": unit, **changes}


def phase_of(*measurements: Json, **changes: Any) -> Json:
    times = {"start_time_millis": 1_700_000_000_000, "end_time_millis": 1_700_000_001_500}
    return {"name": "power", "outcome": "PASS", "measurements": list(measurements), **times, **changes}


def measurement_of(value: Any = 3.3, **changes: Any) -> Json:
    return {"name": "vcc", "outcome": "PASS", "measured_value": value, **changes}


def create_run(client: httpx.Client, body: Json) -> str:
    """The id of a run that is recorded."""
    answer = client.post("/runs", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["id"]
    return str(UUID(answer.json()["id"]))


def runs_of(client: httpx.Client, serial: str) -> list[Json]:
    answer = client.get("/runs", params={"serial_number": serial, "envelope": "array"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    runs: list[Json] = answer.json()
    return runs


def recorded(client: httpx.Client, body: Json) -> Json:
    """What is shown of a run after recording it."""
    run_id = create_run(client, body)
    serial = body["unit_under_test"]["serial_number"]
    return next(run for run in runs_of(client, serial) if run["id"] == run_id)


def assert_error(
    answer: httpx.Response, status: int, code: str, message: str | None = None, at: list[Any] | None = None
) -> Json:
    """The one body of all errors. `at`: the path that one of its issues has to name."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:2000]}"
    assert answer.headers["content-type"] == "application/json"
    body: Json = answer.json()
    # The form of v1 is frozen, so its bodies do not tell the id of the request.
    ending = [] if answer.url.path.startswith(("/api/v1", "/v1")) else ["request_id"]
    assert list(body) == ["code", "message", "issues", "error", *ending]
    assert body["code"] == code
    assert body["message"]
    assert isinstance(body["issues"], list)
    assert body["error"]["message"].startswith(body["message"])
    if message is not None:
        assert body["message"] == message
    if at is not None:
        assert body["message"] == INVALID
        assert at in [issue["path"] for issue in body["issues"]], body["issues"]
        assert ".".join(map(str, body["issues"][0]["path"])) in body["error"]["message"]
    else:
        assert body["issues"] == []
    return body
