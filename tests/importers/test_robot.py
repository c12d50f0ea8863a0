"""Robot Framework's output.xml: what versions 3, 5, 6 and 7 wrote of the same suite, and what version 7 writes now."""

import io
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from robot.api import ExecutionResult
from robot.rebot import rebot
from robot.result import Result
from robot.result import TestSuite as ResultSuite
from robot.run import run as run_robot

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.sequence import PhaseSequence
from runcard.importers.robot import parse
from runcard.ingest.record_run import prepare_run
from tests.importers.golden import CASES, compact, golden

VERSIONS = ("3", "5", "6", "7")


def sample(version):
    return (CASES / "robot" / f"board_{version}.xml").read_bytes()


def read(content):
    return list(parse(BytesIO(content)))


# The same suite, as four versions wrote it


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_tells_the_same(version):
    (report,) = read(sample(version))
    assert (report.procedure, report.procedure_is_name, report.serial_number) == ("Board", True, "SN9")
    assert (report.part_number, report.outcome, report.docstring) == (
        "PCB9",
        "FAIL",
        "Functional board check",
    )
    assert report.metadata == {"Fixture": "F3", "tags": "power, smoke"}
    assert [(phase.name, phase.outcome, phase.docstring) for phase in report.phases] == [
        ("Rail", "PASS", "3.3 V rail"),
        ("Fails", "FAIL", None),
        ("Loops", "PASS", None),
    ]
    assert [(log.level, log.message, log.source_file) for log in report.logs] == [
        ("INFO", "powering up", "BuiltIn.Log"),
        ("INFO", "rail is 3.31 V", "BuiltIn.Log"),
        ("ERROR", "3.1 is below 3.2", "BuiltIn.Fail"),
        ("INFO", "Repeating keyword, round 1/2.", "BuiltIn.Repeat Keyword"),
        ("WARNING", "turn", "BuiltIn.Log"),
        ("INFO", "Repeating keyword, round 2/2.", "BuiltIn.Repeat Keyword"),
        ("WARNING", "turn", "BuiltIn.Log"),
    ]
    assert prepare_run(report).ended_at == report.started_at + report.duration


def instant(moment):
    return moment.replace(tzinfo=UTC)


@pytest.mark.parametrize("version", VERSIONS)
def test_samples_as_robot_itself_reads_them(version):
    (report,), suite = read(sample(version)), ExecutionResult(io.StringIO(sample(version).decode())).suite
    assert (report.started_at, report.duration) == (instant(suite.start_time), suite.elapsed_time)
    assert [(one.name, one.outcome, one.started_at, one.ended_at) for one in report.phases] == [
        (one.name, one.status, instant(one.start_time), instant(one.end_time)) for one in suite.all_tests
    ]


@pytest.mark.parametrize("version", ["3", "7"])
def test_samples_as_they_were_looked_at(version):
    assert compact(read(sample(version))) == golden(f"robot/board_{version}")


# What Robot Framework writes now

UNIT = "Metadata    Serial Number    SN9"


@pytest.fixture
def run(tmp_path):
    """What robot writes of suites, given as texts by the names of their files; options are those of `robot.run`."""

    def written(**suites):
        options = suites.pop("options", {})
        for name, text in suites.items():
            (tmp_path / f"{name}.robot").write_text(text, encoding="utf-8")
        out = tmp_path / "output.xml"
        sink = io.StringIO()
        source = tmp_path if len(suites) > 1 else tmp_path / f"{next(iter(suites))}.robot"
        options = {"report": "NONE", "log": "NONE", "name": "Line"} | options
        run_robot(source, output=out, stdout=sink, stderr=sink, **options)
        return out.read_bytes()

    return written


@pytest.fixture
def combined(run, tmp_path):
    """What rebot puts together of suites, each run by itself; options are those of `rebot`."""

    def written(*texts, **options):
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / f"{number}.xml")
            files[-1].write_bytes(run(**{f"suite{number}": text}, options={"name": f"Suite {number}"}))
        out, sink = tmp_path / "combined.xml", io.StringIO()
        options = {"report": "NONE", "log": "NONE", "name": "Night"} | options
        rebot(*files, output=out, stdout=sink, stderr=sink, **options)
        return out.read_bytes()

    return written


@pytest.mark.parametrize("legacy", [False, True])
def test_each_suite_that_rebot_put_together_is_a_run(combined, legacy):
    texts = [f"*** Settings ***\n{UNIT}{one}\n*** Test Cases ***\nRail\n    Log    up\n" for one in "12"]
    found = read(combined(*texts, legacyoutput=legacy))
    assert [(one.procedure, one.serial_number, one.outcome) for one in found] == [
        ("Suite 0", "SN91", "PASS"),
        ("Suite 1", "SN92", "PASS"),
    ]


