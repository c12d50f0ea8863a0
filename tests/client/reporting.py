"""Reports of runs, as the tests of the client make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from runcard_client import RunReport

STARTED_AT = datetime(2026, 3, 2, 8, 30, 0, 123456, tzinfo=UTC)


def report_of(serial_number: str, **given: Any) -> RunReport:
    """A run of the procedure `Board` of five minutes that passed, unless something else is given."""
    usual: dict[str, Any] = {
        "procedure": "Board",
        "serial_number": serial_number,
        "outcome": "PASS",
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + timedelta(minutes=5),
        "part_number": "PCB-1",
    }
    return RunReport(**(usual | given))
