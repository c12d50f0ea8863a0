"""ATML test results: a file of each version, one rule at a time, and reports that come back as they were.

No station's file was at hand: the three were written by hand after the standard.
"""

import math
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from io import BytesIO
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.sequence import PhaseSequence
from runcard.domain.runs.validator import Validator
from runcard.importers.atml.reports import parse
from runcard.ingest.record_run import prepare_run
from tests.importers.golden import CASES, compact, golden

VERSIONS = ("2", "5", "6")
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAMESPACES = (
    'xmlns:tr="urn:IEEE-1636.1:2013:TestResults" xmlns:c="urn:IEEE-1671:2010:Common" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
UNIT = "<tr:UUT><c:SerialNumber>SN1</c:SerialNumber></tr:UUT>"


def sample(version):
    return (CASES / "atml" / f"board_{version}.xml").read_bytes()


def seconds(number):
    return START + timedelta(seconds=number)


def read(content):
    return list(parse(BytesIO(content)))


def results(inside="", unit=UNIT, more="", **attributes):
    given = {"name": "Board", "startDateTime": "2026-01-31T12:00:00Z", "endDateTime": "2026-01-31T12:00:10Z"}
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in (given | attributes).items())
    result_set = f"<tr:ResultSet {written}>{inside}</tr:ResultSet>"
    return f"<tr:TestResults {NAMESPACES}>{result_set}{more}{unit}</tr:TestResults>".encode()


def run(inside="", **said):
    (found,) = read(results(inside, **said))
    prepare_run(found)
    return found


def step(name="step", outcome="Passed", inside="", kind="Test"):
    stated = f"<tr:Outcome value='{outcome}'/>" if outcome else ""
    return f"<tr:{kind} name={quoteattr(name)}>{stated}{inside}</tr:{kind}>"


def result(data, limits="", name="m", outcome=""):
    stated = f"<tr:Outcome value='{outcome}'/>" if outcome else ""
    kept = f"<tr:TestLimits><tr:Limits>{limits}</tr:Limits></tr:TestLimits>" if limits else ""
    return f"<tr:TestResult name={quoteattr(name)}>{stated}<tr:TestData>{data}</tr:TestData>{kept}</tr:TestResult>"


def datum(value, kind="double", **attributes):
    written = "".join(f" {name}={quoteattr(said)}" for name, said in attributes.items())
    if kind == "string":
        return f"<c:Datum xsi:type='c:string'{written}><c:Value>{value}</c:Value></c:Datum>"
    return f"<c:Datum xsi:type='c:{kind}' value='{value}'{written}/>"


def measured(inside, outcome="Passed"):
    return list(run(step("step", outcome, inside)).phases[0].measurements)


# A file of each version


@pytest.mark.parametrize("version", VERSIONS)
def test_files_as_they_were_looked_at(version):
    assert compact(read(sample(version))) == golden(f"atml/board_{version}")


@pytest.mark.parametrize("version", VERSIONS)
def test_files_as_another_parser_counts_them(version):
    (found,), root = read(sample(version)), ET.fromstring(sample(version))
    assert [phase.name for phase in found.phases] == [
        one.get("name") for one in root.iter() if one.tag.endswith(("}Test", "}SessionAction"))
    ]
    assert len(found.sequences) == len(root.findall(".//{*}TestGroup"))
    said = len(root.findall(".//{*}TestResult")) + len(root.findall(".//{*}Item"))
    assert sum(len(phase.measurements) for phase in found.phases) == said
    assert found.serial_number == root.findtext(".//{*}UUT/{*}SerialNumber")
    prepare_run(found)


# The header


def test_a_header_without_more():
    assert run() == RunReport(
        procedure="Board",
        procedure_is_name=True,
        serial_number="SN1",
        outcome="PASS",
        started_at=START,
        duration=timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    ("name", "procedure"),
    [
        (r"C:\tests\Board FVT.seq#MainSequence", "Board FVT"),
        ("Board FVT.SEQ", "Board FVT"),
        ("/tests/Board", "Board"),
        ("", "Program"),
    ],
    ids=["teststand", "file", "folder", "program"],
)
def test_procedures(name, procedure):
    program = "<tr:TestProgram><c:Definition name='Program' version='1.2'/></tr:TestProgram>"
    found = run(name=name, more=program)
    assert (found.procedure, found.procedure_version) == (procedure, "1.2")


