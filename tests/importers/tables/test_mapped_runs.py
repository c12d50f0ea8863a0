"""What becomes of the rows of a table: the run, its phases, its measurements."""

import math
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from runcard.domain.errors import InvalidInput
from runcard.importers.tables.mapped_runs import parse
from runcard.importers.tables.mapping import TableMapping
from tests.importers.tables.files import (
    HEADER,
    PROCEDURE,
    RUN,
    csv_file,
    mapping,
    report_of,
    wide,
    xlsx_file,
)

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = datetime(2026, 1, 31, 12, 5, tzinfo=UTC)


def refused(rows, *args, **others):
    """What is said of rows that are refused."""
    with pytest.raises(InvalidInput) as raised:
        report_of(rows, *args, **others)
    (issue,) = raised.value.issues
    return issue.message


def measured(report):
    """Name, value and outcome of each measurement, by phase and attempt."""
    return {
        (phase.name, phase.retry_count): [(one.name, one.value, one.outcome) for one in phase.measurements]
        for phase in report.phases
    }


def constant(**fields):
    return {name: {"value": value} for name, value in fields.items()}


# The runs


def runs_of(rows, runs, *args, **others):
    """Serial number, outcome and measured values of each run of a CSV file with these rows."""
    made = msgspec.structs.replace(mapping(*args, **others), runs=runs)
    return [
        (one.serial_number, one.outcome, [each.value for phase in one.phases for each in phase.measurements])
        for one in parse(csv_file(rows), made, PROCEDURE)
    ]


ROWS = [
    [*HEADER, "V"],
    ["SN1", "FAIL", RUN[2], RUN[3], "3.0"],
    ["SN2", "PASS", RUN[2], RUN[3], "3.3"],
    ["SN1", "FAIL", RUN[2], RUN[3], "3.1"],
]


def test_each_row_can_be_a_run():
    assert runs_of(ROWS, "row", wide("V")) == [
        ("SN1", "FAIL", [3.0]),
        ("SN2", "PASS", [3.3]),
        ("SN1", "FAIL", [3.1]),
    ]


def test_all_rows_of_a_serial_number_can_be_a_run():
    assert runs_of(ROWS, "serial_number", wide("V")) == [
        ("SN1", "FAIL", [3.0, 3.1]),
        ("SN2", "PASS", [3.3]),
    ]
    # A constant is that of all rows.
    same = [[*row[:1], "PASS", *row[2:]] if row[0] != "Serial" else row for row in ROWS]
    fields = {"serial_number": {"value": "SN9"}}
    assert runs_of(same, "serial_number", wide("V"), fields=fields) == [("SN9", "PASS", [3.0, 3.3, 3.1])]


def test_a_row_that_is_of_no_run_is_named():
    blank = [*ROWS, ["", "PASS", RUN[2], RUN[3], "3.1"]]
    with pytest.raises(InvalidInput) as refused:
        runs_of(blank, "serial_number", wide("V"))
    assert "row 5, column 'Serial': blank cell has to name the serial number" in refused.value.summary
    with pytest.raises(InvalidInput) as refused:
        runs_of(blank, "row", wide("V"))
    assert "row 5: column 'Serial' is blank" in refused.value.summary


# The run


def test_a_run_without_measurements():
    report = report_of([HEADER, RUN])
    assert (report.procedure, report.serial_number, report.outcome) == (PROCEDURE, "SN1", "PASS")
    assert (report.started_at, report.duration, report.phases) == (START, timedelta(minutes=5), ())
    assert (report.part_number, report.operator, report.metadata, report.unit_metadata) == (None,) * 4


