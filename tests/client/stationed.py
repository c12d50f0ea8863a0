"""A station's program, to be killed: records the runs FIRST to LAST of a name and says so of each. Run by its path.

What is said has been recorded; of what is not said nobody can know, so the one who starts it again begins there.
"""

import sys
from datetime import UTC, datetime, timedelta

from runcard_client import Client, FileReport, MeasurementReport, PhaseReport, RunReport


def report_of(name: str, number: int) -> RunReport:
    """The same report for the same number, whenever it is made."""
    started_at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=number)
    ended_at = started_at + timedelta(milliseconds=800)
    measurement = MeasurementReport("number", number, "PASS")
    return RunReport(
        procedure="Board",
        serial_number=f"{name}-{number:04}",
        outcome="PASS",
        started_at=started_at,
        ended_at=ended_at,
        phases=[PhaseReport("count", "PASS", started_at, ended_at, [measurement])],
        files=[FileReport("number.txt", str(number).encode())] if number % 25 == 0 else [],
        client_run_ref=f"{name}-{number}",
        part_number="PCB-1",
    )


def main(url: str, api_key: str, spool: str, name: str, first: str, last: str) -> None:
    with Client(url, api_key, spool=spool) as client:
        for number in range(int(first), int(last) + 1):
            client.record_run(report_of(name, number))
            print(number, flush=True)  # noqa: T201 (what the one who started it waits for)


if __name__ == "__main__":
    main(*sys.argv[1:])