def test_units():
    numbers = "<c:IdentificationNumber number='Mk II' type='Model'/><c:IdentificationNumber number='P1' type='Part'/>"
    identified = (
        f"<c:Identification><c:IdentificationNumbers>{numbers}</c:IdentificationNumbers></c:Identification>"
    )
    definition = f"<c:Definition version='B'>{identified}</c:Definition>"
    unit = f"<tr:UUT>{definition}<c:SerialNumber> SN1 </c:SerialNumber></tr:UUT>"
    batch = "<tr:Extension><x:BatchSerialNumber xmlns:x='urn:x'>24-1</x:BatchSerialNumber></tr:Extension>"
    found = run(unit=unit, more=batch)
    assert (found.serial_number, found.part_number, found.revision_number) == ("SN1", "P1", "B")
    assert found.batch_number == "24-1"
    assert run(unit=unit.replace("'Part'", "'Other'")).part_number == "Mk II"


def test_each_result_set_is_a_run():
    root = results().decode()
    (collection,) = [
        f"<c:TestResultsCollection xmlns:c='urn:x'>{root}{root}</c:TestResultsCollection>".encode()
    ]
    assert [one.serial_number for one in read(collection)] == ["SN1", "SN1"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("<tr:Outcome value='Passed'/>", "PASS"),
        ("<tr:Outcome value='Failed'/>", "FAIL"),
        ("<tr:Outcome value='Aborted'/>", "ABORTED"),
        ("<tr:Outcome value='NotStarted'/>", "PASS"),
        ("<tr:Outcome value='UserDefined' qualifier='Error'/>", "ERROR"),
        ("<tr:Outcome value='UserDefined' qualifier='Terminated'/>", "ABORTED"),
        ("<tr:Outcome value='UserDefined' qualifier='Marginal'/>", "ERROR"),
        ("<tr:Outcome value='UserDefined'/>", "ERROR"),
        (step("a", "Failed") + step("b", "Passed"), "FAIL"),
        (step("a", "Failed") + step("b", "Aborted", kind="TestGroup"), "ABORTED"),
        (step("a", "Failed") + step("b", "Aborted"), "ERROR"),
    ],
    ids=[
        "passed",
        "failed",
        "aborted",
        "not-started",
        "error",
        "terminated",
        "unknown",
        "unqualified",
        "worst-failed",
        "worst-aborted",
        "worst-error",
    ],
)
def test_run_outcomes(outcome, expected):
    assert run(outcome).outcome == expected


# Tests, actions and groups


def test_groups_are_sequences():
    times = "startDateTime='2026-01-31T12:00:02Z' endDateTime='2026-01-31T12:00:05Z'"
    inner = step("Deep", "Passed", step("a", "Failed"), "TestGroup")
    inside = f"<tr:Outcome value='Failed'/>{step('a')}"
    named = f"<tr:TestGroup name='cpu.seq#Main' callerName='CPU' {times}>{inside}</tr:TestGroup>"
    found = run(step("a") + named + step("x.seq#Other", "NotStarted", inner, "TestGroup"))
    assert found.sequences == (
        PhaseSequence("CPU", "CPU", "FAIL", "cpu.seq", seconds(2), seconds(5)),
        PhaseSequence("Other", "Other", "SKIP", "x.seq", START, START),
        PhaseSequence("Other/Deep", "Deep", "PASS", None, START, START),
    )
    assert [(one.sequence_path, one.outcome, one.started_at) for one in found.phases] == [
        (None, "PASS", START),
        ("CPU", "PASS", seconds(2)),
        ("Other/Deep", "FAIL", START),
    ]