def test_every_field_from_a_column_or_a_constant():
    names = ["part_number", "revision_number", "batch_number", "operated_by", "docstring"]
    fields = {name: {"column": name.upper()} for name in names}
    rows = [
        [*HEADER, *(name.upper() for name in names)],
        [*RUN, "PN", "B", "LOT1", "eve@acme.test", "Burn-in"],
    ]
    report = report_of(rows, fields=fields)
    said = (
        report.part_number,
        report.revision_number,
        report.batch_number,
        report.operator,
        report.docstring,
    )
    assert said == ("PN", "B", "LOT1", "eve@acme.test", "Burn-in")
    told = {
        "serial_number": " SN2 ",
        "outcome": "FAIL",
        "started_at": "2026-01-31",
        "ended_at": "2026-02-01 06:00+02:00",
    }
    report = report_of([["x"], ["y"]], fields=constant(**told, part_number="P", batch_number=" "))
    assert (report.serial_number, report.outcome, report.part_number, report.batch_number) == (
        "SN2",
        "FAIL",
        "P",
        None,
    )
    assert (report.started_at, report.duration) == (datetime(2026, 1, 31, tzinfo=UTC), timedelta(hours=28))


def test_names_of_workbooks_are_as_they_are_shown():
    rows = [[*HEADER, "Part"], [4711, True, date(2026, 1, 31), datetime(2026, 1, 31, 1), 12.5]]  # noqa: DTZ001 (a workbook knows no zones)
    fields = {
        "part_number": {"column": "Part"},
        "outcome": {"column": "Result", "valueMap": {"true": "PASS"}},
    }
    [report] = parse(xlsx_file(rows), mapping(fields=fields), PROCEDURE)
    assert (report.serial_number, report.part_number, report.outcome) == ("4711", "12.5", "PASS")
    assert (report.started_at, report.duration) == (datetime(2026, 1, 31, tzinfo=UTC), timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("PASS", "PASS"),
        ("passed", "PASS"),
        ("Failed", "FAIL"),
        ("error", "ERROR"),
        ("TIMEOUT", "TIMEOUT"),
        ("Aborted", "ABORTED"),
        ("OK", "PASS"),
        ("Ok", "ERROR"),
        ("n.i.O.", "FAIL"),
    ],
)
def test_outcomes(text, outcome):
    words = {"column": "Result", "valueMap": {"OK": "PASS", "Ok": "ERROR", "N.I.O.": "FAIL"}}
    assert report_of([HEADER, ["SN1", text, *RUN[2:]]], fields={"outcome": words}).outcome == outcome


def test_rows_must_tell_of_one_run():
    header, second = [*HEADER, "Part"], ["", "", "", "", ""]
    fields = {"part_number": {"column": "Part"}}
    assert report_of([header, [*RUN, "P1"], second, [*RUN, "P1"]], fields=fields).part_number == "P1"
    assert refused([header, [*RUN, "P1"], second, ["SN2", *RUN[1:], "P1"]], fields=fields) == (
        "row 4, column 'Serial': 'SN2' differs from 'SN1' in row 2; all rows of a run must say the same"
    )
    assert "column 'Part': 'P2' differs" in refused([header, [*RUN, "P1"], [*RUN, "P2"]], fields=fields)
    assert "column 'Result': 'FAIL' differs" in refused([HEADER, RUN, ["SN1", "FAIL", *RUN[2:]]])


def test_a_run_lasts_from_the_earliest_start_to_the_latest_end():
    rows = [
        ["Serial", "Time"],
        ["SN1", "2026-01-31T12:03Z"],
        ["SN1", "2026-01-31T12:00Z"],
        ["SN1", "2026-01-31T12:05Z"],
    ]
    fields = {"outcome": {"value": "PASS"}, "started_at": {"column": "Time"}, "ended_at": {"column": "Time"}}
    report = report_of(rows, fields=fields)
    assert (report.started_at, report.started_at + report.duration) == (START, END)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (["", *RUN[1:]], "column 'Serial' is blank, but it has to give serial_number"),
        (["SN1", "", *RUN[2:]], "column 'Result' is blank, but it has to give outcome"),
        (["SN1", "PASS", "", RUN[3]], "column 'Start' is blank, but it has to give started_at"),
        (
            ["SN1", "OK", *RUN[2:]],
            "'OK' is none of PASS, FAIL, ERROR, TIMEOUT, ABORTED; write one of them, or map it in valueMap",
        ),
        (["SN1", "SKIP", *RUN[2:]], "is none of PASS"),
        (
            ["SN1", "PASS", "31.01.2026", RUN[3]],
            "row 2, column 'Start': '31.01.2026' is no date and time; write it as 2026-01-31T12:00:00Z",
        ),
        (["SN1", "PASS", RUN[2], "9999-12-31T23:59:59-14:00"], "row 2, column 'End'"),
        (
            ["SN1", "PASS", RUN[3], RUN[2]],
            "row 2, column 'End': '2026-01-31T12:00:00Z' is an ended_at before started_at 2026-01-31T12:05:00+00:00",
        ),
        (["S" * 256, *RUN[1:]], "has 256 characters; use at most 255 characters"),
    ],
)
def test_rows_that_make_no_run(row, told):
    assert told in refused([HEADER, row])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (constant(serial_number=" "), "serial_number is blank; give a value or a column"),
        (constant(started_at="noon"), "started_at 'noon' is no date and time"),
        (constant(ended_at="2025-01-01"), "ended_at '2025-01-01' is an ended_at before started_at"),
        ({"started_at": {"column": "Begin"}}, "column 'Begin' is not in the file, which has 'Serial'"),
    ],
)
def test_mappings_that_make_no_run(fields, told):
    assert told in refused([HEADER, RUN], fields=fields)