def test_units_that_suites_put_together_set_themselves(combined):
    texts = [f"*** Test Cases ***\nRail\n    ${{SERIAL}} =    Set Variable    SN{one}\n" for one in "12"]
    assert [one.serial_number for one in read(combined(*texts))] == ["SN1", "SN2"]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_unit_that_rebot_names_has_one_run_of_all_suites(combined, legacy):
    text = "*** Test Cases ***\nRail\n    Log    up\n"
    content = combined(text, text, metadata="Serial Number:SN9", legacyoutput=legacy)
    (report,) = read(content)
    suite = ExecutionResult(io.StringIO(content.decode())).suite
    assert (report.procedure, report.serial_number) == ("Night", "SN9")
    assert report.started_at == min(instant(one.start_time) for one in suite.suites)
    assert report.duration == suite.elapsed_time
    assert [one.path for one in report.sequences] == ["Suite 0", "Suite 1"]
    prepare_run(report)


def test_inner_suites_are_sequences(run):
    power = "*** Test Cases ***\nRail\n    Log    up\nRail again\n    Fail    down\n"
    ports = "*** Test Cases ***\nRail\n    Skip    no port\n"
    (report,) = read(
        run(power=power, ports=ports, options={"metadata": ["Serial_number:SN9", "operator:jane"]})
    )
    assert (report.procedure, report.serial_number, report.operator) == ("Line", "SN9", "jane")
    assert [(one.path, one.outcome) for one in report.sequences] == [("Ports", "SKIP"), ("Power", "FAIL")]
    assert report.sequences[0].source.endswith("ports.robot")
    assert [(one.sequence_path, one.name, one.outcome, one.retry_count) for one in report.phases] == [
        ("Ports", "Rail", "SKIP", 0),
        ("Power", "Rail", "PASS", 0),
        ("Power", "Rail again", "FAIL", 0),
    ]
    prepare_run(report)


def test_suites_of_several_units_are_runs_of_each(run):
    suite = "*** Settings ***\nMetadata    Serial Number    {}\n*** Test Cases ***\nRail\n    Log    up\n"
    first, second = read(run(one=suite.format("SN1"), two=suite.format("SN2")))
    assert [(one.serial_number, one.procedure, one.sequences) for one in (first, second)] == [
        ("SN1", "One", ()),
        ("SN2", "Two", ()),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Set Suite Variable    ${SERIAL NUMBER}    SN9",
        "${serial}=    Set Variable    SN9",
        "VAR    ${serial_number}    SN9    scope=TEST",
    ],
    ids=["suite", "assigned", "var"],
)
def test_a_variable_names_the_unit(run, line):
    (report,) = read(run(board=f"*** Test Cases ***\nScan\n    {line}\n"))
    assert report.serial_number == "SN9"


def test_the_serial_number_of_a_run_without_a_unit_is_empty(run):
    (report,) = read(run(board="*** Test Cases ***\nScan\n    Log    ${{'serial = 7'}}\n"))
    assert report.serial_number == ""


def test_a_run_of_two_units_is_refused(run):
    lines = "    ${serial}=    Set Variable    A\n    ${serial}=    Set Variable    B\n"
    with pytest.raises(InvalidInput) as refused:
        read(run(board=f"*** Test Cases ***\nScan\n{lines}"))
    assert [issue.path for issue in refused.value.issues] == [("serial_number",)]
    assert "assigns A and B to the variable" in refused.value.issues[0].message


CONTROLS = f"""
*** Settings ***
{UNIT}
Suite Teardown    Log    off

*** Test Cases ***
Branches
    [Setup]    Log    before
    FOR    ${{i}}    IN    1    2
        IF    ${{i}} == 2
            Log    turn ${{i}}    DEBUG
        ELSE
            Log    never mind    TRACE
        END
    END
    TRY
        Fail    caught
    EXCEPT    caught
        Log    <b>bold</b>    html=True
    END
    [Teardown]    Log    after    ERROR

Missing
    No Such Keyword
"""


def test_levels_and_control_structures(run):
    (report,) = read(run(board=CONTROLS, options={"loglevel": "TRACE"}))
    quiet = [
        (log.level, log.message)
        for log in report.logs
        if not log.message.startswith(("Arguments:", "Return:", "Traceback"))
    ]
    assert quiet == [
        ("INFO", "before"),
        ("DEBUG", "never mind"),
        ("DEBUG", "turn 2"),
        ("ERROR", "caught"),
        ("INFO", "<b>bold</b>"),
        ("ERROR", "after"),
        ("ERROR", "No keyword with name 'No Such Keyword' found."),
        ("INFO", "off"),
    ]
    assert [phase.outcome for phase in report.phases] == ["PASS", "FAIL"]