def test_actions_are_phases():
    items = f"<c:Item name='U'>{datum(3, standardUnit='V')}</c:Item><c:Item name='none'/>"
    noted = f"<tr:Data><c:Collection>{items}</c:Collection></tr:Data>"
    acted = f"<tr:SessionAction ID='a7'>{noted}</tr:SessionAction>"
    failed = "<tr:SessionAction name='b'><tr:ActionOutcome value='Aborted'/></tr:SessionAction>"
    first, second = run(acted + failed).phases
    assert (first.name, first.outcome, first.measurements) == (
        "a7",
        "PASS",
        (Measurement("U", "UNSET", 3, "V"),),
    )
    assert (second.name, second.outcome) == ("b", "ERROR")


def test_events_and_report_texts_are_logged():
    event = (
        "<tr:Events><tr:Event timestamp='2026-01-31T12:00:01Z' severity='Warning'><tr:Message>hot</tr:Message>"
        "</tr:Event><tr:Event>cold</tr:Event></tr:Events>"
    )
    text = "<tr:Extension><x:Step xmlns:x='urn:x'><x:ReportText>done twice</x:ReportText></x:Step></tr:Extension>"
    assert run(step("step", "Passed", event + text)).logs == (
        Log("WARNING", seconds(1), "hot", "step", 0),
        Log("INFO", START, "cold", "step", 0),
        Log("INFO", START, "done twice", "step", 0),
    )


# Data and limits


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (datum("2.5"), 2.5),
        (datum("INF"), math.inf),
        (datum("7", "integer"), 7),
        (datum("-7", "long"), -7),
        (datum("7", "unsignedLong"), 7),
        (datum("true", "boolean"), True),
        (datum("0", "boolean"), False),
        (datum("maybe", "boolean"), "maybe"),
        (datum("a b", "string"), "a b"),
        (datum("2026-01-31T12:00:00", "dateTime"), "2026-01-31T12:00:00"),
        (datum("ff", "hexadecimal"), "ff"),
        ("<c:Datum xsi:type='ts:TS_double' value='1'/>", 1),
        ("<c:Datum xsi:type='c:double'/>", None),
        ("<c:Datum xsi:type='c:complex' real='1' imaginary='NaN'/>", {"re": 1, "im": "nan"}),
        ("<c:IndexedArray xsi:type='c:doubleArray'/>", []),
        (
            "<c:IndexedArray xsi:type='c:booleanArray'><c:Element value='1'/><c:Element value='0'/></c:IndexedArray>",
            [True, False],
        ),
    ],
    ids=[
        "double",
        "infinite",
        "integer",
        "long",
        "unsigned",
        "true",
        "false",
        "no-boolean",
        "string",
        "date",
        "hexadecimal",
        "teststand",
        "no-value",
        "complex",
        "no-elements",
        "booleans",
    ],
)
def test_data(data, value):
    assert measured(result(data)) == [Measurement("m", "UNSET", value)]


def test_integers_beyond_64_bits_keep_their_digits():
    assert measured(result(datum("9" * 30, "integer"))) == [Measurement("m", "UNSET", 1e30, exact="9" * 30)]


@pytest.mark.parametrize(
    ("attributes", "uom"),
    [
        ({"standardUnit": "V"}, "V"),
        ({"nonStandardUnit": "furlong"}, "furlong"),
        ({"standardUnit": "V", "unitQualifier": "RMS"}, "V RMS"),
        ({}, None),
    ],
    ids=["standard", "other", "qualified", "none"],
)
def test_units_of_measure(attributes, uom):
    assert measured(result(datum(1, **attributes)))[0].uom == uom


def test_arrays_are_multi_dimensional():
    elements = "".join(
        f"<c:Element value='{value}' position='[{at},1]'/>" for at, value in ((0, 5), (1, "NaN"))
    )
    (found,) = measured(
        result(f"<c:IndexedArray xsi:type='c:floatArray' standardUnit='V'>{elements}</c:IndexedArray>")
    )
    first, second, values = found.series
    assert (first, second) == (Series([0, 1], name="index 1"), Series([1, 1], name="index 2"))
    assert (values.name, values.uom, values.data[0], math.isnan(values.data[1])) == ("m", "V", 5, True)


