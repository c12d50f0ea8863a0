"""NI TestStand's XML reports: the sample, one rule at a time, and reports that come back as they were."""

import math
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.sequence import PhaseSequence
from runcard.domain.runs.validator import Validator
from runcard.importers.teststand.reports import parse
from runcard.ingest.record_run import prepare_run
from tests.importers.golden import CASES, compact, golden
from tests.importers.teststand.files import Written, array, prop, report, reports, result

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
SAMPLE = (CASES / "teststand" / "plain.xml").read_bytes()


def seconds(number):
    return START + timedelta(seconds=number)


def read(*inside):
    return list(parse(BytesIO(reports(*inside))))


def run(*steps, **said):
    (found,) = read(report(*steps, **said))
    prepare_run(found)
    return found


def measured(status="Passed", **said):
    """The measurements of one step, called `step`."""
    return list(run(result("step", status, **said)).phases[0].measurements)


# The sample


def values(path):
    """The values of the properties at such a path of the sample, as another parser finds them."""
    found = ET.fromstring(SAMPLE).findall(f".//{path}/Value")
    return [one.text for one in found]


def test_sample_as_another_parser_counts_it():
    (found,) = parse(BytesIO(SAMPLE))
    *names, main = [name for name in values("Prop[@Name='StepName']") if name]
    assert main == "MainSequence Callback"
    # Each of Runcard's phases and its only sequence; what only says which steps are next is neither.
    told = [name for name in names if name not in ("If", "End")]
    assert (len(names), len(told)) == (17, 13)
    assert sorted([*(phase.name for phase in found.phases), "CPU Test"]) == sorted(told)
    assert {phase.retry_count for phase in found.phases} == {0}
    assert sum(len(phase.measurements) for phase in found.phases) == len(
        values("Prop[@Name='PassFail']")
    ) + len(values("Prop[@Name='Numeric']"))
    numbers = [one.value for phase in found.phases for one in phase.measurements if one.kind == "numeric"]
    assert numbers == [float(one or "") for one in values("Prop[@Name='Numeric']")]
    assert len(found.logs) == len([one for one in values("Prop[@Name='ReportText']") if one])
    spans = sorted(float(one or "") for one in values("Prop[@Name='TotalTime']"))
    assert found.duration == timedelta(seconds=spans[-1])


@pytest.mark.parametrize("name", ["plain", "board", "tsreport"])
def test_files_as_they_were_looked_at(name):
    content = (CASES / "teststand" / f"{name}.xml").read_bytes()
    assert compact(parse(BytesIO(content))) == golden(f"teststand/{name}")


# The header


def test_what_the_wats_client_kept_of_a_report():
    (found,) = parse(BytesIO((CASES / "teststand" / "tsreport.xml").read_bytes()))
    assert (found.serial_number, found.part_number, found.revision_number) == ("12345", "PN1", "1.0")
    # 10:55 at two hours before UTC, as ReportInfo says.
    assert found.started_at == datetime(2022, 6, 23, 8, 55, 4, 370_000, tzinfo=UTC)
    assert (found.metadata or {})["report_id"] == "f4fb0a29-93b1-4f7f-ada7-672b382774ab"
    assert [(phase.name, phase.outcome) for phase in found.phases] == [("Pass/Fail Test", "PASS")]


def test_a_start_of_report_info_that_cannot_be_read():
    content = (CASES / "teststand" / "tsreport.xml").read_bytes().replace(b"2022-06-23T10:55:04.3", b"soon")
    with pytest.raises(UnreadableReport, match="Start of the report's ReportInfo, 'soon"):
        list(parse(BytesIO(content)))


@pytest.mark.parametrize("kind", ["If", "ElseIf", "Else", "End", "For", "ForEach", "While", "Select", "Case"])
@pytest.mark.parametrize("status", ["Done", "Passed", "Failed", "Skipped"])
def test_steps_that_only_say_which_are_next_are_no_phases(kind, status):
    flow = [result(kind, status, step_type=f"NI_Flow_{kind}") for _ in range(2)]
    found = run(flow[0], result("CPU"), flow[1])
    assert [(phase.name, phase.retry_count) for phase in found.phases] == [("CPU", 0)]


