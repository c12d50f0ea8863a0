"""Each sample record, field by field."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.outcome import LogLevel
from runcard.domain.runs.phase import Log
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.validator import Validator
from runcard.importers.openhtf import parse
from tests.importers.openhtf_records import RECORDS, at, case, measurements_of, raw

# Each record, field by field


@pytest.mark.parametrize("name", RECORDS)
def test_header_says_what_the_record_says(name):
    report, record = parse(case(name)), raw(name)
    metadata = record["metadata"]
    assert report.procedure == metadata["procedure_id"]
    assert report.serial_number == record["dut_id"]
    assert report.outcome == record["outcome"]
    assert report.started_at == at(record["start_time_millis"])
    assert report.started_at + report.duration == at(record["end_time_millis"])
    assert report.part_number == metadata["part_number"]
    assert report.revision_number == metadata.get("revision")
    assert report.batch_number == metadata.get("batch_number")
    assert report.procedure_version == metadata.get("procedure_version")
    assert report.sub_units == tuple(sub["serial_number"] for sub in metadata.get("sub_units", []))
    assert report.docstring == metadata.get("test_description")
    assert (report.operated_by, report.steps) == (None, None)


@pytest.mark.parametrize("name", RECORDS)
def test_phases_say_what_the_record_says(name):
    report, record = parse(case(name)), raw(name)
    seen: Counter[str] = Counter()
    assert len(report.phases) == len(record["phases"])
    for got, said in zip(report.phases, record["phases"], strict=True):
        assert got.name == said["name"]
        assert got.outcome == said["outcome"]
        assert got.started_at == at(said["start_time_millis"])
        assert got.ended_at == at(said["end_time_millis"])
        assert got.docstring == said["codeinfo"]["docstring"]
        assert got.retry_count == seen[said["name"]]
        assert [item.name for item in got.measurements] == list(said["measurements"])
        seen[said["name"]] += 1


def said_uom(units):
    if not units:
        return None
    return units["suffix"] or (None if units["code"] == "NDL" else units["name"])


def is_table(rows):
    return all(type(cell) in (int, float) for row in rows for cell in row)


@pytest.mark.parametrize("name", RECORDS)
def test_measurements_say_what_the_record_says(name):
    report, record = parse(case(name)), raw(name)
    for one, said_phase in zip(report.phases, record["phases"], strict=True):
        for got, said in zip(one.measurements, said_phase["measurements"].values(), strict=True):
            value = said.get("measured_value")
            assert got.outcome == said["outcome"]
            assert got.docstring == said.get("docstring")
            assert list(dict.fromkeys(check.expression for check in got.validators)) == [
                text.replace(" at 0x7fe2e289c040", "") for text in said.get("validators", [])
            ]
            assert (got.exact, got.aggregations) == (None, ())
            if "dimensions" in said and is_table(value):
                assert (got.value, got.uom) == (None, None)
                assert [list(row) for row in zip(*(axis.data for axis in got.series), strict=True)] == value
                assert [axis.name for axis in got.series] == [
                    *(axis["description"] or axis["name"] for axis in said["dimensions"]),
                    said["name"],
                ]
                assert [axis.uom for axis in got.series] == [
                    *(axis["suffix"] for axis in said["dimensions"]),
                    said_uom(said.get("units")),
                ]
            else:
                assert got.series == ()
                assert got.uom == said_uom(said.get("units"))
                if said.get("validators") and value == "nan":
                    assert math.isnan(got.value)
                else:
                    assert (type(got.value), got.value) == (type(value), value)


@pytest.mark.parametrize("name", RECORDS)
def test_logs_say_what_the_record_says(name):
    levels: dict[int, LogLevel] = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
    assert list(parse(case(name)).logs) == [
        Log(
            levels[said["level"]],
            at(said["timestamp_millis"]),
            said["message"],
            said["source"],
            said["lineno"],
        )
        for said in raw(name)["log_records"]
    ]


# Special records, spelled out


def outline(name):
    report = parse(case(name))
    return report.outcome, [(one.name, one.outcome, one.retry_count) for one in report.phases]


@pytest.mark.parametrize(
    ("name", "outcome", "phases"),
    [
        ("error", "ERROR", [("trigger_phase", "PASS", 0), ("td", "PASS", 0), ("raises", "ERROR", 0)]),
        ("failonly", "FAIL", [("trigger_phase", "PASS", 0), ("failing", "FAIL", 0)]),
        ("nophase", "PASS", [("trigger_phase", "PASS", 0)]),
        ("skiponly", "PASS", [("trigger_phase", "PASS", 0), ("skip_phase", "SKIP", 0)]),
        ("stop", "FAIL", [("trigger_phase", "PASS", 0), ("td", "PASS", 0), ("stop", "ERROR", 0)]),
        ("timeout", "TIMEOUT", [("trigger_phase", "PASS", 0), ("td", "PASS", 0), ("slow", "ERROR", 0)]),
        (
            "subtest",
            "FAIL",
            [
                ("trigger_phase", "PASS", 0),
                ("td", "PASS", 0),
                ("fail_continue", "FAIL", 0),
                ("diagphase", "FAIL", 0),
                ("td", "PASS", 1),
            ],
        ),
        (
            "subtest2",
            "FAIL",
            [("trigger_phase", "PASS", 0), ("failsub", "FAIL", 0), ("never", "SKIP", 0), ("td", "PASS", 0)],
        ),
        (
            "full",
            "FAIL",
            [
                ("trigger_phase", "PASS", 0),
                ("all_types", "PASS", 0),
                ("dims", "PASS", 0),
                ("skip_phase", "SKIP", 0),
                ("repeat_phase", "SKIP", 0),
                ("repeat_phase", "SKIP", 1),
                ("repeat_phase", "PASS", 2),
                ("forced {}", "PASS", 0),
                ("forced {}", "PASS", 1),
                ("failing", "FAIL", 0),
                ("fail_continue", "FAIL", 0),
                ("attach", "PASS", 0),
                ("td", "PASS", 0),
            ],
        ),
    ],
)
def test_outcomes_and_attempts(name, outcome, phases):
    assert outline(name) == (outcome, phases)


def test_full_header():
    report = parse(case("full"))
    assert report == RunReport(
        procedure="FVT1",
        serial_number="SN1",
        outcome="FAIL",
        started_at=datetime(2026, 11, 24, 13, 27, 54, 100_000, tzinfo=UTC),
        duration=timedelta(milliseconds=22),
        part_number="PCB01",
        revision_number="B",
        batch_number="1124-0001",
        procedure_version="1.2.0",
        sub_units=("S1",),
        docstring="desc",
        phases=report.phases,
        logs=report.logs,
    )


def test_every_log_record_is_kept_once():
    logs = parse(case("full")).logs
    assert len(logs) == 80
    assert [(log.level, log.message) for log in logs if len(log.message) == 3] == [
        ("DEBUG", "dbg"),
        ("INFO", "inf"),
        ("WARNING", "wrn"),
        ("ERROR", "err"),
        ("CRITICAL", "crt"),
    ]


FULL_CHECKS = {
    "volt": [(">=", 3.1, "PASS", True), ("<=", 3.5, "PASS", True)],
    "min_only": [(">=", 0.5, "PASS", True)],
    "max_only": [("<=", 1.5, "PASS", True)],
    "marg": [
        (">=", 0, "PASS", True),
        ("<=", 10, "PASS", True),
        (">=", 2, "PASS", False),
        ("<=", 8, "FAIL", False),
    ],
    "exact": [("==", 5, "PASS", True)],
    "neg": [(">=", -1.5e-09, "PASS", True), ("<=", 2e20, "PASS", True)],
    "eqtrue": [("==", True, "PASS", True)],
    "eqstr": [("==", "v1.2 [x]/3", "PASS", True)],
    "rgx": [("matches", ".*Widget$", "PASS", True)],
    "pct": [(">=", 95.0, "PASS", True), ("<=", 105.0, "PASS", True)],
    "pctm": [
        (">=", 95.0, "PASS", True),
        ("<=", 105.0, "PASS", True),
        (">=", 98.0, "PASS", False),
        ("<=", 102.0, "FAIL", False),
    ],
    "lam": [(None, None, "PASS", True)],
    "twov": [
        (">=", 0, "PASS", True),
        ("<=", 5, "PASS", True),
        (">=", 1, "PASS", True),
        ("<=", 4, "PASS", True),
    ],
    "nov": [],
    "listval": [(">=", 1, "PASS", True), ("<=", 3, "PASS", True)],
    "eqlist": [(None, None, "PASS", True)],
    "dpiv": [(None, None, "PASS", True)],
    "f": [(">=", 0, "PASS", True), ("<=", 1, "FAIL", True)],
    "unset_m": [],
}
FULL_LIMITS = {
    "volt": (3.1, 3.5),
    "min_only": (0.5, None),
    "max_only": (None, 1.5),
    "marg": (0, 10),
    "exact": (5, 5),
    "neg": (-1.5e-09, 2e20),
    "pctm": (95.0, 105.0),
    "twov": (1, 4),
    "eqtrue": (None, None),
    "nov": (None, None),
}


@pytest.mark.parametrize("name", FULL_CHECKS)
def test_full_validators(name):
    checks = measurements_of(parse(case("full")))[name].validators
    assert [(one.operator, one.expected, one.outcome, one.is_decisive) for one in checks] == FULL_CHECKS[name]


@pytest.mark.parametrize("name", FULL_LIMITS)
def test_full_limits(name):
    assert measurements_of(parse(case("full")))[name].limits == FULL_LIMITS[name]


def test_full_kinds_and_uoms():
    found = measurements_of(parse(case("full")))
    kinds = {name: item.kind for name, item in found.items()}
    assert {name for name, kind in kinds.items() if kind == "multidimensional"} == {
        "d1",
        "d2",
        "dpiv",
        "dempty",
    }
    assert {name for name, kind in kinds.items() if kind == "json"} == {
        "dictval",
        "listval",
        "eqlist",
        "d3",
        "dstr",
    }
    assert {name for name, kind in kinds.items() if kind == "empty"} == {"none_val", "unset_m", "after"}
    assert {name for name, kind in kinds.items() if kind == "boolean"} == {"eqtrue"}
    assert {name for name, kind in kinds.items() if kind == "string"} == {"eqstr", "rgx", "nov"}
    uoms = {
        name: found[name].uom
        for name in ("volt", "max_only", "percent_unit", "unit_str", "nodim_unit", "exact")
    }
    assert uoms == {
        "volt": "V",
        "max_only": "A",
        "percent_unit": "%",
        "unit_str": "my unit",
        "nodim_unit": None,
        "exact": None,
    }
    assert found["bigint"].value == 1152921504606846976


def test_full_series():
    found = measurements_of(parse(case("full")))
    assert [(axis.name, axis.uom, axis.data) for axis in found["d2"].series] == [
        ("second [unit of time]", "s", [0, 1, 2]),
        ("volt", "V", [10, 11, 12]),
        ("d2", "A", [0.0, 2.0, 4.0]),
    ]
    assert found["d3"].value == [[0, "k0", 100, 0], [1, "k1", 101, 1], [2, "k2", 102, 2]]


@pytest.mark.parametrize("name", ["nan_allowed", "nan_disallowed"])
def test_texts_of_non_finite_numbers(name):
    found = measurements_of(parse(case(name)))
    assert (found["nanv"].value, found["infv"].value, found["ok"].value) == ("nan", "inf", 42.0)
    ranged = found["nvr"]
    assert ranged.kind == "numeric"
    assert math.isnan(ranged.value)
    assert (ranged.outcome, ranged.limits) == ("FAIL", (0, 1))
    assert [check.outcome for check in ranged.validators] == ["FAIL", "FAIL"]


def test_failonly_measurements():
    found = measurements_of(parse(case("failonly")))
    assert (found["f"].outcome, found["f"].value, found["f"].limits) == ("FAIL", 5, (0, 1))
    assert (found["unset_m"].outcome, found["unset_m"].kind) == ("UNSET", "empty")


def test_error_keeps_the_traceback_in_the_log():
    report = parse(case("error"))
    with_traceback = [log for log in report.logs if "boom é" in log.message and "\n" in log.message]
    assert [log.level for log in with_traceback] == ["CRITICAL"]


def test_nodut_is_taken_literally():
    assert parse(case("nodut")).serial_number == "UNKNOWN_DUT"


def test_timeout_lasts_as_long_as_the_record_says():
    assert parse(case("timeout")).duration == timedelta(milliseconds=3002)


def test_pcb01():
    report = parse(case("pcb01_multidim"))
    assert (report.procedure, report.serial_number, report.part_number) == ("FVT4", "PCB01A69658", "BAT1")
    assert report.started_at == datetime(2025, 1, 20, 14, 32, 6, 58_000, tzinfo=UTC)
    found = measurements_of(report)
    assert found["firmware_version"].validators == (
        Validator(r"'x' matches /^1\.4\.3$/", "==", "1.4.3", "PASS", True, True),
    )
    assert (found["input_voltage"].value, found["input_voltage"].uom) == (4.83, "V")
    assert found["input_voltage"].limits == (4.5, 5)
    assert found["numeric"].uom == "°C"
    assert found["numeric2"].limits == (95, None)


def test_a_lone_measurement_is_no_record():
    with pytest.raises(UnreadableReport, match="required field `start_time_millis`"):
        parse(case("openhtf_multidim"))