@pytest.mark.parametrize("at", [46053.5, True, time(12), timedelta(hours=3)])
def test_a_time_of_a_workbook_is_a_date(at):
    with pytest.raises(InvalidInput) as raised:
        list(parse(xlsx_file([HEADER, ["SN1", "PASS", at, at]]), mapping(), PROCEDURE))
    assert "format the cell as a date" in raised.value.issues[0].message


# Metadata


def test_metadata():
    rules = [
        {"key": "firmware", "column": "FW"},
        {"key": "line", "value": "3"},
        {"key": "none", "column": "Blank"},
    ]
    rows = [[*HEADER, "FW", "Blank"], [*RUN, "1.10", ""], ["SN1", "", "", "", "", ""]]
    report = report_of(rows, metadata=rules, unitMetadata=[{"key": "fw", "column": "FW"}])
    assert (report.metadata, report.unit_metadata) == ({"firmware": "1.10", "line": "3"}, {"fw": "1.10"})


def test_metadata_of_workbooks_keep_their_kind():
    at = datetime(2026, 1, 31)  # noqa: DTZ001 (a workbook knows no zones)
    rows = [[*HEADER, "a", "b", "c", "d"], [*RUN, 4, 2.5, True, at]]
    rules = [{"key": key, "column": key} for key in "abcd"]
    [report] = parse(xlsx_file(rows), mapping(metadata=rules), PROCEDURE)
    assert report.metadata == {"a": 4, "b": 2.5, "c": True, "d": "2026-01-31T00:00:00"}
    assert report.metadata["c"] is True


def test_metadata_that_rows_contradict():
    rows = [[*HEADER, "FW"], [*RUN, "1"], [*RUN, "2"]]
    assert "row 3, column 'FW': '2' differs from '1'" in refused(
        rows, metadata=[{"key": "fw", "column": "FW"}]
    )


# Wide


def test_a_column_for_each_measurement():
    columns = wide(
        "V1",
        {"column": "V2", "name": "Supply", "units": "V", "lowerLimit": 3, "upperLimit": 3.5},
        {"column": "V3", "lowerLimit": 1, "phase": "Burn-in"},
        {"column": "V4", "upperLimit": 1},
        {"column": "V5"},
    )
    report = report_of(
        [[*HEADER, "V1", "V2", "V3", "V4", "V5"], [*RUN, "7", "3.5", "0.5", "high", ""]], columns
    )
    assert measured(report) == {
        ("Measurements", 0): [("V1", 7, "UNSET"), ("Supply", 3.5, "PASS"), ("V4", "high", "UNSET")],
        ("Burn-in", 0): [("V3", 0.5, "FAIL")],
    }
    assert [(phase.outcome, phase.started_at, phase.ended_at) for phase in report.phases] == [
        ("PASS", START, END),
        ("FAIL", START, END),
    ]
    supply = report.phases[0].measurements[1]
    assert (supply.uom, supply.lower_limit, supply.upper_limit) == ("V", 3, 3.5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("3.30", 3.3),
        (".5", 0.5),
        ("3.", 3.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("true", True),
        ("FALSE", False),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("0012", "0012"),
        ("1.2.3", "1.2.3"),
        ("1,5", "1,5"),
        ("e5", "e5"),
        (".", "."),
        ("+", "+"),
        ("٣", "٣"),
        ("1_000", "1_000"),
        ("v1.0", "v1.0"),
        (str(2**63), 2.0**63),
        ("9" * 500, "9" * 500),
    ],
)
def test_values(text, value):
    (phase,) = report_of([[*HEADER, "V"], [*RUN, text]], wide("V")).phases
    found = phase.measurements[0].value
    assert (type(found), found) == (type(value), value)


