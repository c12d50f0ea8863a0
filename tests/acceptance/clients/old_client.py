"""What a station with an old tofupilot client does. Run by that client's own Python; prints what it got as JSON.

Its orders, as JSON: the server's URL, an API key, a serial number that nobody has used, files to attach, a report of
OpenHTF, and one that names an unknown procedure.
"""

# mypy: ignore-errors

import json
import sys
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

from tofupilot import TofuPilotClient

orders = json.loads(sys.argv[1])
serial = orders["serial"]
client = TofuPilotClient(api_key=orders["api_key"], url=orders["url"])
old = not hasattr(client, "delete_run")  # before 1.8
got = {}

got["child"] = client.create_run(
    unit_under_test={"serial_number": serial + "-C", "part_number": "CHILD"},
    run_passed=True,
    procedure_id="FVT1",
)
run = {
    "unit_under_test": {
        "serial_number": serial,
        "part_number": "PCB-OLD",
        "revision": "B",
        "batch_number": "LOT-OLD",
    },
    "run_passed": False,
    "procedure_id": "FVT1",
    "procedure_name": "ignored",
    "started_at": datetime(2026, 1, 31, 12, 0, 0),  # noqa: DTZ001 (as these clients are called: without a zone, in UTC)
    "duration": timedelta(minutes=27, seconds=15),
    "sub_units": [{"serial_number": serial + "-C"}],
    "report_variables": {"ignored": "yes"},
    "attachments": orders["attachments"],
    "steps": [
        {
            "name": "supply",
            "step_passed": True,
            "duration": timedelta(seconds=2),
            "started_at": datetime(2026, 1, 31, 12, 0, 1),  # noqa: DTZ001 (likewise)
            "measurement_value": 3.3,
            "measurement_unit": "V",
            "limit_low": 3.0,
            "limit_high": 3.6,
        }
    ],
}
if not old:
    run["procedure_version"] = "1.2.3"
    millis = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp() * 1000
    run["phases"] = [
        {
            "name": "voltage",
            "outcome": "FAIL",
            "start_time_millis": millis,
            "end_time_millis": millis + 1500.5,
            "measurements": [
                {"name": "vcc", "outcome": "FAIL", "measured_value": 5.5, "units": "V", "upper_limit": 5.0},
                {"name": "firmware", "outcome": "PASS", "measured_value": "1.2.3"},
            ],
        }
    ]
got["run"] = client.create_run(**run)
got["runs"] = client.get_runs(serial)
found = (got["runs"].get("result") or got["runs"]["data"])[0]
got["contents"] = {one["name"]: urlopen(one["url"]).read().decode() for one in found["attachments"]}  # noqa: S310 (of the server)
got["update_unit"] = client.update_unit(serial, sub_units=[{"serial_number": serial + "-C"}])
got["refused"] = client.create_run(
    unit_under_test={"serial_number": serial + "-NEW"}, run_passed=True, procedure_id="FVT1"
)
stranger = TofuPilotClient(api_key="rc_nobody-has-this-key", url=orders["url"])
got["stranger"] = stranger.create_run(
    unit_under_test={"serial_number": serial, "part_number": "P"}, run_passed=True, procedure_id="FVT1"
)
got["imported"] = client.create_run_from_openhtf_report(orders["report"])
got["import refused"] = client.create_run_from_openhtf_report(orders["refused report"])
got["unknown"] = client.get_runs(serial + "-NOBODY")
if old:
    got["streaming"] = client.get_token()
else:
    got["streaming"] = client.get_connection_credentials()
    got["delete_unit with runs"] = client.delete_unit(serial)
    got["delete_run"] = client.delete_run(got["run"]["id"])
    got["delete_unit"] = client.delete_unit(serial)
print("\n" + json.dumps(got, default=str))  # noqa: T201 (read by the test)