def test_a_condition_that_cannot_be_worked_out_is_an_error():
    wrong = {"Occurred": True, "Code": -17308, "Msg": "unknown variable"}
    found = run(result("If", "Error", step_type="NI_Flow_If", Error=wrong))
    assert [(phase.name, phase.outcome) for phase in found.phases] == [("If", "ERROR")]
    assert "unknown variable" in found.logs[0].message


def test_header():
    found = run(
        head={
            "UUT": {
                "SerialNumber": " SN1 ",
                "PartNumber": "PCB01",
                "BatchSerialNumber": "24-1",
                "TestSocketIndex": 3,
                "UUTLoopIndex": 7,
                "AdditionalData": {"Fixture": "F3"},
                "CriticalFailureStack": array(
                    {"[0]": prop_of("MainSequence", "CPU"), "[1]": prop_of("CPU Test", "Cache")}, "Obj"
                ),
            },
            "StationInfo": {"StationID": "ST-4", "LoginName": "jane", "AdditionalData": {"Humidity": 40}},
        },
        call={"SequenceFile": r"\\server\seq\Board FVT.seq", "SequenceFileVersion": "1.2.0.0"},
    )
    assert (found.procedure, found.procedure_is_name, found.procedure_version) == (
        "Board FVT",
        True,
        "1.2.0.0",
    )
    assert (found.serial_number, found.part_number, found.batch_number) == ("SN1", "PCB01", "24-1")
    assert (found.operator, found.started_at, found.duration) == ("jane", START, timedelta(seconds=10))
    assert found.metadata == {
        "station": "ST-4",
        "TestSocketIndex": 3,
        "UUTLoopIndex": 7,
        "critical_failure": "MainSequence/CPU > CPU Test/Cache",
        "Fixture": "F3",
        "Humidity": "40",
    }


def prop_of(sequence, step):
    return Written(prop("", {"SequenceName": sequence, "StepName": step}))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Passed", "PASS"),
        ("Done", "PASS"),
        ("Failed", "FAIL"),
        ("Error", "ERROR"),
        ("Terminated", "ABORTED"),
        ("Whatever", "ERROR"),
    ],
)
def test_run_outcomes(status, outcome):
    assert run(UUTResult=status).outcome == outcome


def test_without_the_attribute_the_outcome_is_that_of_the_main_sequence():
    content = report().replace("<Value>Passed</Value>", "<Value>Failed</Value>")
    assert read(content)[0].outcome == "FAIL"


def test_each_report_of_a_unit_is_a_run():
    found = read(report(), report(Type="Batch"), report(head={"UUT": {"SerialNumber": "SN2"}}))
    assert [one.serial_number for one in found] == ["SN1", "SN2"]


def test_a_report_may_be_the_root():
    (found,) = parse(BytesIO(report().encode()))
    assert found.serial_number == "SN1"


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-16", "windows-1252"])
def test_encodings(encoding):
    text = f"<?xml version='1.0' encoding='{encoding}'?>{report(result('Größe', Units='µA', Numeric=1, Comp='LOG'))}"
    (found,) = parse(BytesIO(text.encode(encoding)))
    assert (found.phases[0].name, found.phases[0].measurements[0].uom) == ("Größe", "µA")


# Steps and sequences


@pytest.mark.parametrize(
    ("status", "outcome", "logs"),
    [
        ("Passed", "PASS", []),
        ("Done", "PASS", []),
        ("Failed", "FAIL", []),
        ("Skipped", "SKIP", []),
        ("Error", "ERROR", []),
        ("Terminated", "ERROR", []),
        ("Marginal", "ERROR", ["step has the unknown status 'Marginal'"]),
    ],
)
def test_phase_outcomes(status, outcome, logs):
    found = run(result("step", status))
    assert [phase.outcome for phase in found.phases] == [outcome]
    assert [log.message for log in found.logs if log.level == "WARNING"] == logs


