"""Runs as the tests report them through the official client."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tofupilot.v2 import TofuPilot

STARTED_AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def report(client: TofuPilot, procedure_id: object, serial_number: str, **given: Any) -> str:
    """Id of a new run of five minutes that passed, unless something else is given."""
    values: dict[str, Any] = {
        "outcome": "PASS",
        "procedure_id": str(procedure_id),
        "serial_number": serial_number,
        "part_number": "PCB-1",
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + timedelta(minutes=5),
    }
    return client.runs.create(**(values | given)).id


def phase(name: str, *measurements: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A phase of a minute that passed, unless something else is given."""
    usual = {
        "name": name,
        "outcome": "PASS",
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + timedelta(minutes=1),
        "measurements": list(measurements),
    }
    return usual | given


def measurement(name: str, value: Any = None, **given: Any) -> dict[str, Any]:
    """A measurement that passed, unless something else is given."""
    usual: dict[str, Any] = {"name": name, "outcome": "PASS"}
    return usual | ({} if value is None else {"measured_value": value}) | given
