import json
import math
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import getitem
from pathlib import Path

import msgspec
import openhtf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openhtf.output.callbacks import json_factory
from openhtf.util import units, validators

from runcard.domain.errors import InvalidInput, RuncardError, UnreadableReport
from runcard.domain.outcome import LogLevel
from runcard.domain.phase import Log
from runcard.domain.report import RunReport
from runcard.domain.validator import Validator
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


# Rules that no sample shows


@pytest.mark.parametrize(
    ("dut_id", "metadata_serial", "serial_number"),
    [
        ("SN1", "SN2", "SN1"),
        (" SN1 ", None, "SN1"),
        (1234, None, "1234"),
        (None, "SN2", "SN2"),
        ("", "SN2", "SN2"),
        ("UNKNOWN_DUT", "SN2", "SN2"),
        ("UNKNOWN_DUT", " ", "UNKNOWN_DUT"),
    ],
)
def test_where_the_serial_number_comes_from(dut_id, metadata_serial, serial_number):
    metadata = {"procedure_id": "FVT1", "serial_number": metadata_serial}
    assert parsed(record(dut_id=dut_id, metadata=metadata)).serial_number == serial_number


@pytest.mark.parametrize("metadata", [{}, None, {"procedure_id": None}, {"procedure_id": "  "}])
def test_a_missing_procedure_is_named(metadata):
    with pytest.raises(InvalidInput) as caught:
        parsed(record(metadata=metadata))
    assert [issue.path for issue in caught.value.issues] == [("metadata", "procedure_id")]


@pytest.mark.parametrize("dut_id", [None, "", " "])
def test_a_missing_serial_number_is_named(dut_id):
    with pytest.raises(InvalidInput) as caught:
        parsed(record(dut_id=dut_id))
    assert [issue.path for issue in caught.value.issues] == [("dut_id",)]


def test_all_that_is_missing_is_named_at_once():
    with pytest.raises(InvalidInput) as caught:
        parsed(record(dut_id=None, metadata=None))
    assert [issue.path for issue in caught.value.issues] == [("metadata", "procedure_id"), ("dut_id",)]


def test_a_nameless_sub_unit_is_named():
    with pytest.raises(InvalidInput) as caught:
        parsed(record(metadata={"procedure_id": "FVT1", "sub_units": ["S1", {"serial_number": " "}]}))
    assert caught.value.issues[0].path == ("metadata", "sub_units", 1, "serial_number")


def test_metadata_is_trimmed_and_empty_is_none():
    report = parsed(
        record(
            metadata={
                "procedure_id": " FVT1 ",
                "procedure_version": "",
                "part_number": 1234,
                "revision": " ",
                "batch_number": " B1",
                "operated_by": "ann@example.com ",
                "sub_units": [" S1 ", {"serial_number": "S2"}],
                "test_description": {"not": "a text"},
                "config": {"any": ["thing"]},
            }
        )
    )
    assert (report.procedure, report.procedure_version, report.part_number) == ("FVT1", None, "1234")
    assert (report.revision_number, report.batch_number, report.operated_by) == (
        None,
        "B1",
        "ann@example.com",
    )
    assert (report.sub_units, report.docstring) == (("S1", "S2"), None)


def test_the_docstring_of_the_code_comes_before_the_description():
    metadata = {"procedure_id": "FVT1", "test_description": "described"}
    assert parsed(record(metadata=metadata, code_info={"docstring": "coded"})).docstring == "coded"
    assert parsed(record(metadata=metadata, code_info={"docstring": ""})).docstring == "described"
    assert parsed(record(metadata=metadata, code_info=None)).docstring == "described"


@pytest.mark.parametrize("outcome", [None, "", "RUNNING", "pass"])
def test_unknown_outcomes(outcome):
    report = parsed(
        record(outcome=outcome, phases=[phase(outcome=outcome, measurements={"m": {"outcome": outcome}})])
    )
    assert (report.outcome, report.phases[0].outcome) == ("ERROR", "ERROR")
    assert report.phases[0].measurements[0].outcome == "UNSET"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("PASS", "PASS"),
        ("FAIL", "FAIL"),
        ("UNSET", "UNSET"),
        ("PARTIALLY_SET", "UNSET"),
        ("SKIPPED", "UNSET"),
    ],
)
def test_measurement_outcomes(outcome, expected):
    assert measured(outcome=outcome).outcome == expected


