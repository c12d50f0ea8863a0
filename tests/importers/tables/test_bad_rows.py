"""Rows of tables that cannot be read: they refuse the file, or are left out and named."""

import io

import msgspec
import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.runs.report import RunReport
from runcard.importers.report.remarks import MOST_REMARKS, Remark, Remarks
from runcard.importers.tables import mapped_runs, unit_rows
from runcard.importers.tables.bad_rows import BadRows
from tests.importers.tables.files import HEADER, PROCEDURE, RUN, csv_file, mapping, wide, xlsx_file

UNIT_HEADER = ["Serial Number", "Status", "Start Time", "vcc (V) 1 <= x <= 2"]
GOOD = ["SN1", "Passed", "2026-01-02 03:04:05", "1.5"]
UNITS = [
    GOOD,
    ["", "Passed", "2026-01-02", "1.5"],
    ["SN3", "perhaps", "2026-01-02", "1.5"],
    ["SN4", "Failed", "yesterday", "1.5"],
    ["SN5", "Failed", "2026-01-02", "2.5"],
]


def told(content: bytes) -> tuple[list[str], list[str]]:
    """Serial numbers of the runs of a table of units, and the remarks on it."""
    found = list(unit_rows.parse(io.BytesIO(content), skips_bad_rows=True))
    serials = [one.serial_number for one in found if isinstance(one, RunReport)]
    return serials, [one.text for one in found if isinstance(one, Remark)]


@pytest.mark.parametrize("write", [csv_file, xlsx_file])
def test_units_that_cannot_be_read_are_left_out_and_named(write):
    serials, remarks = told(write([UNIT_HEADER, *UNITS]))
    assert serials == ["SN1", "SN5"]
    assert remarks[0] == "Left out: row 3, column 'Serial Number': blank cell has to name the unit"
    assert [one[: len("Left out: row 0")] for one in remarks] == [f"Left out: row {row}" for row in (3, 4, 5)]
    assert ("'perhaps'" in remarks[1], "'yesterday'" in remarks[2]) == (True, True)


def test_a_table_is_all_or_nothing_where_nobody_says_otherwise():
    with pytest.raises(InvalidInput) as refused:
        list(unit_rows.parse(io.BytesIO(csv_file([UNIT_HEADER, *UNITS]))))
    assert refused.value.issues[0].path == ("rows", 3, "Serial Number")


def test_a_row_that_is_wider_than_the_header_is_left_out():
    content = csv_file([UNIT_HEADER, GOOD, ["SN2", "Passed", "2026-01-02", "1", "5"]])
    assert told(content)[0] == ["SN1"]
    assert told(content)[1][0].startswith("Left out: row 3 has 5 cells but the header 4")


@pytest.mark.parametrize("row", [["", "Passed", "", ""], ["SN2", "Passed", "2026-01-02", "1", "5"]])
def test_a_table_of_bad_rows_alone_is_refused_for_the_first(row):
    with pytest.raises(InvalidInput) as refused:
        told(csv_file([UNIT_HEADER, row, row]))
    assert refused.value.issues[0].path[:2] == ("rows", 2)


def test_the_first_are_named_and_the_others_counted():
    bad = ["", "Passed", "2026-01-02", "1.5"]
    _, texts = told(csv_file([UNIT_HEADER, GOOD, *[bad] * (MOST_REMARKS + 5)]))
    remarks = Remarks()
    for text in texts:
        remarks.add(Remark(text))
    named = remarks.taken(is_last=True)
    assert (len(named), named[-1]) == (MOST_REMARKS + 1, "and 5 more such warnings")
    assert named[MOST_REMARKS - 1].startswith(f"Left out: row {MOST_REMARKS + 2},")


# One run, by a mapping

MEASURED = wide("Supply")


def run_of(*rows: list[str]) -> tuple[list[object], list[str]]:
    """Values of the run of a table, and the remarks on it."""
    bad_rows = BadRows(skips=True)
    content = csv_file([[*HEADER, "Supply"], *rows])
    [report] = mapped_runs.parse(content, mapping(MEASURED), PROCEDURE, bad_rows)
    values = [one.value for phase in report.phases for one in phase.measurements]
    return values, [one.text for one in bad_rows.remarks]


@pytest.mark.parametrize(
    "bad",
    [
        ["SN1", "PASS", "soon", RUN[3], "3.5"],
        ["SN1", "PASS", RUN[2], "later", "3.5"],
        ["SN1", "maybe", *RUN[2:], "3.5"],
        ["#N/A", *RUN[1:], "3.5"],
        [*RUN, "#DIV/0!"],
        [*RUN, "3", "5"],
    ],
    ids=["start", "end", "outcome", "name", "measurement", "width"],
)
def test_rows_of_a_run_that_cannot_be_read_are_left_out(bad):
    values, remarks = run_of([*RUN, "3.3"], bad, [*RUN, "3.4"])
    assert values == [3.3, 3.4]
    assert [one[: len("Left out: row 0")] for one in remarks] == ["Left out: row 3"]
    with pytest.raises(InvalidInput):
        list(
            mapped_runs.parse(
                csv_file([[*HEADER, "Supply"], [*RUN, "3.3"], bad]), mapping(MEASURED), PROCEDURE
            )
        )


def test_what_contradicts_other_rows_is_not_left_out():
    with pytest.raises(InvalidInput, match="Input validation failed") as refused:
        run_of([*RUN, "3.3"], ["SN2", *RUN[1:], "3.4"])
    assert "'SN2' differs from 'SN1' in row 2" in refused.value.issues[0].message


def test_of_rows_that_are_runs_each_bad_one_is_left_out_and_named():
    rows = [
        [*RUN, "3.3"],
        ["", *RUN[1:], "3.4"],
        ["SN2", "PASS", RUN[3], RUN[2], "3.5"],
        ["SN3", *RUN[1:], "3.6"],
    ]
    bad_rows = BadRows(skips=True)
    made = msgspec.structs.replace(mapping(MEASURED), runs="row")
    reports = list(mapped_runs.parse(csv_file([[*HEADER, "Supply"], *rows]), made, PROCEDURE, bad_rows))
    assert [one.serial_number for one in reports] == ["SN1", "SN3"]
    assert [one.text.partition(",")[0] for one in bad_rows.remarks] == [
        "Left out: row 3: column 'Serial' is blank",
        "Left out: row 4",
    ]
    with pytest.raises(InvalidInput) as refused:
        list(
            mapped_runs.parse(
                csv_file([HEADER, ["", *RUN[1:]]]), msgspec.structs.replace(mapping(), runs="row"), PROCEDURE
            )
        )
    assert refused.value.issues[0].path == ("rows", 2, "mapping", "serial_number")


def test_a_run_of_bad_rows_alone_is_refused_for_the_first():
    with pytest.raises(InvalidInput) as refused:
        run_of(["SN1", "PASS", "soon", RUN[3], "3.5"])
    assert refused.value.issues[0].path == ("rows", 2, "Start")
