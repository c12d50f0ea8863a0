"""A station that runs an OpenHTF test and reports it through the tofupilot client of its environment.

Reads its orders as JSON from the command line; its last line of output is JSON.
"""

# mypy: ignore-errors

import inspect
import json
import sys
import time
from pathlib import Path

import openhtf
from openhtf.output.callbacks import json_factory
from openhtf.util import units
from tofupilot.openhtf import TofuPilot, upload

ORDERS = json.loads(sys.argv[1])
TRIES = []
PICTURE = bytes(range(256)) * 40


@openhtf.measures(
    openhtf.Measurement("vcc").in_range(3.1, 3.5).with_units(units.VOLT).doc("Supply of the core"),
    openhtf.Measurement("firmware").equals("1.2.3"),
    openhtf.Measurement("model").matches_regex(r"PCB-\d+"),
    openhtf.Measurement("led").equals(True),
    openhtf.Measurement("noise").with_units(units.DECIBEL),
    openhtf.Measurement("marginal").in_range(0, 10, marginal_minimum=2, marginal_maximum=8),
    openhtf.Measurement("share").within_percent(100, 5).with_units(units.PERCENT),
    openhtf.Measurement("settings"),
    openhtf.Measurement("never").in_range(0, 1),
)
def measure(test):
    test.measurements.vcc = 3.3
    test.measurements.firmware = "1.2.3"
    test.measurements.model = "PCB-42"
    test.measurements.led = True
    test.measurements.noise = float("nan")
    test.measurements.marginal = 9
    test.measurements.share = 98.5
    test.measurements.settings = {"gain": [1, 2], "mode": "fast"}
    if ORDERS["test"] == "passing":
        test.measurements.never = 0.5
    test.logger.info("measured everything")
    test.logger.warning("supply is a little high")


@openhtf.measures(
    openhtf.Measurement("sweep").with_dimensions(units.HERTZ, units.SECOND).with_units(units.VOLT),
)
def sweep(test):
    for step in range(5):
        test.measurements.sweep[step * 10, step] = step / 4


def attach(test):
    test.attach("notes.txt", "Prüfling läuft\n", mimetype="text/plain")
    test.attach("picture.bin", PICTURE)
    test.attach_from_file(ORDERS["file"], name="from file.csv", mimetype="text/csv")


def skipped(test):
    return openhtf.PhaseResult.SKIP


@openhtf.measures(openhtf.Measurement("current").in_range(maximum=0.5).with_units(units.AMPERE))
def failing(test):
    test.measurements.current = 0.75
    test.logger.error("current is too high")


@openhtf.PhaseOptions(timeout_s=0.3)
def hanging(test):
    while True:
        time.sleep(0.01)


@openhtf.PhaseOptions(repeat_limit=3)
def stubborn(test):
    TRIES.append(1)
    return openhtf.PhaseResult.REPEAT if len(TRIES) < 3 else openhtf.PhaseResult.CONTINUE


PHASES = {
    "passing": [measure, sweep, attach, stubborn],
    "troubled": [measure, sweep, attach, skipped, failing, hanging, stubborn],
}


def main():
    test = openhtf.Test(*PHASES[ORDERS["test"]], **ORDERS["metadata"])
    test.add_output_callbacks(json_factory.OutputToJSON(ORDERS["record"], inline_attachments=False))
    with_file = json_factory.OutputToJSON(ORDERS["report"], inline_attachments=True)
    test.add_output_callbacks(with_file)
    root = "url" if "url" in inspect.signature(TofuPilot).parameters else "base_url"  # before 1.6.2
    access = {"api_key": ORDERS["api_key"], root: ORDERS["url"]}
    if ORDERS["how"] == "context":
        with TofuPilot(test, **access):
            passed = test.execute(test_start=lambda: ORDERS["serial"])
    else:
        test.add_output_callbacks(upload(**access))
        passed = test.execute(test_start=lambda: ORDERS["serial"])
    print()  # noqa: T201 (read by the test)
    print(json.dumps({"passed": passed, "picture": PICTURE.hex(), "file": Path(ORDERS["file"]).read_text()}))  # noqa: T201 (likewise)


if __name__ == "__main__":
    main()