def test_a_failed_setup_is_told_once_for_each_case(run):
    table = f"*** Settings ***\n{UNIT}\nSuite Setup    Fail    dark\n"
    (report,) = read(run(board=f"{table}*** Test Cases ***\nA\n    Log    1\nB\n    Log    1\n"))
    assert [(log.level, log.message, log.source_file) for log in report.logs] == [
        ("ERROR", "dark", "BuiltIn.Fail"),
        ("ERROR", "Parent suite setup failed:\ndark", "A"),
        ("ERROR", "Parent suite setup failed:\ndark", "B"),
    ]


# What is refused

STATUS = "<status status='PASS' start='2026-01-31T12:00:00' elapsed='1.5'/>"


def suite_of(inside="", status=STATUS, name="name='A'"):
    meta = "<meta name='Serial Number'>SN9</meta>"
    return f"<robot><suite {name}>{inside}{meta}{status}</suite></robot>".encode()


def test_states_and_times():
    (report,) = read(suite_of("<test name='a'><status status='LATER' start='2026-01-31T12:00:00.5'/></test>"))
    assert (report.outcome, report.duration) == ("PASS", timedelta(seconds=1.5))
    assert [(phase.outcome, phase.started_at) for phase in report.phases] == [
        ("ERROR", datetime(2026, 1, 31, 12, 0, 0, 500_000, UTC))
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<testsuite/>", "root <testsuite>; expected is <robot>"),
        (suite_of(name=""), "<suite> in line 1 has no name"),
        (suite_of(status=""), "<suite> in line 1 has no <status>"),
        (suite_of("<test name='a'/>"), "<test> in line 1 has no <status>"),
        (suite_of(status="<status status='PASS'/>"), "has no start"),
        (suite_of(status="<status status='PASS' starttime='N/A'/>"), "has no start"),
        (
            suite_of(status=STATUS.replace("2026-01-31", "today")),
            "The time 'todayT12:00:00' in line 1 is no date",
        ),
        (suite_of(status=STATUS.replace("1.5", "long")), "elapsed of the <suite> in line 1 is 'long'"),
        (suite_of(status=STATUS.replace("1.5", "1e99")), "no length of time"),
    ],
    ids=["root", "name", "status", "case", "start", "unknown", "time", "elapsed", "eternity"],
)
def test_what_is_refused(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read(content)


# Reports come back as they were, through Robot Framework's own writer

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
steps = names.filter(lambda name: "/" not in name)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1))  # noqa: DTZ001 -- Robot Framework has no zones
spans = st.timedeltas(timedelta(), timedelta(hours=1))
cases = st.lists(st.tuples(names, st.sampled_from(["PASS", "FAIL", "SKIP"]), moments, spans), max_size=4)


class Kept(io.StringIO):
    """A text file whose text is still there when its writer has closed it."""

    def close(self):
        self.text = self.getvalue()
        super().close()


def timed(moment, span):
    return {"started_at": instant(moment), "ended_at": instant(moment) + span}


@given(
    steps, names, cases, st.dictionaries(steps, st.tuples(cases, moments, spans), max_size=3), moments, spans
)
def test_reports_come_back(procedure, serial_number, outer, inner, started_at, duration):
    root = ResultSuite(
        procedure, metadata={"Serial Number": serial_number}, start_time=started_at, elapsed_time=duration
    )
    phases, sequences = [], []
    for name, (inside, moment, span) in {None: (outer, started_at, duration), **inner}.items():
        suite = root if name is None else root.suites.create(name, start_time=moment, elapsed_time=span)
        seen: dict[str, int] = {}
        for case, status, start, elapsed in inside:
            suite.tests.create(case, status=status, start_time=start, elapsed_time=elapsed)
            seen[case] = seen.get(case, -1) + 1
            phases.append(
                Phase(case, status, **timed(start, elapsed), retry_count=seen[case], sequence_path=name)
            )
        if name is not None:
            sequences.append(PhaseSequence(name, name, suite.status, **timed(moment, span)))
    out = Kept()
    Result(suite=root).save(out)
    (found,) = read(out.text.encode())
    # The writer puts suites before the cases beside them.
    own = [phase for phase in phases if phase.sequence_path is None]
    inside_of_others = [phase for phase in phases if phase.sequence_path is not None]
    assert replace(found, metadata=None) == RunReport(
        procedure=procedure,
        procedure_is_name=True,
        serial_number=serial_number,
        outcome="FAIL" if root.status == "FAIL" else "PASS",
        started_at=instant(started_at),
        duration=duration,
        phases=(*inside_of_others, *own),
        sequences=tuple(sequences),
    )
