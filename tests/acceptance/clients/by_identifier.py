"""What scripts do that name their procedure by an identifier. Prints what the tofupilot client answered as JSON.

Its orders, as JSON: the server's URL, an API key, a serial number, and what the procedure is called by.
"""

# mypy: ignore-errors

import json
import sys

from tofupilot.v1 import TofuPilotClient

orders = json.loads(sys.argv[1])
client = TofuPilotClient(api_key=orders["api_key"], url=orders["url"])
answers = [
    client.create_run(
        procedure_id=reference,
        unit_under_test={"serial_number": orders["serial"], "part_number": "PCB-01"},
        run_passed=True,
    )
    for reference in orders["references"]
]
print("\n" + json.dumps({"answers": answers}))  # noqa: T201 (read by the test)
