"""What a station does with the current tofupilot client's v1 module. Prints what it got as JSON.

Its orders, as JSON: the server's URL, an API key, a serial number that nobody has used, files to attach, reports of
OpenHTF.
"""

# mypy: ignore-errors

import json
import logging
import sys
from datetime import UTC, datetime, timedelta, timezone

from tofupilot.v1 import TofuPilotClient
from tofupilot.v1.models import MeasurementOutcome, PhaseOutcome


class Said(logging.Handler):
    """What the client says, also while it keeps its own console quiet."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


said = Said()
logging.getLogger().addHandler(said)
orders = json.loads(sys.argv[1])
serial = orders["serial"]
client = TofuPilotClient(api_key=orders["api_key"], url=orders["url"] + "/")
got = {}
MILLIS = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp() * 1000

got["child"] = client.create_run(
    unit_under_test={"serial_number": f"{serial}-C", "part_number": "CHILD"},
    run_passed=True,
    procedure_id="FVT1",
)
got["run"] = client.create_run(
    unit_under_test={
        "serial_number": serial,
        "part_number": "PCB-NEW",
        "part_name": "ignored",
        "revision": "B",
        "batch_number": "LOT-NEW",
    },
    run_passed=False,
    procedure_id="FVT1",
    procedure_name="ignored",
    procedure_version="1.2.3",
    started_at=datetime(2026, 1, 31, 13, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=1))),
    duration=timedelta(days=1, minutes=27, seconds=15, microseconds=500_000),
    sub_units=[{"serial_number": f"{serial}-C"}],
    attachments=orders["attachments"],
    phases=[
        {
            "name": "power",
            "outcome": PhaseOutcome.FAIL,
            "start_time_millis": MILLIS,
            "end_time_millis": MILLIS + 1500.6,
            "docstring": "Power up and measure",
            "measurements": [
                {
                    "name": "vcc",
                    "outcome": MeasurementOutcome.FAIL,
                    "measured_value": 3.6,
                    "units": "V",
                    "lower_limit": 3.1,
                    "upper_limit": 3.5,
                    "validators": ["3.1 <= x <= 3.5"],
                    "docstring": "Supply of the core",
                },
                {"name": "firmware", "outcome": MeasurementOutcome.PASS, "measured_value": "1.2.3"},
                {"name": "led", "outcome": MeasurementOutcome.PASS, "measured_value": True},
                {"name": "settings", "outcome": MeasurementOutcome.PASS, "measured_value": {"gain": 1}},
                {
                    "name": "sweep",
                    "outcome": MeasurementOutcome.PASS,
                    "measured_value": [(0, 1.5), (10, 2.5)],
                    "units": ["Hz", "V"],
                },
                {"name": "unset", "outcome": MeasurementOutcome.UNSET},
                {"name": "null limits", "outcome": "PASS", "measured_value": 1, "lower_limit": None},
            ],
        },
        {
            "name": "rest",
            "outcome": PhaseOutcome.SKIP,
            "start_time_millis": MILLIS,
            "end_time_millis": MILLIS,
        },
    ],
    steps=[
        {
            "name": "old step",
            "step_passed": True,
            "duration": timedelta(seconds=2),
            "started_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
            "measurement_value": 7,
            "measurement_unit": "A",
            "limit_low": 5,
            "limit_high": 9,
        }
    ],
    logs=[
        {
            "level": level,
            "timestamp": "2026-01-31T12:00:00.123Z",
            "message": f"{level} message",
            "source_file": "station.py",
            "line_number": number,
        }
        for number, level in enumerate(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
    ],
)
got["runs"] = client.get_runs(serial)
got["unknown"] = client.get_runs(f"{serial}-NOBODY")
got["empty serial"] = client.get_runs("")
got["imported"] = client.create_run_from_openhtf_report(orders["report"])
got["import refused"] = client.create_run_from_openhtf_report(orders["refused report"])

unit = {"serial_number": f"{serial}-N", "part_number": "P"}
refused = {
    "no part number": {"unit_under_test": {"serial_number": f"{serial}-N"}, "procedure_id": "FVT1"},
    "no serial number": {"unit_under_test": {"part_number": "P"}, "procedure_id": "FVT1"},
    "no procedure": {"unit_under_test": unit},
    "unlinked procedure": {"unit_under_test": unit, "procedure_id": "FVT99"},
    "unknown sub-unit": {
        "unit_under_test": unit,
        "procedure_id": "FVT1",
        "sub_units": [{"serial_number": "NEVER"}],
    },
    "long version": {"unit_under_test": unit, "procedure_id": "FVT1", "procedure_version": "x" * 256},
}
for name, run in refused.items():
    got[name] = client.create_run(run_passed=True, **run)
got["long serial"] = client.get_runs("x" * 256)
stranger = TofuPilotClient(api_key="rc_nobody-has-this-key", url=orders["url"])
got["stranger"] = stranger.create_run(unit_under_test=unit, run_passed=True, procedure_id="FVT1")
got["stranger reads"] = stranger.get_runs(serial)
got["said"] = said.messages
print("\n" + json.dumps(got, default=str))  # noqa: T201 (read by the test)