def test_calls_are_sequences():
    cache = result("Cache", "Failed", at=103, took=0.5)
    inner = result("CPU", "Failed", at=102, took=3, calls=[cache], call={"SequenceFile": "cpu.seq"})
    again = result("CPU", "Skipped", at=106, took=0, calls=[])
    deep = result("Power/On", at=107, calls=[result("CPU", at=107, calls=[result("Cache", at=107)])])
    found = run(result("Cache", at=101), inner, again, deep, result("Cache", at=109))
    assert found.sequences == (
        PhaseSequence("CPU", "CPU", "FAIL", "cpu.seq", seconds(2), seconds(5)),
        PhaseSequence("CPU (2)", "CPU", "SKIP", None, seconds(6), seconds(6)),
        PhaseSequence("Power-On", "Power/On", "PASS", None, seconds(7), seconds(8)),
        PhaseSequence("Power-On/CPU", "CPU", "PASS", None, seconds(7), seconds(8)),
    )
    assert [(one.sequence_path, one.outcome, one.started_at, one.retry_count) for one in found.phases] == [
        (None, "PASS", seconds(1), 0),
        ("CPU", "FAIL", seconds(3), 0),
        ("Power-On/CPU", "PASS", seconds(7), 0),
        (None, "PASS", seconds(9), 1),
    ]


def test_what_a_call_measured_is_a_phase_inside_of_it():
    (phase,) = run(result("CPU", calls=[], Frequency=2.4)).phases
    assert (phase.name, phase.sequence_path, phase.measurements[0].name) == ("CPU", "CPU", "Frequency")


def test_a_step_without_a_name_is_called_as_its_type():
    assert [phase.name for phase in run(result("", step_type="Statement")).phases] == ["Statement"]


def test_steps_without_times_start_with_their_sequence():
    content = report(result("step")).replace("\"StartTime\" Type='Number'", "\"Start\" Type='Number'")
    (found,) = read(content.replace('"TotalTime"', '"Total"'))
    assert (found.phases[0].started_at, found.phases[0].ended_at, found.duration) == (
        START,
        START,
        timedelta(),
    )


def test_errors_and_texts_are_logged():
    error = {"Code": -17500, "Msg": "No port", "Occurred": True}
    found = run(
        result("open", "Error", at=101, Error=error, ReportText="tried twice"),
        result("quiet", Error={"Code": 0, "Msg": "", "Occurred": False}, ReportText=""),
    )
    assert found.logs == (
        Log("ERROR", seconds(2), "open: error -17500: No port", "open", 0),
        Log("INFO", seconds(2), "tried twice", "open", 0),
    )


# Measurements


@pytest.mark.parametrize(
    ("comparison", "limits", "checks"),
    [
        ("GELE", (1, 9), []),
        ("GTLT", (None, None), [("x > 1", "PASS"), ("x < 9", "PASS")]),
        ("GELT", (1, None), [("x < 9", "PASS")]),
        ("GTLE", (None, 9), [("x > 1", "PASS")]),
        ("LTGT", (None, None), [("x < 1 or x > 9", "FAIL")]),
        ("LEGE", (None, None), [("x <= 1 or x >= 9", "FAIL")]),
        ("LEGT", (None, None), [("x <= 1 or x > 9", "FAIL")]),
        ("LTGE", (None, None), [("x < 1 or x >= 9", "FAIL")]),
        ("GE", (1, None), []),
        ("LE", (None, 1), []),
        ("GT", (None, None), [("x > 1", "FAIL")]),
        ("LT", (None, None), [("x < 1", "FAIL")]),
        ("EQ", (None, None), [("x == 1", "FAIL")]),
        ("NE", (None, None), [("x != 1", "FAIL")]),
        ("EQT", (None, None), [("x EQT Low 1, High 9", "FAIL")]),
    ],
)
def test_comparisons(comparison, limits, checks):
    (found,) = measured("Failed", Numeric=5, Comp=comparison, Limits={"Low": 1, "High": 9}, Units="V")
    assert (found.name, found.outcome, found.value, found.uom) == ("step", "FAIL", 5, "V")
    assert found.limits == limits
    assert [(check.expression, check.outcome) for check in found.validators] == checks


