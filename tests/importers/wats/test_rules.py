"""What becomes of each part of a WATS report, on small reports that are written both as WSJF and as WSXF."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from runcard.domain.errors import UnreadableReport
from runcard.domain.metadata import metadata_issues
from runcard.domain.runs.measurement import Series
from runcard.domain.runs.phase import Log
from runcard.domain.runs.report import UnitDescription
from runcard.domain.runs.sequence import PhaseSequence
from runcard.domain.runs.validator import Validator
from tests.importers.wats.files import (
    as_wsjf,
    as_wsxf,
    measured,
    read,
    read_json,
    read_xml,
    sequence,
    step,
    tree,
)

START = datetime(2026, 1, 30, 21, 0, tzinfo=UTC)


def lines(**fields):
    return [(one.level, one.message, one.source_file) for one in read(tree(root=step(**fields))).logs]


# Header


@pytest.mark.parametrize(
    ("changes", "procedure"),
    [
        ({}, "FCT"),
        ({"processName": None}, "10"),
        ({"processName": " "}, "10"),
        ({"processName": " End of line "}, "End of line"),
    ],
)
def test_procedure(changes, procedure):
    report = read(tree(**changes))
    assert (report.procedure, report.procedure_is_name) == (procedure, True)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("P", "PASS"),
        ("F", "FAIL"),
        ("E", "ERROR"),
        ("T", "ABORTED"),
        ("D", "PASS"),
        ("S", "ERROR"),
        ("passed", "PASS"),
        ("Terminated", "ABORTED"),
    ],
)
def test_outcome(result, outcome):
    assert read(tree(result=result)).outcome == outcome


@pytest.mark.parametrize(
    ("times", "started_at"),
    [
        ({}, START),
        ({"start": "2026-01-30T23:59:00+01:00"}, START),
        ({"startUTC": "2026-01-30T21:00:00.1234567"}, START.replace(microsecond=123456)),
        ({"startUTC": None, "start": "2026-01-30T22:00:00+01:00"}, START),
        ({"startUTC": None, "start": "2026-01-30T21:00:00"}, START),
    ],
)
def test_start(times, started_at):
    assert read(tree(**times)).started_at == started_at


@pytest.mark.parametrize(
    ("exec_time", "seconds"),
    [(2.5, 2.5), ("2.5", 2.5), (0, 0), (None, 7), (-1, 7), ("NaN", 7), ("INF", 7), ("", 7)],
)
def test_duration_is_what_the_report_says_or_lasts_to_the_last_step(exec_time, seconds):
    given = tree(uut={"execTime": exec_time}, root=step(totTime=7))
    assert read(given).duration == timedelta(seconds=seconds)


def test_metadata():
    infos = [
        {"description": "Lot number", "text": "L1"},
        {"description": "Lot/number", "numeric": 1.5},
        {"description": "station_name", "text": "not the station"},
        {"description": "both", "text": "text", "numeric": 3},
        {"description": "nothing"},
        {"description": None, "text": "nameless"},
        {"description": "not a number", "numeric": "NaN"},
        {"description": "long" * 20, "text": "x" * 60_000},
    ]
    given = tree(machineName="St1", uut={"errorCode": "E7", "fixtureId": " "}, miscInfos=infos)
    said = read(given).metadata
    assert said == {
        "station_name": "St1",
        "process_code": 10,
        "error_code": "E7",
        "Lot_number": "L1",
        "Lot_number_2": 1.5,
        "station_name_2": "not the station",
        "both": "text",
        "both_2": 3,
        "misc_info": "nameless",
        "long" * 10: "x" * 50_000,
    }


def test_more_than_metadata_hold_is_logged():
    infos = [{"description": f"info {number}", "text": f"t{number}"} for number in range(60)]
    report = read(tree(miscInfos=infos))
    assert len(report.metadata) == 50
    assert list(metadata_issues("metadata", report.metadata)) == []
    assert [one.message for one in report.logs] == [f"info {number}: t{number}" for number in range(49, 60)]


def test_sub_units():
    units = [
        {"partType": "PCBA", "sn": "S1", "pn": "P1", "rev": "A"},
        {"sn": "S2", "pn": "P2", "rev": ""},
        {"sn": "S3"},
        {"partType": "LID", "pn": "P4"},
    ]
    report = read(tree(subUnits=units))
    assert report.sub_units == ("S1", "S2", "S3")
    assert report.new_sub_units == (UnitDescription("S1", "P1", "A"), UnitDescription("S2", "P2"))
    assert report.logs == (Log("WARNING", START, "Sub-unit without a serial number: LID, P4", "report", 0),)


def test_numbers_and_texts_as_identifiers():
    report = read(tree(sn=17, pn=4, rev=2))
    assert (report.serial_number, report.part_number, report.revision_number) == ("17", "4", "2")


@pytest.mark.parametrize("failed", [7, "7"])
def test_failed_step(failed):
    inner = step("Supply", id=7)
    given = tree(uut={"stepIdCausedUUTFailure": failed}, root=sequence("Main", inner))
    assert read(given).metadata["failed_step"] == "Main/Supply"
    unknown = tree(uut={"stepIdCausedUUTFailure": failed}, root=step(id=1))
    assert read(unknown).metadata["failed_step"] == 7


# Steps


@pytest.mark.parametrize(
    ("status", "of_phase", "of_sequence"),
    [
        ("P", "PASS", "PASS"),
        ("D", "PASS", "PASS"),
        ("F", "FAIL", "FAIL"),
        ("E", "ERROR", "ERROR"),
        ("T", "ERROR", "ABORTED"),
        ("S", "SKIP", "SKIP"),
    ],
)
def test_statuses_of_steps(status, of_phase, of_sequence):
    report = read(tree(root=sequence("Main", step(status=status), status=status)))
    assert (report.phases[0].outcome, report.sequences[0].outcome) == (of_phase, of_sequence)
    assert (report.sequences[0].started_at is None) is (status == "S")


def test_steps_follow_each_other():
    given = tree(
        start="2026-01-30T22:00:00+01:00",
        root=sequence(
            "Main",
            step("first", totTime=1.5),
            step("second", totTime="0.5"),
            step("at a time of its own", start="2026-01-30T22:01:00", totTime=1),
            step("at a zone of its own", start="2026-01-30T20:02:00-01:00", totTime=1),
            step("after it", totTime=-3),
            totTime=300,
        ),
    )
    report = read(given)
    spans = [(one.started_at - START, one.ended_at - one.started_at) for one in report.phases]
    assert [(start.total_seconds(), span.total_seconds()) for start, span in spans] == [
        (0, 1.5),
        (1.5, 0.5),
        (60, 1),
        (120, 1),
        (121, 0),
    ]
    (main,) = report.sequences
    assert (main.started_at, main.ended_at) == (START, START + timedelta(seconds=300))


def test_a_sequence_that_measured_and_one_of_the_same_name():
    twice = sequence("Call/1", step("in"), numericMeas=[{"value": 1, "status": "P"}])
    report = read(tree(root=sequence("Main", twice, twice, step("Call/1"), seqCall={"path": "a.seq"})))
    assert [(one.sequence_path, one.name, one.retry_count) for one in report.phases] == [
        ("Main/Call_1", "Call/1", 0),
        ("Main/Call_1", "in", 0),
        ("Main/Call_1#2", "Call/1", 0),
        ("Main/Call_1#2", "in", 0),
        ("Main", "Call/1", 0),
    ]
    assert [(one.path, one.name, one.source) for one in report.sequences] == [
        ("Main", "Main", "a.seq"),
        ("Main/Call_1", "Call/1", None),
        ("Main/Call_1#2", "Call/1", None),
    ]


def test_steps_of_one_name_are_attempts():
    report = read(tree(root=sequence("Main", step("a"), step("b"), step("a"), sequence("Sub", step("a")))))
    assert [(one.name, one.sequence_path, one.retry_count) for one in report.phases] == [
        ("a", "Main", 0),
        ("b", "Main", 0),
        ("a", "Main", 1),
        ("a", "Main/Sub", 0),
    ]


def looped(made, *indices, **counts):
    """A step that sums a loop up, and its iterations."""
    return [made(loop={"num": len(indices), **counts}), *(made(loop={"idx": index}) for index in indices)]


def test_a_loop_of_a_step():
    steps = looped(lambda **fields: step("try", totTime=1, **fields), 0, 1, passed=1, failed=1, endingIndex=2)
    report = read(tree(root=sequence("Main", *steps, step("next"))))
    assert [(one.name, one.sequence_path, one.retry_count) for one in report.phases] == [
        ("try", "Main", 0),
        ("try", "Main/try", 0),
        ("try", "Main/try", 1),
        ("next", "Main", 0),
    ]
    assert report.sequences[1] == PhaseSequence(
        "Main/try", "try", "PASS", None, START, START + timedelta(seconds=2)
    )
    assert report.phases[-1].started_at == START + timedelta(seconds=2)
    assert [one.message for one in report.logs] == ["Loop: 2 iterations, 1 passed, 1 failed, 2 ending index"]


def test_a_loop_of_a_sequence_and_one_within_it():
    inner = looped(lambda **fields: step("try", **fields), 0, 1)
    steps = looped(lambda **fields: sequence("Sub", *inner, **fields), 0, 1)
    report = read(tree(root=sequence("Main", *steps)))
    of_loop = ["Main/Sub", "Main/Sub/Sub[0]", "Main/Sub/Sub[1]"]
    assert [one.path for one in report.sequences] == [
        "Main",
        *(path for one in of_loop for path in (one, f"{one}/try")),
    ]
    assert [(one.sequence_path, one.retry_count) for one in report.phases] == [
        place for one in of_loop for place in ((one, 0), (f"{one}/try", 0), (f"{one}/try", 1))
    ]


def test_iterations_that_nothing_sums_up():
    steps = [
        step("try", loop={"idx": 0}),
        step("try", loop={"idx": 1}),
        sequence("Sub", loop={"idx": 0}),
        sequence("Sub", loop={"idx": 1}),
    ]
    report = read(tree(root=sequence("Main", *steps)))
    assert [(one.sequence_path, one.retry_count) for one in report.phases] == [("Main", 0), ("Main", 1)]
    assert [one.path for one in report.sequences] == ["Main", "Main/Sub[0]", "Main/Sub[1]"]


def test_other_names_of_loop_fields():
    steps = [step("try", loop={"n": 1}), step("try", loop={"i": 0, "n": 1})]
    (report,) = read_json(as_wsjf(tree(root=sequence("Main", *steps))))
    assert [one.sequence_path for one in report.phases] == ["Main", "Main/try"]


def test_docstrings():
    steps = [step(group="S"), step(group="C", stepType=None), step(stepType=None), step()]
    report = read(tree(root=sequence("Main", *steps)))
    assert [one.docstring for one in report.phases] == ["ET_A, Setup", "Cleanup", None, "ET_A"]


@pytest.mark.parametrize(
    ("fields", "logged"),
    [
        ({"reportText": "seen\nheard"}, [("INFO", "seen\nheard")]),
        ({"errorCode": -17, "errorMessage": "no answer"}, [("ERROR", "-17: no answer")]),
        ({"errorCode": 0}, []),
        ({"errorMessage": "no code"}, [("ERROR", "no code")]),
        ({"messagePopup": {"button": 1, "response": "yes"}}, [("INFO", "Message box: button 1, answer yes")]),
        ({"messagePopup": {"button": 0}}, [("INFO", "Message box: button 0")]),
        ({"callExe": {"exitCode": -1073741819.0}}, [("INFO", "Exit code: -1073741819")]),
        ({"callExe": {}}, []),
        (
            {"attachment": {"name": "a.png", "data": "AAAA"}},
            [("WARNING", "Attachment a.png was not taken out of the report file.")],
        ),
    ],
)
def test_lines(fields, logged):
    assert lines(**fields) == [(level, message, "step") for level, message in logged]


def test_attachments_of_the_report():
    report = read(tree(binaryData=[{"name": "scope.csv"}]))
    assert [one.message for one in report.logs] == [
        "Attachment scope.csv was not taken out of the report file."
    ]


# Measurements


@pytest.mark.parametrize(
    ("operator", "low", "high", "limits", "checks"),
    [
        ("LE", None, 5, (None, 5.0), []),
        ("le", 5, 9, (None, 5.0), []),
        ("GE", "5", None, (5.0, None), []),
        ("GELE", "-INF", 5, (None, 5.0), []),
        ("GELE", None, None, (None, None), []),
        ("GTLT", 1, "NaN", (None, None), [Validator("x > 1", ">", 1.0, "FAIL")]),
        ("LOG", 1, 2, (None, None), []),
        (None, 1, 2, (None, None), []),
        ("EQ", None, None, (None, None), []),
        ("LTGT", 1, None, (None, None), [Validator("x LTGT 1", "LTGT", [1.0], "FAIL")]),
        ("EQT", 1, 2, (None, None), [Validator("x EQT 1, 2", "EQT", [1.0, 2.0], "FAIL")]),
        ("ODD", None, None, (None, None), [Validator("x ODD", "ODD", None, "FAIL")]),
    ],
)
def test_odd_comparisons(operator, low, high, limits, checks):
    made = measured("numericMeas", value=3, status="F", compOp=operator, lowLimit=low, highLimit=high)
    assert (made.limits, list(made.validators)) == (limits, checks)


def test_the_claimed_outcome_stands():
    made = measured("numericMeas", value=3, status="P", compOp="GTLT", lowLimit=4, highLimit=5)
    assert (made.outcome, [one.outcome for one in made.validators]) == ("PASS", ["FAIL", "PASS"])
    alone = measured("numericMeas", value=3, status="P", compOp="GT", lowLimit=4)
    assert [one.outcome for one in alone.validators] == ["PASS"]


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), ("1e3", 1000.0), ("INF", math.inf), ("-Infinity", -math.inf), (None, None), ("", None)],
)
def test_values(value, number):
    assert measured("numericMeas", value=value, status="P").value == number


def test_a_value_that_is_no_number():
    made = measured("numericMeas", value="NaN", status="F")
    assert (math.isnan(made.value), made.outcome, made.name) == (True, "FAIL", "step")


@pytest.mark.parametrize("status", ["S", "D", "E", "T", None])
def test_measurements_without_a_verdict(status):
    assert measured("numericMeas", value=1, status=status).outcome == "UNSET"
    made = measured("booleanMeas", status=status)
    assert (made.outcome, made.value) == ("UNSET", None)


@pytest.mark.parametrize(
    ("operator", "check"),
    [
        ("EQ", Validator("x == Abc", "==", "Abc", "PASS")),
        ("NE", Validator("x != Abc", "!=", "Abc", "PASS")),
        ("CASESENSIT", Validator("x == Abc", "==", "Abc", "PASS")),
        ("IGNORECASE", Validator("x IGNORECASE Abc", "IGNORECASE", "Abc", "PASS")),
        ("GE", Validator("x >= Abc", ">=", "Abc", "PASS")),
    ],
)
def test_comparisons_of_texts(operator, check):
    made = measured("stringMeas", name="n", value="abc", status="P", compOp=operator, limit="Abc")
    assert (made.name, made.value, made.outcome, made.validators) == ("n", "abc", "PASS", (check,))


@pytest.mark.parametrize("fields", [{"compOp": "LOG", "limit": "x"}, {"compOp": "EQ"}, {}])
def test_texts_that_are_compared_with_nothing(fields):
    assert measured("stringMeas", value=" kept as it is ", status="P", **fields).validators == ()


def charted(**series):
    chart = {"label": "Sweep", "xLabel": "t", "xUnit": "s", "yLabel": "U", "yUnit": "V", "series": [series]}
    ((made,),) = (one.measurements for one in read(tree(root=step(chart=chart))).phases)
    return made


def test_charts():
    made = charted(name="Up", xdata="0;0.5", ydata="1;-2e-3")
    assert (made.name, made.outcome, made.value) == ("Sweep: Up", "UNSET", None)
    assert made.series == (Series([0.0, 0.5], "s", "t"), Series([1.0, -0.002], "V", "U"))


def test_charts_without_x_or_with_gaps():
    positions, values = charted(name=None, ydata="1;;NaN").series
    assert positions.data == [0.0, 1.0, 2.0]
    assert (values.data[0], [math.isnan(one) for one in values.data]) == (1.0, [False, True, True])
    assert [one.data for one in charted(name="Empty").series] == [[], []]


# What is refused


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"result": "X"}, "result is 'X', which is none of Passed"),
        ({"result": None}, "no result"),
        ({"type": "X"}, "type is 'X'"),
        ({"type": "R"}, "type is 'R', but the report has no uur|type is 'UUR', but the report has no uur"),
        ({"type": "T", "uur": {}}, "type is '(T|UUT)', but the report has a uur"),
        ({"startUTC": "yesterday"}, "startUTC is 'yesterday', which is no moment"),
        ({"startUTC": "0001-01-01T00:00:00+05:00"}, "startUTC: .* outside the years"),
        ({"startUTC": None}, "neither startUTC nor start"),
        ({"uut": {"execTime": "1,5"}}, "uut.execTime is '1,5', which is no number"),
        ({"uut": {"execTime": 1e300}}, "uut.execTime is 1e.300 s, which is too long"),
        ({"uut": {"execTime": 1e12}}, "year 9999"),
        ({"root": step(" ")}, "name of step 1"),
        ({"root": step(status=None)}, r"Step 1 \(step\) has no status"),
        ({"root": step(status="Q")}, r"Step 1 \(step\).status is 'Q'"),
        ({"root": step(start="noon")}, r"Step 1 \(step\).start is 'noon'"),
        ({"root": step(totTime="long")}, r"Step 1 \(step\).totTime is 'long'"),
        ({"root": step(totTime=1e12)}, "year 9999"),
        ({"root": step(numericMeas=[{"value": "1_0"}])}, r"numericMeas\[0\].value is '1_0'"),
        ({"root": step(numericMeas=[{"value": "\u0661"}])}, r"numericMeas\[0\].value"),
        ({"root": step(numericMeas=[{"status": "Pas"}])}, r"numericMeas\[0\].status is 'Pas'"),
        ({"root": step(numericMeas=[{"lowLimit": "a"}])}, r"numericMeas\[0\].lowLimit is 'a'"),
        ({"root": step(chart={"series": [{"xdata": "1", "ydata": "1;2"}]})}, "has 1 x and 2 y"),
        ({"root": step(chart={"series": [{"ydata": "1;two"}]})}, r"series\[0\].ydata is 'two'"),
    ],
)
def test_what_cannot_be_read(changes, told):
    given = tree(**changes)
    for content, parse in ((as_wsjf(given), read_json), (as_wsxf(given), read_xml)):
        with pytest.raises(UnreadableReport, match=told):
            parse(content)


def test_what_a_report_does_not_name_is_empty():
    given = tree(sn=None, processName=None, processCode=None)
    for content, parse in ((as_wsjf(given), read_json), (as_wsxf(given), read_xml)):
        (report,) = parse(content)
        assert (report.procedure, report.serial_number) == ("", "")


def nested(levels):
    inner = step("innermost")
    for level in range(levels):
        inner = sequence(f"s{level}", inner)
    return inner


def test_levels():
    assert read(tree(root=nested(49))).phases[0].sequence_path.count("/") == 48
    given = tree(root=nested(50))
    for content, parse in ((as_wsjf(given), read_json), (as_wsxf(given), read_xml)):
        with pytest.raises(UnreadableReport, match="deeper than 50 levels"):
            parse(content)


# The two ways of writing


def test_several_reports():
    (first,), (second,) = read_json(as_wsjf(tree())), read_json(as_wsjf(tree(sn="SN2")))
    assert read_json(b"[" + as_wsjf(tree()) + b"," + as_wsjf(tree(sn="SN2")) + b"]") == [first, second]
    xml, other = as_wsxf(tree()), as_wsxf(tree(sn="SN2"))
    more = other[other.index(b"<Report ") : other.index(b"</Reports>")]
    assert read_xml(xml.replace(b"</Reports>", more + b"</Reports>")) == [first, second]


def test_a_byte_order_mark_and_utf_16():
    (report,) = read_json(as_wsjf(tree(location="Zürich")))
    assert read_json(b"\xef\xbb\xbf" + as_wsjf(tree(location="Zürich"))) == [report]
    text = as_wsxf(tree(location="Zürich")).decode().replace("utf-8", "utf-16")
    assert read_xml(text.encode("utf-16")) == [report]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[1]", id="number"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"root":' + b'{"name":"a","steps":[' * 100_000, id="deep steps"),
        pytest.param(b'{"sn": NaN}', id="NaN"),
        pytest.param(b'{"sn": "\\ud800"}', id="surrogate"),
        pytest.param('{"sn": "é"}'.encode("latin-1"), id="latin-1"),
        pytest.param('{"sn": "S"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"uut": {"execTime": 1' + b"0" * 400 + b"}}", id="huge number"),
        pytest.param(b'{"root": []}', id="wrong kind"),
    ],
)
def test_no_wsjf(content):
    with pytest.raises(UnreadableReport, match="WATS"):
        read_json(content)


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"ha") for level in range(30)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "cannot be read as XML", id="empty"),
        pytest.param(b"<Reports>", "cannot be read as XML", id="truncated"),
        pytest.param(b"<html/>", "the root <html>", id="other root"),
        pytest.param(b"{}", "cannot be read as XML", id="json"),
        pytest.param(
            b'<?xml version="1.0" encoding="klingon"?><Reports/>',
            "cannot be read as XML",
            id="unknown encoding",
        ),
        pytest.param("<Reports a='é'/>".encode("latin-1"), "cannot be read as XML", id="wrong encoding"),
        pytest.param(b"<Reports>" + b"<a>" * 100_000, "nested deeper", id="deep"),
        pytest.param(
            b"<!DOCTYPE Reports [" + LAUGHS + b"]><Reports>&l29;</Reports>", "document type", id="laughs"
        ),
        pytest.param(
            b'<!DOCTYPE Reports [<!ENTITY f SYSTEM "file:///etc/hostname">]><Reports>&f;</Reports>',
            "document type",
            id="file",
        ),
        pytest.param(
            b'<!DOCTYPE Reports SYSTEM "http://localhost/x.dtd"><Reports/>', "document type", id="dtd"
        ),
    ],
)
def test_no_wsxf(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read_xml(content)


def test_wsxf_of_one_report_without_a_namespace():
    (report,) = read_json(as_wsjf(tree()))
    bare = (
        b'<Report sn="SN1" pn="P" RESULT="passed" start_UTC="2026-01-30T21:00:00Z">'
        b'<process code="10" name="FCT"/></Report>'
    )
    assert read_xml(bare) == [report]
