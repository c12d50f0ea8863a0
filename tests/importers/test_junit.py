"""JUnit XML: the samples, one rule at a time, what pytest writes now, and reports that come back as they were."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.junit import parse
from runcard.ingest.record_run import prepare_run
from tests.importers.golden import CASES, compact, golden

SAMPLES = ("complex_suites", "unicode")
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def sample(name):
    return (CASES / "junit" / f"{name}.xml").read_bytes()


def with_serial(content, serial_number="SN1"):
    """The same file, with a property of its root that names the unit."""
    root = ET.fromstring(content)
    properties = ET.Element("properties")
    ET.SubElement(properties, "property", name="serial_number", value=serial_number)
    root.insert(0, properties)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def read(content):
    return list(parse(BytesIO(content if isinstance(content, bytes) else content.encode())))


def suite(inside="", **attributes):
    """The run of one suite, whose unit is SN1."""
    given = {"name": "FVT", "serial_number": "SN1", "timestamp": "2026-01-31T12:00:00"} | attributes
    written = " ".join(f"{name}='{value}'" for name, value in given.items() if value is not None)
    (report,) = read(f"<testsuite {written}>{inside}</testsuite>")
    return report


# Samples


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_name_no_unit(name):
    assert {report.serial_number for report in read(sample(name))} == {""}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_as_another_parser_counts_them(name):
    suites = list(ET.fromstring(sample(name)).iter("testsuite"))
    reports = read(with_serial(sample(name)))
    assert [report.procedure for report in reports] == [one.get("name") for one in suites]
    for report, said in zip(reports, suites, strict=True):
        cases, attributes = said.findall("testcase"), said.attrib
        failures = int(attributes["failures"])
        assert (report.serial_number, report.procedure_is_name) == ("SN1", True)
        assert report.outcome == ("FAIL" if failures else "PASS")
        assert report.duration == timedelta(seconds=float(attributes["time"]))
        assert len(report.phases) == int(attributes["tests"])
        assert len(report.logs) == sum(phase.outcome == "FAIL" for phase in report.phases) == failures
        assert [(phase.name, phase.ended_at - phase.started_at) for phase in report.phases] == [
            (case.attrib["name"].strip(), timedelta(seconds=float(case.attrib["time"]))) for case in cases
        ]
        assert prepare_run(report).ended_at == report.started_at + report.duration


def test_unicode_sample():
    assert compact(read(with_serial(sample("unicode")))) == golden("junit/unicode")


# The unit and what else is said of the run


@pytest.mark.parametrize(
    "content",
    [
        "<testsuite name='FVT' serial_number=' SN1 '/>",
        "<testsuite name='FVT' Serial='SN1'/>",
        "<testsuites serial='SN1'><testsuite name='FVT'/></testsuites>",
        "<testsuite name='FVT'><properties><property name='Serial Number' value='SN1'/></properties></testsuite>",
        "<testsuite name='FVT' serial='no'><properties><property name='serial'>SN1</property></properties></testsuite>",
        "<testsuites serial='no'><testsuite name='FVT' serial='SN1'/></testsuites>",
        "<testsuite package='FVT' serial='SN1'/>",
    ],
    ids=["attribute", "case", "file", "property", "property-first", "suite-first", "package"],
)
def test_where_a_unit_is_named(content):
    (report,) = read(content)
    assert (report.serial_number, report.procedure, report.outcome) == ("SN1", "FVT", "PASS")


def test_what_else_is_said_of_the_run():
    properties = "".join(
        f"<property name='{name}' value='{value}'/>"
        for name, value in {
            "part-number": "PCB01",
            "Revision": "B",
            "batch": "24-1",
            "operator": "jane",
            "procedure_version": "1.2",
            "fixture": "F3",
            "room °C": "21",
            "blank": " ",
        }.items()
    )
    report = suite(f"<properties>{properties}</properties>", hostname="st-4")
    assert (report.part_number, report.revision_number, report.batch_number) == ("PCB01", "B", "24-1")
    assert (report.operator, report.procedure_version) == ("jane", "1.2")
    assert report.metadata == {"fixture": "F3", "room_C": "21", "hostname": "st-4"}


def test_metadata_keeps_its_bounds():
    properties = "".join(
        f"<property name='{'k' * 60}{n}' value='v'/><property name='p{n}' value='{n}'/>" for n in range(60)
    )
    report = suite(f"<properties>{properties}<property name='text' value='{'x' * 60_000}'/></properties>")
    assert prepare_run(report).report.metadata == {"k" * 40: "v"} | {f"p{n}": str(n) for n in range(49)}


# Suites and cases


def test_outcomes_of_cases():
    report = suite(
        "<testcase name='passes' time='1'/>"
        "<testcase name='fails' time='1'><failure type='E' message='3.1 &lt; 3.2'>trace</failure></testcase>"
        "<testcase name='breaks'><error message='no port'/><failure/></testcase>"
        "<testcase name='waits'><skipped message='later'/></testcase>"
        "<testcase name='google' status='notrun' result='suppressed'/>"
        "<testcase name='flaky'><flakyFailure message='once'/></testcase>"
    )
    assert [(phase.name, phase.outcome) for phase in report.phases] == [
        ("passes", "PASS"),
        ("fails", "FAIL"),
        ("breaks", "ERROR"),
        ("waits", "SKIP"),
        ("google", "SKIP"),
        ("flaky", "PASS"),
    ]
    assert report.outcome == "ERROR"
    assert [(log.level, log.message) for log in report.logs] == [
        ("ERROR", "fails: E: 3.1 < 3.2\ntrace"),
        ("ERROR", "breaks: no port"),
        ("ERROR", "breaks"),
        ("INFO", "waits: later"),
        ("WARNING", "flaky: once"),
    ]
    assert report.logs[0].timestamp == START + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        ({}, "PASS"),
        ({"failures": "1"}, "FAIL"),
        ({"failures": "1", "errors": "2"}, "ERROR"),
        ({"errors": ""}, "PASS"),
    ],
    ids=["none", "failure", "error", "blank"],
)
def test_a_suite_may_fail_without_its_cases(attributes, outcome):
    assert suite("<testcase name='a'/>", **attributes).outcome == outcome


def test_suites_in_a_suite_and_classes_are_sequences():
    report = suite(
        "<testcase name='a' classname='FVT' time='1'/>"
        "<testcase name='a' classname='power/rails' time='2'/>"
        "<testsuite name='inner' time='10'><testcase name='a' time='3'><failure/></testcase>"
        "<testsuite name='inner'><testcase name='a'/></testsuite></testsuite>"
        "<testsuite name='inner'><testcase name='a'><skipped/></testcase></testsuite>"
        "<testcase name='b' classname='power/rails' time='2'/>"
        "<testcase name='a' classname='FVT'/>"
    )
    assert [(one.path, one.name, one.outcome, one.started_at, one.ended_at) for one in report.sequences] == [
        ("power-rails", "power/rails", "PASS", START + timedelta(seconds=1), START + timedelta(seconds=15)),
        ("inner", "inner", "FAIL", START + timedelta(seconds=3), START + timedelta(seconds=13)),
        ("inner/inner", "inner", "PASS", START + timedelta(seconds=6), START + timedelta(seconds=6)),
        ("inner (2)", "inner", "PASS", START + timedelta(seconds=13), START + timedelta(seconds=13)),
    ]
    assert [(phase.name, phase.sequence_path, phase.retry_count) for phase in report.phases] == [
        ("a", None, 0),
        ("a", "power-rails", 0),
        ("a", "inner", 0),
        ("a", "inner/inner", 0),
        ("a", "inner (2)", 0),
        ("b", "power-rails", 0),
        ("a", None, 1),
    ]
    assert (report.outcome, report.duration) == ("FAIL", timedelta(seconds=15))
    assert prepare_run(report).report.procedure == "FVT"


def test_each_outermost_suite_is_a_run():
    suites = "<testsuite name='A'/><testsuite name='B'><testsuite name='C'/></testsuite>"
    content = f"<testsuites serial='SN1'>{suites}</testsuites>"
    assert [report.procedure for report in read(content)] == ["A", "B"]


def test_properties_of_cases_are_measurements():
    inside = "".join(
        f"<property name='{name}' value='{value}'/>"
        for name, value in {
            "rail": "3.31",
            "count": "12",
            "ok": "true",
            "text": "1.2.3",
            "big": "9" * 30,
            "none": "",
        }.items()
    )
    report = suite(f"<testcase name='a'><properties>{inside}</properties></testcase>")
    assert [(one.name, one.value, one.outcome, one.exact) for one in report.phases[0].measurements] == [
        ("rail", 3.31, "UNSET", None),
        ("count", 12, "UNSET", None),
        ("ok", True, "UNSET", None),
        ("text", "1.2.3", "UNSET", None),
        ("big", 1e30, "UNSET", "9" * 30),
        ("none", None, "UNSET", None),
    ]


def test_output_is_logged():
    report = suite(
        "<system-out> of the suite </system-out>"
        "<testcase name='a' file='t.py' line='7' time='1'><system-out>out</system-out><system-err>err</system-err>"
        "<error message='no'/></testcase><system-out/>"
    )
    assert report.logs == (
        Log("INFO", START, "of the suite", "FVT", 0),
        Log("INFO", START + timedelta(seconds=1), "out", "t.py", 0),
        Log("WARNING", START + timedelta(seconds=1), "err", "t.py", 0),
        Log("ERROR", START + timedelta(seconds=1), "a: no", "t.py", 7),
    )


def test_long_output_becomes_several_logs():
    (first, second) = suite(f"<system-out>{'x' * 10_001}</system-out>").logs
    assert (len(first.message), second.message) == (10_000, "x")


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1", 1),
        ("0.25", 0.25),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("0,25", 0.25),
        ("", 0),
        ("-1", 0),
    ],
    ids=["whole", "decimal", "thousands", "millions", "comma", "blank", "negative"],
)
def test_times(time, seconds):
    (phase,) = suite(f"<testcase name='a' time='{time}'/>").phases
    assert phase.ended_at - phase.started_at == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        ("2026-01-31T12:00:00", START),
        ("2026-01-31T13:00:00.000+01:00", START),
        ("2026-01-31T12:00:00Z", START),
    ],
    ids=["local", "zone", "utc"],
)
def test_timestamps(timestamp, moment):
    assert suite(timestamp=timestamp).started_at == moment
    assert suite(f"<testcase name='a' timestamp='{timestamp}'/>", timestamp=None).started_at == moment


def test_a_run_without_a_time_started_when_it_is_read():
    before = datetime.now(UTC)
    report = suite("<testcase name='a' time='2'/>", timestamp=None)
    assert before <= report.started_at <= datetime.now(UTC)
    assert report.phases[0].started_at == report.started_at


@pytest.mark.parametrize(
    ("attributes", "inside"),
    [("", "<testcase name='a' timestamp='2026-01-31T12:00:00'/>"), ("timestamp='2026-01-31T12:00:00'", "")],
    ids=["case", "file"],
)
def test_a_timestamp_that_is_no_date_is_remarked_on(attributes, inside):
    report, remark = read(
        f"<testsuites {attributes}><testsuite name='A' serial='SN1' timestamp='31/01/2026 noon'>"
        f"{inside}<testcase name='b' timestamp='31/01/2026 noon'/></testsuite></testsuites>"
    )
    assert report.started_at == report.phases[-1].started_at == START
    assert remark.text.startswith("The timestamp '31/01/2026 noon' in line 1 is no date")


def test_a_case_without_a_name_is_called_by_its_position():
    report, remark = read("<testsuite name='A' serial='SN1'><testcase name='a'/><testcase/></testsuite>")
    assert [phase.name for phase in report.phases] == ["a", "testcase 2"]
    assert remark.text == "The <testcase> in line 1 has no name; it is called 'testcase 2'."


def test_suites_that_name_units_inside_of_one_that_names_none_are_runs():
    inner = "".join(
        f"<testsuite name='{name}'><testsuite name='FVT' serial='{name}'><testcase name='a'/></testsuite></testsuite>"
        for name in ("SN1", "SN2")
    )
    found = read(f"<testsuite name='All'>{inner}</testsuite>")
    assert [(one.procedure, one.serial_number, len(one.phases)) for one in found] == [
        ("FVT", "SN1", 1),
        ("FVT", "SN2", 1),
    ]


def test_cases_beside_suites_that_name_units_are_of_no_unit():
    [found] = read("<testsuite name='All'><testcase name='a'/><testsuite name='B' serial='SN1'/></testsuite>")
    assert (found.procedure, found.serial_number) == ("All", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<robot/>", "root <robot>; expected is <testsuites> or <testsuite>"),
        (
            "<testsuite name='A' serial='SN1' timestamp='yesterday'/>",
            "Suite 'A' has no usable timestamp. The timestamp 'yesterday' in line 1 is no date",
        ),
        ("<testsuite name='A' serial='SN1' time='long'/>", "time 'long' in line 1 is no number"),
        ("<testsuite name='A' serial='SN1' time='nan'/>", "no length of time"),
        (
            "<testsuite name='A' serial='SN1'><testcase name='a' time='1e300'/></testsuite>",
            "no length of time",
        ),
    ],
    ids=["root", "timestamp", "time", "nan", "eternity"],
)
def test_what_is_refused(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read(content)


# A file that pytest writes now

FRESH = """
import sys
import pytest