def test_the_high_limit_stands_in_where_there_is_no_low_one():
    (found,) = measured(Numeric=5, Comp="LE", Limits={"High": 9})
    assert (found.limits, found.validators) == ((None, 9), ())


def test_without_a_comparison_nothing_is_judged():
    (logged,) = measured(Numeric=5, Comp="LOG", Limits={"Low": 1, "High": 9})
    (bare,) = measured(Numeric=5)
    assert logged == bare == Measurement("step", "UNSET", 5)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0),
        ("-2.5e-06", -2.5e-06),
        ("3,3", 3.3),
        ("0x1F", 31),
        ("INF", math.inf),
        ("-INF", -math.inf),
        ("9" * 30, 1e30),
    ],
    ids=["zero", "exponent", "comma", "hex", "inf", "minus-inf", "big"],
)
def test_numbers(written, value):
    content = report(result("step", Numeric=1.25)).replace("<Value>1.25<", f"<Value>{written}<")
    (measurement,) = read(content)[0].phases[0].measurements
    assert measurement.value == value


@pytest.mark.parametrize("written", ["NaN", "IND", "-IND"])
def test_no_numbers(written):
    content = report(result("step", Numeric=1.25, Comp="GELE", Limits={"Low": 1, "High": 9}))
    (measurement,) = read(content.replace("<Value>1.25<", f"<Value>{written}<"))[0].phases[0].measurements
    assert math.isnan(measurement.value)
    assert (measurement.limits, measurement.outcome) == ((1, 9), "PASS")


def test_infinite_limits_bound_nothing():
    (found,) = measured(Numeric=5, Comp="GELE", Limits={"Low": "-INF", "High": 9})
    assert found.limits == (None, 9)


def test_multiple_numeric_limits():
    def one(name, data, status):
        said = {"Data": data, "Limits": {"Low": 1, "High": 9}, "Comp": "GELE", "Units": "V", "Status": status}
        return Written(prop(name, said))

    several = array(
        {"[0]": one("Rail 1", 5, "Passed"), "[1]": one("Rail 2", 11, "Failed"), "[2]": one("", 3, "")}, "Obj"
    )
    assert measured("Failed", Measurement=several) == [
        Measurement("Rail 1", "PASS", 5, "V", 1, 9),
        Measurement("Rail 2", "FAIL", 11, "V", 1, 9),
        Measurement("step 2", "UNSET", 3, "V", 1, 9),
    ]
    assert measured("Passed", Measurement=several)[2].outcome == "PASS"


def test_texts():
    (exact,) = measured(String="v1.2", Limits={"String": "v1.2"}, Comp="CaseSensitive")
    (folded,) = measured("Failed", String="V1", Limits={"String": "v2"}, Comp="IgnoreCase")
    (logged,) = measured(String="V1", Limits={"String": "v2"}, Comp="LOG")
    assert exact.validators == (Validator("x == v1.2", "==", "v1.2", "PASS"),)
    assert (folded.outcome, folded.validators) == (
        "FAIL",
        (Validator("x == v2, in any case", outcome="FAIL"),),
    )
    assert logged == Measurement("step", "UNSET", "V1")


def test_pass_or_fail():
    assert measured("Failed", PassFail=False) == [
        Measurement("step", "FAIL", False, validators=(Validator("x == true", "==", True, "FAIL"),))
    ]


def test_arrays_are_multi_dimensional():
    line = array({"[0]": 1, "[1]": 2.5, "[2]": "NaN"})
    plane = array({"[0][0]": 1, "[0][1]": 2, "[1][0]": 3, "[1][1]": 4})
    first, second, empty = measured(Sweep=line, Map=plane, Nothing=array({}))
    assert [axis.name for axis in first.series] == ["index", "Sweep"]
    assert (first.series[0].data, first.series[1].data[:2]) == ([0, 1, 2], [1, 2.5])
    assert second.series == (
        Series([0, 0, 1, 1], name="index 1"),
        Series([0, 1, 0, 1], name="index 2"),
        Series([1, 2, 3, 4], name="Map"),
    )
    assert (empty.series, empty.value) == ((), [])