def limit(comparator, value, kind="double"):
    return f"<c:Limit comparator='{comparator}'>{datum(value, kind)}</c:Limit>"


def pair(first, second, operator="AND"):
    return f"<c:LimitPair operator='{operator}'>{limit(first, 1)}{limit(second, 9)}</c:LimitPair>"


def single(comparator, value=1, kind="double", name="SingleLimit"):
    return f"<c:{name} comparator='{comparator}'>{datum(value, kind)}</c:{name}>"


@pytest.mark.parametrize(
    ("written", "limits", "checks"),
    [
        (pair("GE", "LE"), (1, 9), []),
        (pair("LE", "GE"), (9, 1), []),
        (pair("GT", "LE"), (None, 9), [("x > 1", ">", "PASS")]),
        (pair("LT", "GT", "OR"), (None, None), [("x < 1 or x > 9", None, "FAIL")]),
        (pair("GE", "CINE"), (None, None), [("x GE 1 AND x CINE 9", None, "FAIL")]),
        (single("GE"), (1, None), []),
        (single("LE"), (None, 1), []),
        (single("GT"), (None, None), [("x > 1", ">", "FAIL")]),
        (single("LT"), (None, None), [("x < 1", "<", "FAIL")]),
        (single("EQ"), (None, None), [("x == 1", "==", "FAIL")]),
        (single("NE"), (None, None), [("x != 1", "!=", "FAIL")]),
        (single("XX"), (None, None), [("x XX 1", None, "FAIL")]),
        (single("GE", "INF"), (None, None), []),
        (single("EQ", "a", "string", "Expected"), (None, None), [("x == a", "==", "FAIL")]),
        (single("CINE", "a", "string", "Expected"), (None, None), [("x != a, in any case", None, "FAIL")]),
        (single("EQ", "true", "boolean", "Expected"), (None, None), [("x == true", "==", "FAIL")]),
        ("<c:Mask/>", (None, None), []),
        ("<c:Expected comparator='EQ'/>", (None, None), []),
    ],
    ids=[
        "inside",
        "swapped",
        "half-open",
        "outside",
        "odd-pair",
        "ge",
        "le",
        "gt",
        "lt",
        "eq",
        "ne",
        "unknown",
        "infinite",
        "text",
        "any-case",
        "boolean",
        "mask",
        "nothing",
    ],
)
def test_limits(written, limits, checks):
    (found,) = measured(result(datum(5), written, outcome="Failed"))
    assert (found.outcome, found.limits) == ("FAIL", limits)
    assert [(one.expression, one.operator, one.outcome) for one in found.validators] == checks


def test_limits_of_a_collection_keep_each_item():
    items = "".join(f"<c:Item name='{name}'>{datum(value)}</c:Item>" for name, value in (("a", 1), ("b", 2)))
    assert measured(result(f"<c:Collection>{items}</c:Collection>", pair("GE", "LE"), outcome="Passed")) == [
        Measurement("m.a", "PASS", 1, None, 1, 9),
        Measurement("m.b", "PASS", 2, None, 1, 9),
    ]


def test_a_result_may_have_the_outcome_of_its_test():
    alone, bare = result(datum(5), single("GE")), result(datum(5))
    assert [one.outcome for one in measured(alone, "Failed")] == ["FAIL"]
    assert [one.outcome for one in measured(bare, "Failed")] == ["UNSET"]
    assert [one.outcome for one in measured(alone + bare, "Failed")] == ["UNSET", "UNSET"]
    assert [one.outcome for one in measured(alone + bare, "Passed")] == ["PASS", "UNSET"]


@pytest.mark.parametrize(
    ("name", "called"), [("Numeric", "step"), ("String", "step"), ("", "step"), ("Rail", "Rail")]
)
def test_names(name, called):
    assert measured(result(datum(5), name=name))[0].name == called