@pytest.fixture(scope="session", autouse=True)
def unit(record_testsuite_property):
    record_testsuite_property("serial_number", "SN9")
    record_testsuite_property("part_number", "PCB9")

def test_rail(record_property):
    record_property("rail", 3.31)
    print("rail is up")

class TestPort:
    def test_fails(self):
        assert 3.1 > 3.2

    @pytest.mark.skip(reason="later")
    def test_waits(self):
        pass

    def test_breaks(self, no_such_fixture):
        pass
"""


def test_a_fresh_report_of_pytest(tmp_path):
    (tmp_path / "test_board.py").write_text(FRESH)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--junitxml=out.xml",
            "-o",
            "junit_logging=all",
            "-p",
            "no:cacheprovider",
            # Whatever lies above the folder is not its root.
            "--rootdir=.",
            ".",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    (report,) = read((tmp_path / "out.xml").read_bytes())
    assert (report.procedure, report.serial_number, report.part_number) == ("pytest", "SN9", "PCB9")
    assert report.outcome == "ERROR"
    assert [(phase.sequence_path, phase.name, phase.outcome) for phase in report.phases] == [
        ("test_board", "test_rail", "PASS"),
        ("test_board.TestPort", "test_fails", "FAIL"),
        ("test_board.TestPort", "test_waits", "SKIP"),
        ("test_board.TestPort", "test_breaks", "ERROR"),
    ]
    assert [(one.name, one.value) for one in report.phases[0].measurements] == [("rail", 3.31)]
    assert any(log.level == "INFO" and "rail is up" in log.message for log in report.logs)
    assert any(log.level == "ERROR" and "assert 3.1 > 3.2" in log.message for log in report.logs)


# Reports come back as they were

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
outcomes = st.sampled_from(["PASS", "FAIL", "SKIP", "ERROR"])
cases = st.lists(st.tuples(names, outcomes, st.integers(0, 5_000)), max_size=8)


@st.composite
def reports(draw):
    phases: list[Phase] = []
    attempts: dict[str, int] = {}
    clock = START
    for name, outcome, millis in draw(cases):
        ended_at = clock + timedelta(milliseconds=millis)
        attempts[name] = attempts.get(name, -1) + 1
        phases.append(Phase(name, outcome, clock, ended_at, retry_count=attempts[name]))
        clock = ended_at
    said = {phase.outcome for phase in phases}
    return RunReport(
        procedure=draw(names),
        procedure_is_name=True,
        serial_number=draw(names),
        part_number=draw(st.none() | names),
        outcome="ERROR" if "ERROR" in said else "FAIL" if "FAIL" in said else "PASS",
        started_at=START,
        duration=clock - START,
        phases=tuple(phases),
    )


def written(report):
    root = ET.Element("testsuites")
    one = ET.SubElement(root, "testsuite", name=report.procedure, timestamp="2026-01-31T12:00:00")
    properties = ET.SubElement(one, "properties")
    for name in ("serial_number", "part_number"):
        if (value := getattr(report, name)) is not None:
            ET.SubElement(properties, "property", name=name, value=value)
    for phase in report.phases:
        time = str((phase.ended_at - phase.started_at).total_seconds())
        case = ET.SubElement(one, "testcase", name=phase.name, classname=report.procedure, time=time)
        if phase.outcome != "PASS":
            ET.SubElement(case, {"FAIL": "failure", "ERROR": "error", "SKIP": "skipped"}[phase.outcome])
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


@given(reports())
def test_reports_come_back(report):
    (found,) = read(written(report))
    assert [log.message for log in found.logs] == [one.name for one in report.phases if one.outcome != "PASS"]
    found_without_logs = RunReport(
        **{name: getattr(found, name) for name in RunReport.__struct_fields__} | {"logs": ()}
    )
    assert found_without_logs == report
