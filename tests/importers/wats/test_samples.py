"""The sample reports: against figures counted in the files by other ways, and against the golden file."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.report import UnitDescription
from runcard.domain.runs.validator import Validator
from tests.importers.wats.files import CASES, NAMESPACE, as_golden, case, read_json, read_xml

MAIN = "MainSequence Callback"
OUTCOMES = {"Passed": "PASS", "Failed": "FAIL", "Done": "PASS"}


@pytest.fixture(scope="module")
def report():
    (found,) = read_json(case("uut.wsjf.json"))
    return found


@pytest.fixture(scope="module")
def xml():
    return ElementTree.fromstring(case("uut.wsxf.xml"))


def found(xml, path):
    return xml.findall(path, {"": NAMESPACE})


def test_both_files_tell_the_same(report):
    assert read_xml(case("uut.wsxf.xml")) == [report]


def test_golden(report):
    """Whatever the importer changes about the sample has to be meant; the file is made by `as_golden`."""
    assert as_golden(report) == json.loads((CASES / "uut.golden.json").read_text("utf-8"))


def test_every_step_is_a_phase_or_a_sequence(report, xml):
    calls = found(xml, ".//Step[SequenceCall]")
    others = [one for one in found(xml, ".//Step") if one not in calls]
    assert (len(calls), len(others)) == (27, 159)
    assert Counter((one.name, one.outcome) for one in report.phases) == Counter(
        (one.get("Name"), OUTCOMES[one.get("Status")]) for one in others
    )
    # The others hold the iterations of a loop.
    loops = [one for one in others if one.find("Loop[@num]", {"": NAMESPACE}) is not None]
    assert Counter((one.name, one.outcome) for one in report.sequences) == Counter(
        (one.get("Name"), OUTCOMES[one.get("Status")]) for one in [*calls, *loops]
    )


def test_every_measurement_is_kept(report, xml):
    made = [one for phase in report.phases for one in phase.measurements]
    kinds = Counter(one.kind for one in made)
    assert kinds == {"numeric": 108, "boolean": 17, "string": 21, "multidimensional": 6}
    told = [
        *((one.get("NumericValue"), one.get("Status")) for one in found(xml, ".//NumericLimit")),
        *((one.get("StringValue"), one.get("Status")) for one in found(xml, ".//StringValue")),
        *((str(one.get("Status") == "Passed"), one.get("Status")) for one in found(xml, ".//PassFail")),
    ]
    assert Counter((told_as(one.value), one.outcome) for one in made if not one.series) == Counter(
        (value, OUTCOMES[status]) for value, status in told
    )


def told_as(value):
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def test_header(report):
    assert (report.procedure, report.procedure_is_name, report.procedure_version) == (
        "SW Debug",
        True,
        "1.0.0",
    )
    assert (report.serial_number, report.part_number, report.revision_number) == (
        "FATTest-325",
        "FATPartNo",
        "Rev1",
    )
    assert (report.batch_number, report.operator, report.outcome) == ("BatchSN", "FATOperator", "FAIL")
    assert report.started_at == datetime(2026, 1, 30, 21, 1, 41, 470735, UTC)
    assert report.duration == timedelta(seconds=123.67)
    assert report.docstring == "FAT Comment - can be 500 long"
    assert report.sub_units == ("SubPartSN1", "SubPartSN2")
    assert report.new_sub_units == (
        UnitDescription("SubPartSN1", "SubPartNo1", "Rev2"),
        UnitDescription("SubPartSN2", "SubPartNo2", "Rev3"),
    )
    assert report.metadata == {
        "report_id": "33a2d408-3fc8-480b-b554-6866c77fd91c",
        "station_name": "OLALAPTOP",
        "location": "Drammen, Norway",
        "purpose": "Testing",
        "origin": "4C5F70D62FF4",
        "process_code": 10,
        "fixture_id": "FAT FixtureId",
        "test_socket_index": 999,
        "error_code": 999,
        "error_message": "Error code 999",
        "batch_fail_count": 10,
        "failed_step": f"{MAIN}/Numeric tests/SingleEQFail",
        "MiscInfoNumeric": 100,
        "MiscInfoString": "Hello",
        "InvalidXML": "This is a test with < and >",
    }


def test_a_chart(report):
    (phase,) = (one for one in report.phases if one.name == "Current from burn-in test")
    low, *_, current = (one for one in phase.measurements if one.name in ("MinValue", "Current: Current"))
    assert low == Measurement("MinValue", "FAIL", 0.0, "A", 52.0)
    assert current.series == (
        Series([0.0, 1.0, 2.0, 3.0], "min", "Minutes"),
        Series([60.72, 61.886, 62.6, 0.0], "A", "Current"),
    )


def test_loops(report):
    path = f"{MAIN}/Loops/NumericLimitMultipleLoopsSequence"
    loop = [
        (one.sequence_path.removeprefix(path), one.retry_count, one.outcome, one.measurements[0].value)
        for one in report.phases
        if one.name == "NumericLimitMultipleLoops1"
    ]
    assert loop == [
        ("", 0, "FAIL", 302.0),
        ("/NumericLimitMultipleLoops1", 0, "FAIL", 301.0),
        ("/NumericLimitMultipleLoops1", 1, "FAIL", 302.0),
    ]
    path = f"{MAIN}/Loops/SequenceCallLoopSequence"
    calls = {
        one.path.removeprefix(path): one.outcome for one in report.sequences if one.path.startswith(path)
    }
    assert calls == {
        "": "FAIL",
        "/SequenceCallLoop": "FAIL",
        "/SequenceCallLoop/SequenceCallLoop[0]": "FAIL",
        "/SequenceCallLoop/SequenceCallLoop[1]": "PASS",
        "/SequenceCallLoop/SequenceCallLoop[2]": "FAIL",
        "/SequenceCallLoop2": "FAIL",
        "/SequenceCallLoop2/SequenceCallLoop2[0]": "FAIL",
        "/SequenceCallLoop2/SequenceCallLoop2[1]": "FAIL",
        "/SequenceCallLoop2/SequenceCallLoop2[2]": "FAIL",
    }


def bounded(symbol, limit, outcome):
    return Validator(f"x {symbol} {limit}", symbol, float(limit), outcome)


# What each step of the sample says: lower and upper limit, and the checks beside them.
COMPARISONS = {
    "Log": (None, None, []),
    "EQPass": (None, None, [bounded("==", 500, "PASS")]),
    "EQFail": (None, None, [bounded("==", 501, "FAIL")]),
    "NEPass": (None, None, [bounded("!=", 499, "PASS")]),
    "NEFail": (None, None, [bounded("!=", 500, "FAIL")]),
    "GEPass": (500.0, None, []),
    "GEFail": (501.0, None, []),
    "LEPass": (None, 500.0, []),
    "LEFail": (None, 499.0, []),
    "GTPass": (None, None, [bounded(">", 499, "PASS")]),
    "GTFail": (None, None, [bounded(">", 500, "FAIL")]),
    "LTPass": (None, None, [bounded("<", 501, "PASS")]),
    "LTFail": (None, None, [bounded("<", 500, "FAIL")]),
    "GELEPass": (500.0, 500.0, []),
    "GELEFail": (501.0, 502.0, []),
    "GELTPass": (500.0, None, [bounded("<", 501, "PASS")]),
    "GELTFail": (499.0, None, [bounded("<", 500, "FAIL")]),
    "GTLEPass": (None, 500.0, [bounded(">", 499, "PASS")]),
    "GTLEFail": (None, 501.0, [bounded(">", 500, "FAIL")]),
    "GTLTPass": (None, None, [bounded(">", 499, "PASS"), bounded("<", 501, "PASS")]),
    "GTLTFail": (None, None, [bounded(">", 499, "PASS"), bounded("<", 500, "FAIL")]),
    "LTGTPass": (None, None, [("LTGT", [499, 501], "x < 499 or x > 501", "PASS")]),
    "LTGTFail": (None, None, [("LTGT", [500, 501], "x < 500 or x > 501", "FAIL")]),
    "LTGEPass": (None, None, [("LTGE", [499, 501], "x < 499 or x >= 501", "PASS")]),
    "LTGEFail": (None, None, [("LTGE", [500, 501], "x < 500 or x >= 501", "FAIL")]),
    "LEGEPass": (None, None, [("LEGE", [500, 500], "x <= 500 or x >= 500", "PASS")]),
    "LEGEFail": (None, None, [("LEGE", [499, 501], "x <= 499 or x >= 501", "FAIL")]),
    "LEGTPass": (None, None, [("LEGT", [500, 500], "x <= 500 or x > 500", "PASS")]),
    "LEGTFail": (None, None, [("LEGT", [499, 501], "x <= 499 or x > 501", "FAIL")]),
}


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("kind", ["Single", "Multi"])
def test_comparisons_of_numbers(report, kind, name):
    (made,) = (
        one
        for phase in report.phases
        if phase.sequence_path == f"{MAIN}/Numeric tests"
        for one in phase.measurements
        if one.name == f"{kind}{name}"
    )
    lower, upper, checks = COMPARISONS[name]
    assert made.limits == (lower, upper)
    assert made.outcome == ("FAIL" if name.endswith("Fail") else "PASS")
    assert made.uom == ("A" if name == "Log" else "V")
    assert list(made.validators) == [
        one
        if isinstance(one, Validator)
        else Validator(one[2], one[0], one[1], one[3], has_custom_expression=True)
        for one in checks
    ]


def test_the_sample_compares_in_all_fifteen_ways(xml):
    assert {one.get("CompOperator") for one in found(xml, ".//NumericLimit")} == {
        *("EQ", "NE", "GT", "LT", "GE", "LE", "GTLT", "GELE", "GELT", "GTLE"),
        *("LTGT", "LEGE", "LEGT", "LTGE", "LOG"),
    }