def test_a_value_that_is_no_number():
    (phase,) = report_of([[*HEADER, "V"], [*RUN, "NaN"]], wide({"column": "V", "lowerLimit": 0})).phases
    assert math.isnan(phase.measurements[0].value)
    assert phase.measurements[0].outcome == "FAIL"


def test_digits_beyond_64_bits_are_kept():
    (phase,) = report_of([[*HEADER, "V"], [*RUN, str(2**64 + 1)]], wide("V")).phases
    assert phase.measurements[0].exact == str(2**64 + 1)


@pytest.mark.parametrize(("delimiter", "value"), [(";", 3.3), ("\t", 3.3), ("|", 3.3), (",", "3,3")])
def test_decimal_commas_where_the_comma_is_no_delimiter(delimiter, value):
    [report] = parse(csv_file([[*HEADER, "V"], [*RUN, "3,3"]], delimiter), mapping(wide("V")), PROCEDURE)
    assert report.phases[0].measurements[0].value == value


def test_values_of_workbooks():
    at, span = datetime(2026, 1, 31, 12), timedelta(minutes=90)  # noqa: DTZ001 (a workbook knows no zones)
    rows = [[*HEADER, "a", "b", "c", "d", "e", "f"], [*RUN, 3, 3.5, True, "007", at, span]]
    [report] = parse(xlsx_file(rows), mapping(wide(*"abcdef")), PROCEDURE)
    values = [one.value for one in report.phases[0].measurements]
    assert values == [3, 3.5, True, "007", "2026-01-31T12:00:00", "PT1H30M"]
    assert values[2] is True


def test_rows_that_repeat_a_measurement_are_attempts():
    rows = [[*HEADER, "V1", "V2"], [*RUN, "1", ""], ["", "", "", "", "", "2"], ["", "", "", "", "3", "4"]]
    assert measured(report_of(rows, wide("V1", "V2"))) == {
        ("Measurements", 0): [("V1", 1, "UNSET"), ("V2", 2, "UNSET")],
        ("Measurements", 1): [("V1", 3, "UNSET"), ("V2", 4, "UNSET")],
    }


# Long

LONG = {"layout": "long", "nameColumn": "Name", "valueColumn": "Value"}


def test_a_row_for_each_measurement():
    header = [*HEADER, "Name", "Value", "Unit", "Low", "High", "Verdict", "Step"]
    rows = [
        header,
        [*RUN, "Supply", "3.3", "V", "3", "3.5", "", "Power"],
        [*RUN, "Drain", "2", "mA", "", "1.5", "", "Power"],
        [*RUN, "Firmware", "v1", "", "", "", "passed", "Software"],
        [*RUN, "Checksum", "", "", "", "", "", "Software"],
        [*RUN, "Ripple", "9", "", "0", "1", "UNSET", "Power"],
    ]
    columns = LONG | {
        "unitsColumn": "Unit",
        "lowerColumn": "Low",
        "upperColumn": "High",
        "outcomeColumn": "Verdict",
        "phaseColumn": "Step",
    }
    report = report_of(rows, columns)
    assert measured(report) == {
        ("Power", 0): [("Supply", 3.3, "PASS"), ("Drain", 2, "FAIL"), ("Ripple", 9, "UNSET")],
        ("Software", 0): [("Firmware", "v1", "PASS"), ("Checksum", None, "UNSET")],
    }
    supply = report.phases[0].measurements[0]
    assert (supply.uom, supply.lower_limit, supply.upper_limit) == ("V", 3, 3.5)
    assert [phase.outcome for phase in report.phases] == ["FAIL", "PASS"]