def test_a_run_without_end_lasts_to_its_last_phase():
    phases = [phase(end_time_millis=9000), phase(end_time_millis=2000)]
    assert parsed(record(end_time_millis=None, phases=phases)).duration == timedelta(seconds=8)
    assert parsed(record(end_time_millis=None)).duration == timedelta()


def test_ends_before_the_start_are_clamped():
    report = parsed(record(end_time_millis=500, phases=[phase(end_time_millis=0)]))
    assert report.duration == timedelta()
    assert report.phases[0].ended_at == report.phases[0].started_at == at(1000)


def test_phases_without_times():
    report = parsed(record(phases=[phase(start_time_millis=None, end_time_millis=None)]))
    assert (report.phases[0].started_at, report.phases[0].ended_at) == (at(1000), at(1000))


def test_fractions_of_milliseconds_are_rounded():
    assert parsed(record(start_time_millis=1000.6)).started_at == at(1001)


def test_what_may_be_null_or_absent():
    report = parsed(record(log_records=None, phases=[{"name": "p", "measurements": None, "codeinfo": None}]))
    assert (report.logs, report.phases[0].measurements, report.phases[0].docstring) == ((), (), None)


def test_the_docstring_of_a_phase():
    assert parsed(record(phases=[phase(codeinfo={"docstring": "doc"})])).phases[0].docstring == "doc"


@pytest.mark.parametrize(
    ("units", "uom"),
    [
        ("V", "V"),
        ("", None),
        (None, None),
        ({"name": "volt", "code": "VLT", "suffix": "V"}, "V"),
        ({"name": "volt", "code": "VLT", "suffix": ""}, "volt"),
        ({"name": "No dimension", "code": "NDL", "suffix": None}, None),
        ({}, None),
    ],
)
def test_uoms(units, uom):
    assert measured(units=units, measured_value=1).uom == uom


VOLT = {"name": "volt", "code": "VLT", "suffix": "V"}


@pytest.mark.parametrize("hint", [{"units": VOLT}, {"validators": ["x <= 1"]}, {"validators": ["x == 5"]}])
@pytest.mark.parametrize(("text", "number"), [("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)])
def test_numeric_measurements_have_non_finite_numbers(hint, text, number):
    value = measured(measured_value=text, **hint).value
    assert value == pytest.approx(number, nan_ok=True)


def test_texts_are_numbers_only_with_a_hint():
    assert measured(measured_value="nan").value == "nan"
    assert measured(measured_value="nan", validators=["'x' matches /nan/"]).value == "nan"
    assert measured(measured_value="NaN", units=VOLT).value == "NaN"
    assert measured(measured_value="infinite", units=VOLT).value == "infinite"


def test_literals_of_non_finite_numbers():
    content = json.dumps(record(phases=[phase(measurements={"m": {"measured_value": math.nan}})])).encode()
    assert b"NaN" in content
    assert math.isnan(parse(content).phases[0].measurements[0].value)
    assert parse(content.replace(b"NaN", b"-Infinity")).phases[0].measurements[0].value == -math.inf
    assert parse(content.replace(b"NaN", b"1e999")).phases[0].measurements[0].value == math.inf
    assert measured(measured_value={"a": [math.nan]}).value == {"a": ["nan"]}


def test_lists_stay_json_and_are_judged_by_element():
    rows = measured(measured_value=[[1, 2], [3, 4]])
    assert (rows.kind, rows.value, rows.series) == ("json", [[1, 2], [3, 4]], ())
    with_nan = measured(measured_value=[1, "nan"], validators=["0 <= x"], outcome="FAIL")
    assert (with_nan.value, with_nan.validators[0].outcome) == ([1, "nan"], "FAIL")


DIMENSIONS = [{"code": "SEC", "description": "", "name": "second", "suffix": "s"}]


def test_rows_hold_non_finite_numbers():
    found = measured(dimensions=DIMENSIONS, measured_value=[[0, 1.5], [1, "inf"]], validators=["x <= 9"])
    assert [axis.data for axis in found.series] == [[0, 1], [1.5, math.inf]]
    assert [check.outcome for check in found.validators] == ["FAIL"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[0, 1, 2]],
        [[0]],
        [[0, 1], [1]],
        [[0, None]],
        [[0, True]],
        [[0, "a"], [1, "nan"]],
        {"a": 1},
        3,
        "x",
    ],
)
def test_what_is_no_table_of_its_dimensions_stays_json(rows):
    found = measured(dimensions=DIMENSIONS, measured_value=rows)
    assert (found.value, found.series) == (rows, ())


def test_dimensions_without_value():
    assert measured(dimensions=DIMENSIONS).kind == "empty"
    assert measured(dimensions=[], measured_value=3).value == 3


def test_integers_beyond_64_bits():
    found = measured(measured_value=2**70)
    assert (found.value, found.exact) == (float(2**70), str(2**70))
    assert measured(measured_value=10**400).value == math.inf
    assert measured(measured_value={"a": 2**70}).value == {"a": float(2**70)}
    rows = measured(dimensions=DIMENSIONS, measured_value=[[0, 2**70]])
    assert rows.series[1].data == [float(2**70)]


def test_the_key_names_the_measurement():
    measurements = {"a": {"name": "b", "outcome": "PASS"}, "": {"name": "c", "outcome": "PASS"}}
    with pytest.raises(UnreadableReport, match=r"phases\[0\]\.measurements\[''\]"):
        parsed(record(phases=[phase(measurements=measurements)]))
    del measurements[""]
    assert parsed(record(phases=[phase(measurements=measurements)])).phases[0].measurements[0].name == "a"


def test_conditional_validators():
    conditional = [
        {"result": "a", "validator": "x <= 1"},
        {"result": "b", "validator": "<function f at 0x7f>"},
    ]
    found = measured(measured_value=0.5, validators=["x <= 1"], conditional_validators=conditional)
    assert found.validators == (
        Validator("x <= 1", "<=", 1, "PASS", True, True),
        Validator("<function f>", is_decisive=False),
    )
    assert found.limits == (None, 1)


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (0, "DEBUG"),
        (10, "DEBUG"),
        (25, "INFO"),
        (30, "WARNING"),
        (49, "ERROR"),
        (50, "CRITICAL"),
        (99, "CRITICAL"),
    ],
)
def test_log_levels(level, name):
    logs = [{"level": level, "timestamp_millis": 1500, "message": "m", "source": "s.py", "lineno": 3}]
    assert parsed(record(log_records=logs)).logs == (Log(name, at(1500), "m", "s.py", 3),)