# What is refused


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (results(unit=""), "serial_number"),
        (results(unit=UNIT.replace("SN1", " ")), "serial_number"),
        (results(name=""), "procedure"),
    ],
    ids=["unit", "serial", "procedure"],
)
def test_what_results_do_not_name_is_empty(content, field):
    assert [getattr(one, field) for one in read(content)] == [""]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<Reports/>", "root <Reports>; expected is <TestResultsCollection> or <TestResults>"),
        (b"<TestResults/>", "has no <ResultSet>"),
        (results(startDateTime=""), "has no startDateTime"),
        (results(startDateTime="noon"), "startDateTime 'noon' in line 1 is no date"),
        (results(step("a", inside=result(datum("high")))), "Datum in line 1 is 'high', which is no number"),
        (
            results(
                step(
                    "a",
                    inside=result("<c:IndexedArray xsi:type='c:doubleArray'><c:Element/></c:IndexedArray>"),
                )
            ),
            "elements without a value",
        ),
    ],
    ids=["root", "set", "start", "moment", "number", "array"],
)
def test_what_is_refused(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read(content)


# Reports come back as they were

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
steps = names.filter(lambda name: name not in ("Numeric", "String"))
numbers = st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1)
statuses = st.sampled_from([("Passed", "PASS"), ("Failed", "FAIL")])
checks = st.sampled_from([(None, None), (">", "GT"), ("<", "LT"), ("==", "EQ"), ("!=", "NE")])


@given(
    names.filter(lambda name: not set(name) & {*"/\\#"} and not name.lower().endswith(".seq")),
    names,
    statuses,
    st.lists(
        st.tuples(steps, statuses, numbers, st.none() | names, checks, st.floats(-1e9, 1e9)), max_size=6
    ),
)
def test_reports_come_back(procedure, serial_number, claimed, said):
    root = ET.Element("{urn:IEEE-1636.1:2011:01:TestResults}TestResults")
    tr, c = "{urn:IEEE-1636.1:2011:01:TestResults}", "{urn:IEEE-1671:2010:Common}"
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    times = {"startDateTime": "2026-01-31T12:00:00", "endDateTime": "2026-01-31T12:00:10"}
    one = ET.SubElement(root, f"{tr}ResultSet", times, name=procedure)
    ET.SubElement(one, f"{tr}Outcome", value=claimed[0])
    phases: list[Phase] = []
    seen: dict[str, int] = {}
    for name, (status, outcome), value, uom, (symbol, comparator), bound in said:
        seen[name] = seen.get(name, -1) + 1
        step = ET.SubElement(one, f"{tr}Test", times, name=name)
        ET.SubElement(step, f"{tr}Outcome", value=status)
        got = ET.SubElement(step, f"{tr}TestResult", name=name)
        ET.SubElement(got, f"{tr}Outcome", value=status)
        data = ET.SubElement(
            ET.SubElement(got, f"{tr}TestData"), f"{c}Datum", {kind: "c:double", "value": str(value)}
        )
        if uom is not None:
            data.set("nonStandardUnit", uom)
        validators: tuple[Validator, ...] = ()
        if symbol is not None:
            kept = ET.SubElement(
                ET.SubElement(got, f"{tr}TestLimits"), f"{c}SingleLimit", comparator=comparator
            )
            ET.SubElement(kept, f"{c}Datum", {kind: "c:double", "value": str(bound)})
            text = f"x {symbol} {int(bound) if bound.is_integer() else bound}"
            validators = (Validator(text, symbol, bound, outcome),)
        measurement = Measurement(name, outcome, value, uom, validators=validators)
        phases.append(Phase(name, outcome, START, seconds(10), (measurement,), retry_count=seen[name]))
    ET.SubElement(ET.SubElement(root, f"{tr}UUT"), f"{c}SerialNumber").text = serial_number
    (found,) = read(ET.tostring(root, encoding="utf-8"))
    assert found == RunReport(
        procedure=procedure,
        procedure_is_name=True,
        serial_number=serial_number,
        outcome=claimed[1],
        started_at=START,
        duration=timedelta(seconds=10),
        phases=tuple(phases),
    )