def test_a_measurement_that_comes_again_begins_another_attempt():
    rows = [[*HEADER, "Name", "Value"], *([*RUN, name, value] for name, value in ("a1", "b2", "a3", "c4"))]
    assert measured(report_of(rows, LONG)) == {
        ("Measurements", 0): [("a", 1, "UNSET"), ("b", 2, "UNSET")],
        ("Measurements", 1): [("a", 3, "UNSET"), ("c", 4, "UNSET")],
    }


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            ["", "3", "", "Power"],
            "row 2, column 'Name': blank cell has to name the measurement whose value is 3",
        ),
        (["a", "3", "low", "Power"], "row 2, column 'Low': 'low' is no number"),
        (["a", "3", "TRUE", "Power"], "is no number"),
        (["a", "3", "1", ""], "row 2, column 'Step': blank cell has to name the phase of measurement 'a'"),
    ],
)
def test_rows_that_make_no_measurement(cells, told):
    rows = [[*HEADER, "Name", "Value", "Low", "Step"], [*RUN, *cells]]
    assert told in refused(rows, LONG | {"lowerColumn": "Low", "phaseColumn": "Step"})


def test_an_outcome_that_measurements_do_not_have():
    told = refused([[*HEADER, "Name", "Value"], [*RUN, "a", "maybe"]], LONG | {"outcomeColumn": "Value"})
    assert told == "row 2, column 'Value': 'maybe' is none of PASS, FAIL, UNSET; write one of them"


# Phases

PHASES = {"nameColumn": "Step", "outcomeColumn": "Verdict", "startedColumn": "From", "endedColumn": "To"}
STEPS = [*HEADER, "Step", "Verdict", "From", "To"]
NOON = "2026-01-31T12:0"


def shown(report):
    return [(phase.name, phase.retry_count, phase.outcome) for phase in report.phases]


def test_rows_as_phases():
    rows = [
        STEPS,
        [*RUN, "Init", "PASS", f"{NOON}0Z", f"{NOON}1Z"],
        ["", "", "", "", "Flash", "failed", f"{NOON}1Z", f"{NOON}2Z"],
        ["", "", "", "", "Flash", "ok", f"{NOON}2Z", ""],
        ["", "", "", "", "Label", "Skipped", "", ""],
        ["", "", "", "", "", "", "", f"{NOON}9Z"],
    ]
    report = report_of(rows, phases=PHASES | {"valueMap": {"OK": "PASS"}})
    assert shown(report) == [
        ("Init", 0, "PASS"),
        ("Flash", 0, "FAIL"),
        ("Flash", 1, "PASS"),
        ("Label", 0, "SKIP"),
    ]
    minutes = [(phase.started_at.minute, phase.ended_at.minute) for phase in report.phases]
    assert minutes == [(0, 1), (1, 2), (2, 2), (0, 5)]


def test_phases_of_long_rows():
    rows = [
        [*STEPS, "Name", "Value"],
        [*RUN, "Power", "", f"{NOON}1Z", f"{NOON}2Z", "a", "1"],
        [*RUN, "Power", "FAIL", f"{NOON}0Z", f"{NOON}1Z", "b", "2"],
        [*RUN, "Power", "", "", f"{NOON}4Z", "", ""],
        [*RUN, "Power", "PASS", f"{NOON}4Z", f"{NOON}5Z", "a", "3"],
    ]
    report = report_of(rows, LONG, phases=PHASES)
    assert shown(report) == [("Power", 0, "FAIL"), ("Power", 1, "PASS")]
    assert [(phase.started_at.minute, phase.ended_at.minute) for phase in report.phases] == [(0, 4), (4, 5)]
    assert [len(phase.measurements) for phase in report.phases] == [2, 1]


