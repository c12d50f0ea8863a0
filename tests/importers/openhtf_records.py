"""Records of OpenHTF to read: those of the samples, and small ones made up for one rule."""

import json
from datetime import UTC, datetime
from pathlib import Path

from runcard.importers.openhtf import parse

CASES = Path(__file__).parent / "cases" / "openhtf"
RECORDS = sorted(path.stem for path in CASES.glob("*.json") if path.stem != "openhtf_multidim")


def case(name):
    return (CASES / f"{name}.json").read_bytes()


def raw(name):
    return json.loads(case(name))


def parsed(record):
    return parse(json.dumps(record).encode())


def at(millis):
    return datetime.fromtimestamp(millis // 1000, UTC).replace(microsecond=millis % 1000 * 1000)


def record(**changes):
    return {
        "dut_id": "SN1",
        "start_time_millis": 1000,
        "end_time_millis": 3500,
        "outcome": "PASS",
        "metadata": {"procedure_id": "FVT1"},
        "phases": [],
    } | changes


def phase(**changes):
    return {"name": "p", "outcome": "PASS", "start_time_millis": 1000, "end_time_millis": 2000} | changes


def measured(**fields):
    """The measurement that comes of one record measurement with these fields."""
    report = parsed(record(phases=[phase(measurements={"m": {"name": "m", "outcome": "PASS"} | fields})]))
    return report.phases[0].measurements[0]


def measurements_of(report):
    return {item.name: item for one in report.phases for item in one.measurements}