def test_logs_within_bounds():
    logs = [{"level": 20, "timestamp_millis": 0, "message": "", "source": None, "lineno": None}]
    assert parsed(record(log_records=logs)).logs == (Log("INFO", at(0), "(empty)", "unknown", 0),)
    logs[0] |= {"message": "m" * 10_001, "source": "/" * 300 + "end.py"}
    log = parsed(record(log_records=logs)).logs[0]
    assert (len(log.message), len(log.source_file), log.source_file[-6:]) == (10_000, 200, "end.py")


def test_inline_attachments_are_not_read():
    attached = {"a.bin": {"mimetype": None, "sha1": "0", "data": "QUJD" * 1000}}
    assert parsed(record(phases=[phase(attachments=attached)])) == parsed(record(phases=[phase()]))


def test_a_byte_order_mark_is_tolerated():
    assert parse(b"\xef\xbb\xbf" + case("pass")) == parse(case("pass"))


# What is no record


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b"NaN",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"1" * 5000,
        json.dumps(record(dut_id="\x00")).encode(),
        json.dumps(record(dut_id="\ud800")).encode(),
        json.dumps(record(code_info={"docstring": "\udcff"})).encode(),
        json.dumps(record()).encode().replace(b"SN1", b"SN\x00"),
        json.dumps(record()).encode().replace(b"SN1", b"SN\xff"),
        json.dumps(record()).encode().replace(b"3500", b"1" * 5000),
        case("full")[:-1],
    ],
)
def test_no_json_record(content):
    with pytest.raises(UnreadableReport, match=r"OutputToJSON|NUL"):
        parse(content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dut_id": 1.5}, r"`\$\.dut_id`, which is 1\.5"),
        ({"start_time_millis": "soon"}, r"`\$\.start_time_millis`, which is 'soon'"),
        ({"start_time_millis": None}, r"\$\.start_time_millis"),
        ({"start_time_millis": 10**18}, "start_time_millis: .* 1970"),
        ({"start_time_millis": 10**400}, "start_time_millis|range"),
        ({"start_time_millis": math.nan}, "start_time_millis"),
        ({"end_time_millis": math.inf}, "end_time_millis"),
        ({"end_time_millis": -(10**30)}, "end_time_millis"),
        ({"phases": {}}, r"`\$\.phases`, which is {}"),
        ({"phases": [3]}, r"`\$\.phases\[0\]`, which is 3"),
        ({"phases": [phase(name=" ")]}, r"phases\[0\]\.name is ' '"),
        ({"phases": [phase(), phase(end_time_millis=1e300)]}, r"phases\[1\]\.end_time_millis"),
        ({"phases": [phase(measurements={"m": 3})]}, r"measurements\[\.\.\.\]"),
        ({"phases": [phase(measurements={"m": {"units": 3}})]}, "units"),
        ({"metadata": "x"}, r"\$\.metadata"),
        ({"metadata": {"procedure_id": ["a"]}}, r"`\$\.metadata\.procedure_id`, which is \['a'\]"),
        ({"metadata": {"procedure_id": "a\0b"}}, r"metadata\.procedure_id is 'a\\x00b'"),
        ({"metadata": {"procedure_id": "a", "sub_units": [{}]}}, "serial_number"),
        ({"log_records": [{"level": 10}]}, "timestamp_millis"),
        (
            {"log_records": [{"level": 1, "timestamp_millis": 0, "message": "", "lineno": 2**40}]},
            r"\$\.log_records\[0\]\.lineno",
        ),
        (
            {"log_records": [{"level": 1, "timestamp_millis": 1e17, "message": ""}]},
            r"log_records\[0\]\.timestamp_millis",
        ),
    ],
)
def test_the_message_names_the_field(changes, message):
    with pytest.raises(UnreadableReport, match=message):
        parsed(record(**changes))