def test_phases_of_wide_rows():
    rows = [
        [*HEADER, "Step", "Verdict", "V", "W"],
        [*RUN, "Cold", "PASS", "1", "2"],
        [*RUN, "Hot", "FAIL", "3", ""],
        [*RUN, "Hot", "PASS", "4", ""],
    ]
    columns = wide({"column": "V", "upperLimit": 0}, {"column": "W", "phase": "Other"})
    report = report_of(rows, columns, phases={"nameColumn": "Step", "outcomeColumn": "Verdict"})
    assert shown(report) == [
        ("Cold", 0, "PASS"),
        ("Other", 0, "PASS"),
        ("Hot", 0, "FAIL"),
        ("Hot", 1, "PASS"),
    ]
    assert [phase.measurements[0].value for phase in report.phases] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [["", "PASS", "", "", "a", "1"]],
            "row 2, column 'Step': blank cell has to name the phase of measurement 'a'",
        ),
        ([["P", "OK", "", "", "a", "1"]], "row 2, column 'Verdict': 'OK' is none of PASS, FAIL, SKIP, ERROR"),
        (
            [["P", "PASS", "", "", "a", "1"], ["P", "FAIL", "", "", "b", "2"]],
            "row 3, column 'Verdict': 'FAIL' contradicts row 2, where phase 'P' is PASS",
        ),
        (
            [["P", "", f"{NOON}2Z", f"{NOON}1Z", "a", "1"]],
            f"row 2, column 'To': '{NOON}1Z' is before the start of phase 'P'",
        ),
        ([["P", "", "early", "", "a", "1"]], "row 2, column 'From': 'early' is no date and time"),
    ],
)
def test_rows_that_make_no_phase(rows, told):
    assert told in refused([[*STEPS, "Name", "Value"], *([*RUN, *row] for row in rows)], LONG, phases=PHASES)


def test_a_row_cannot_measure_the_same_twice():
    columns = wide("V", {"column": "W", "name": "V", "phase": "Cold"})
    rows = [[*HEADER, "Step", "V", "W"], [*RUN, "Cold", "1", "2"]]
    told = refused(rows, columns, phases={"nameColumn": "Step"})
    assert told == "row 2 gives phase 'Cold' two measurements of the same name; rename one"


# The mapping itself


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fields": {"serial_number": {}}}, "exactly one"),
        ({"fields": {"serial_number": {"column": "a", "value": "b"}}}, "exactly one"),
        ({"fields": {"serial_number": {"column": " "}}}, "regex"),
        ({"fields": {"outcome": {"value": "OK"}}}, "Invalid enum value 'OK'"),
        ({"fields": {"outcome": {"column": "a", "valueMap": {"1": "SKIP"}}}}, "Invalid enum value 'SKIP'"),
        ({"fields": {"ended_at": None}}, "ended_at"),
        ({"measurements": {"layout": "tall"}}, "Invalid enum value 'tall'"),
        ({"measurements": {"layout": "wide"}}, "Layout wide needs columns"),
        ({"measurements": {"columns": []}}, "length >= 1"),
        ({"measurements": wide("a", "a")}, "Two columns are measurement 'a'"),
        ({"measurements": {"layout": "long", "nameColumn": "a"}}, "nameColumn and valueColumn"),
        ({"measurements": {"valueColumn": "a", "nameColumn": ""}}, "length >= 1"),
        ({"metadata": [{"key": "a"}]}, "exactly one"),
        ({"metadata": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "Two rules"),
        ({"phases": {}}, "nameColumn"),
    ],
)
def test_mappings_that_contradict_themselves(changes, told):
    with pytest.raises(msgspec.ValidationError, match=told):
        mapping(**changes)


@pytest.mark.parametrize(
    ("measurements", "layout"),
    [({}, "none"), (wide("a") | {"layout": None}, "wide"), (LONG | {"layout": None}, "long"), (LONG, "long")],
)
def test_the_layout_may_be_left_to_its_columns(measurements, layout):
    assert mapping(measurements).measurements.layout == layout


def test_a_mapping_survives_json():
    made = mapping(
        wide({"column": "V", "lowerLimit": 1}), phases=PHASES, metadata=[{"key": "a", "column": "b"}]
    )
    assert msgspec.json.decode(msgspec.json.encode(made), type=TableMapping) == made
    assert b"null" not in msgspec.json.encode(made)
