"""What runs at a station: one run, reported by the real client. Prints its id.

Its arguments: the server's URL, an API key, a procedure, a serial number and, unless it is left out, a part number.
"""

import sys
from datetime import UTC, datetime, timedelta

from tofupilot.v2 import TofuPilot


def main(url: str, api_key: str, procedure: str, serial_number: str, part_number: str | None = None) -> None:
    now = datetime.now(UTC)
    with TofuPilot(server_url=f"{url}/api", api_key=api_key) as client:
        run = client.runs.create(
            procedure_id=procedure,
            serial_number=serial_number,
            part_number=part_number,
            outcome="PASS",
            started_at=now - timedelta(minutes=1),
            ended_at=now,
        )
    print(run.id)  # noqa: T201 (that is what it is run for)


if __name__ == "__main__":
    main(*sys.argv[1:])