@pytest.mark.parametrize("levels", [101, 400])
def test_deeply_nested_values(levels):
    value = json.loads("[" * levels + "]" * levels)
    with pytest.raises(UnreadableReport, match=r"phases\[0\]\.measurements\['m'\].*100 levels"):
        measured(measured_value=value)
    with pytest.raises(UnreadableReport, match="100 levels"):
        measured(measured_value=value, units=VOLT)


# Properties


def survives(content):
    """Whether the content is either read, as what documents can hold, or refused in Runcard's own words."""
    try:
        report = parse(content)
    except RuncardError as error:
        return bool(str(error))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=RunReport).phases is not None


@given(st.binary())
def test_arbitrary_bytes_never_surprise(content):
    assert survives(content)


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63, max_value=2**2000),
    st.floats(),
    st.text(),
    st.sampled_from(["nan", "inf", "-inf", "\0", "\ud800", "x == 1", "0 <= x"]),
    st.lists(st.one_of(st.integers(), st.text(), st.lists(st.floats()))),
    st.dictionaries(st.text(), st.integers()),
)


def places(tree, path=()):
    """The path of each node of a JSON tree below its root."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


PLACES = {name: list(places(raw(name))) for name in ("full", "nan_allowed", "error", "subtest")}


@st.composite
def mutated_records(draw):
    name = draw(st.sampled_from(sorted(PLACES)))
    tree = raw(name)
    for path in draw(st.lists(st.sampled_from(PLACES[name]), min_size=1, max_size=4, unique=True)):
        # An earlier change may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            node = reduce(getitem, path[:-1], tree)
            if isinstance(node, dict) and draw(st.booleans()):
                del node[path[-1]]
            else:
                node[path[-1]] = draw(odd_values)
    return json.dumps(tree).encode()


@settings(max_examples=300)
@given(mutated_records())
def test_mutated_records_never_surprise(content):
    assert survives(content)


@settings(max_examples=300)
@given(st.sampled_from(RECORDS), st.data())
def test_damaged_bytes_never_surprise(name, data):
    content = bytearray(case(name))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(bytes(content))


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.floats(allow_nan=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=10,
)


@given(json_values.filter(lambda value: "inf" not in repr(value)))
def test_measured_values_come_back(value):
    found = measured(measured_value=value)
    assert (type(found.value), found.value) == (type(value), value)


# A record that OpenHTF writes now


@openhtf.measures(
    openhtf.Measurement("ranged").in_range(3.1, 3.5).with_units(units.VOLT).doc("Rail"),
    openhtf.Measurement("marginal").in_range(0, 10, marginal_minimum=2, marginal_maximum=8),
    openhtf.Measurement("percent").within_percent(100, 5, marginal_percent=2),
    openhtf.Measurement("regex").matches_regex(r"^v\d+"),
    openhtf.Measurement("text").equals("a.b"),
    openhtf.Measurement("number").equals(5),
    openhtf.Measurement("not_a_number").in_range(0, 1),
    openhtf.Measurement("curve").with_dimensions(units.SECOND).with_units(units.VOLT),
    openhtf.Measurement("pivot").with_dimensions("step").dimension_pivot_validate(validators.in_range(0, 1)),
    openhtf.Measurement("never"),
)
def measure_everything(test):
    """Measures one value of each kind."""
    found = test.measurements
    found.ranged, found.marginal, found.percent, found.regex = 3.3, 9, 104, "v12"
    found.text, found.number, found.not_a_number = "a.b", 4, math.nan
    for step, value in enumerate((0.0, 0.5, math.inf)):
        found.curve[step] = value
        found.pivot[step] = step / 4
    test.logger.warning("measured")


@pytest.fixture(scope="module")
def fresh_report(tmp_path_factory):
    path = tmp_path_factory.mktemp("openhtf") / "record.json"
    test = openhtf.Test(measure_everything, procedure_id="FVT9", part_number="P9", test_description="Fresh")
    test.add_output_callbacks(json_factory.OutputToJSON(str(path)))
    test.execute(test_start=lambda: "SN9")
    return parse(path.read_bytes())


def test_a_fresh_header(fresh_report):
    assert (fresh_report.procedure, fresh_report.serial_number, fresh_report.outcome) == (
        "FVT9",
        "SN9",
        "FAIL",
    )
    assert (fresh_report.part_number, fresh_report.docstring) == ("P9", "Fresh")
    assert [(one.name, one.outcome) for one in fresh_report.phases] == [
        ("trigger_phase", "PASS"),
        ("measure_everything", "FAIL"),
    ]
    assert [log.level for log in fresh_report.logs if log.message == "measured"] == ["WARNING"]


@pytest.mark.parametrize(
    ("name", "outcome", "value", "limits", "checks"),
    [
        ("ranged", "PASS", 3.3, (3.1, 3.5), [(">=", 3.1, "PASS"), ("<=", 3.5, "PASS")]),
        (
            "marginal",
            "PASS",
            9,
            (0, 10),
            [(">=", 0, "PASS"), ("<=", 10, "PASS"), (">=", 2, "PASS"), ("<=", 8, "FAIL")],
        ),
        (
            "percent",
            "PASS",
            104,
            (95, 105),
            [(">=", 95, "PASS"), ("<=", 105, "PASS"), (">=", 98, "PASS"), ("<=", 102, "FAIL")],
        ),
        ("regex", "PASS", "v12", (None, None), [("matches", r"^v\d+", "PASS")]),
        ("text", "PASS", "a.b", (None, None), [("==", "a.b", "PASS")]),
        ("number", "FAIL", 4, (5, 5), [("==", 5, "FAIL")]),
        ("pivot", "PASS", None, (None, None), [(None, None, "PASS")]),
        ("never", "UNSET", None, (None, None), []),
    ],
)
def test_a_fresh_measurement(fresh_report, name, outcome, value, limits, checks):
    found = measurements_of(fresh_report)[name]
    assert (found.outcome, found.value, found.limits) == (outcome, value, limits)
    assert [(one.operator, one.expected, one.outcome) for one in found.validators] == checks


def test_fresh_nan_and_series(fresh_report):
    found = measurements_of(fresh_report)
    assert math.isnan(found["not_a_number"].value)
    assert [check.outcome for check in found["not_a_number"].validators] == ["FAIL", "FAIL"]
    assert (found["ranged"].uom, found["ranged"].docstring) == ("V", "Rail")
    assert [(axis.name, axis.uom, axis.data) for axis in found["curve"].series] == [
        ("second [unit of time]", "s", [0, 1, 2]),
        ("curve", "V", [0.0, 0.5, math.inf]),
    ]
    assert [(axis.name, axis.data) for axis in found["pivot"].series] == [
        ("step", [0, 1, 2]),
        ("pivot", [0.0, 0.25, 0.5]),
    ]