def test_other_results_of_a_step():
    found = measured(
        Frequency=2.4,
        Firmware="1.2",
        Ready=True,
        Names=array({"[0]": "a", "[1]": "b"}, "String"),
        Wave={"t0": 0, "Y": array({"[0]": 1})},
        Points=array({"[0]": Written(prop("", {"x": 1}))}, "Obj"),
    )
    assert [(one.name, one.value, one.outcome) for one in found] == [
        ("Frequency", 2.4, "UNSET"),
        ("Firmware", "1.2", "UNSET"),
        ("Ready", True, "UNSET"),
        ("Names", ["a", "b"], "UNSET"),
        ("Wave.t0", 0, "UNSET"),
        ("Wave.Y", None, "UNSET"),
        ("Points[0].x", 1, "UNSET"),
    ]


def test_what_is_not_flagged_is_no_result():
    content = report(result("step", Frequency=2.4)).replace("0x2400", "0x0")
    assert read(content)[0].phases[0].measurements == ()


# What is refused


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (report(head={"UUT": {"SerialNumber": " "}}), "serial_number"),
        (report(head={"UUT": {}}), "serial_number"),
        (report(call={"Sequence": ""}), "procedure"),
    ],
    ids=["blank", "missing", "procedure"],
)
def test_what_a_report_does_not_name_is_empty(content, field):
    assert [getattr(one, field) for one in read(content)] == [""]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<Report Type='UUT'/>", "has no result"),
        (
            report(head={"StartDate": {"Year": 2026, "Month": 13, "MonthDay": 31}}),
            "are no moment: year 2026, month 13",
        ),
        (report(head={"StartDate": {}}), "are no moment"),
        (report(head={"StartDate": {"Year": "now", "Month": 1, "MonthDay": 1}}), "Year in line 1 is 'now'"),
        (report(result("step", Numeric="high")), "Numeric in line 1 is 'high', which is no number"),
        (report(result("step", at=math.nan)), "no length of time"),
        (report(result("step", took=1e300)), "no length of time"),
        (report(result("step", Sweep=array({"[0]": 1, "[0][1]": 2}))), "elements of several dimensions"),
    ],
    ids=["result", "month", "date", "year", "number", "nan", "eternity", "array"],
)
def test_what_is_refused(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read(content)


# Reports come back as they were

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
numbers = st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1)
millis = st.integers(0, 9_000)
statuses = st.sampled_from([("Passed", "PASS"), ("Failed", "FAIL")])
limits = st.floats(-1e9, 1e9)


@given(
    names,
    st.none() | names,
    statuses,
    st.lists(
        st.tuples(names, statuses, millis, millis, numbers, limits, limits, st.none() | names), max_size=6
    ),
)
def test_reports_come_back(serial_number, part_number, claimed, steps):
    phases: list[Phase] = []
    seen: dict[str, int] = {}
    written = []
    for name, (status, outcome), start, span, value, low, high, uom in steps:
        seen[name] = seen.get(name, -1) + 1
        measurement = Measurement(name, outcome, value, uom, low, high)
        started_at = seconds(start / 1000)
        ended_at = started_at + timedelta(milliseconds=span)
        phases.append(Phase(name, outcome, started_at, ended_at, (measurement,), retry_count=seen[name]))
        said = {"Numeric": value, "Comp": "GELE", "Limits": {"Low": low, "High": high}, "Units": uom or ""}
        written.append(result(name, status, at=100 + start / 1000, took=span / 1000, **said))
    unit = {"SerialNumber": serial_number, "PartNumber": part_number or ""}
    found = run(*written, head={"UUT": unit}, UUTResult=claimed[0])
    assert found == RunReport(
        procedure="Board",
        procedure_is_name=True,
        serial_number=serial_number,
        part_number=part_number,
        outcome=claimed[1],
        started_at=START,
        duration=timedelta(seconds=10),
        phases=tuple(phases),
    )
