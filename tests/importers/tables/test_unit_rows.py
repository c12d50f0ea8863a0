"""Tables of one row a unit, with the limits in the header."""

import csv
import io
import random
import re
from datetime import UTC, datetime, timedelta

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from runcard.domain.errors import InvalidInput, RuncardError, UnreadableReport
from runcard.importers.formats import FORMATS, detect
from runcard.importers.tables import unit_rows
from tests.importers.golden import CASES

SAMPLE = CASES / "table" / "line_hl.csv"


def read(content):
    return list(unit_rows.parse(io.BytesIO(content)))


def table(*rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


HEADER = ["Serial Number", "Status", "Start Time", "Test Time (ms)", "vcc (V) 1 <= x <= 2", "Note"]
ROW = ["SN1", "Passed", "2026-01-02 03:04:05", "1500", "1.5", "hm"]


def test_the_sample_against_a_data_frame():
    """Counted from the file by another reader."""
    frame = polars.read_csv(SAMPLE)
    runs = read(SAMPLE.read_bytes())
    assert [run.serial_number for run in runs] == frame["Serial Number"].cast(polars.String).to_list()
    assert [run.outcome for run in runs] == [
        {"Passed": "PASS", "Failed": "FAIL"}[word] for word in frame["Test Status"]
    ]
    assert sum(run.duration.total_seconds() for run in runs) == frame["Test Time (s)"].sum()
    assert runs[0].started_at == datetime(2023, 4, 18, 13, 8, 20, tzinfo=UTC)
    assert runs[0].metadata == {"Station_ID": "MAPTESTER-002", "Test_Socket": "1"}

    measured = frame[frame.columns[6:]]
    read_values = [one for run in runs for phase in run.phases for one in phase.measurements]
    assert len(read_values) == sum(measured.count().row(0))
    assert sum(float(one.value) for one in read_values) == pytest.approx(sum(measured.sum().row(0)))
    fails = 0
    for title in measured.columns:
        if bounds := re.search(r"(-?[\d.]+) <= x <= (-?[\d.]+)", title):
            low, high = map(float, bounds.groups())
            values = measured[title].drop_nulls()
            fails += int(((values < low) | (values > high)).sum())
    within = [one for one in read_values if one.lower_limit is not None]
    assert [one.outcome for one in within].count("FAIL") == fails


def test_the_sample_is_told_by_its_content():
    head = SAMPLE.read_bytes()[:65536]
    assert [one.name for one in FORMATS if one.is_it(head)] == ["TABLE"]


@pytest.mark.parametrize(
    "head",
    [
        b"Serial;Result\nSN1;PASS\n",
        b"Serial Number,Result,vcc\nSN1,PASS,3\n",
        b"vcc (V) 1 <= x <= 2,ok\n1,2\n",
        b'{"Serial Number,a 1 <= x <= 2": 1}',
        b"PK\x03\x04",
        b"Serial Number,a 1 <= x <= 2,Serial\n",
    ],
    ids=["no-limits", "no-heading", "no-serial", "json", "workbook", "two-serials"],
)
def test_other_tables_are_not_told(head):
    assert detect(head) is None


def test_a_row_is_a_run():
    (run,) = read(table(HEADER, ROW))
    assert (run.serial_number, run.outcome, run.duration) == ("SN1", "PASS", timedelta(seconds=1.5))
    assert (run.procedure, run.part_number, run.metadata) == ("", None, {"Note": "hm"})
    (phase,) = run.phases
    assert (phase.outcome, phase.started_at, phase.ended_at - phase.started_at) == (
        "PASS",
        run.started_at,
        run.duration,
    )
    (measurement,) = phase.measurements
    assert (measurement.name, measurement.value, measurement.uom) == ("vcc", 1.5, "V")
    assert (measurement.lower_limit, measurement.upper_limit) == (1.0, 2.0)


def test_columns_of_one_name_are_told_apart():
    (run,) = read(table(["SN", "Result", "a == 0 [0]", "a == 1 [0]", "a == 1 [1]"], ["1", "FAIL", 0, 0, 1]))
    assert [(one.name, one.outcome) for one in run.phases[0].measurements] == [
        ("a", "PASS"),
        ("a (2)", "FAIL"),
        ("a [1]", "PASS"),
    ]
    assert run.phases[0].outcome == "FAIL"


def test_what_a_file_says_of_the_run():
    header = ["SN", "Result", "Procedure", "Part Number", "Rev", "Lot", "Operator", "Test End", "Test Start"]
    row = ["1", "Terminated", "Final", "P", "B", "L", "Zoë", "2026-01-01T00:01", "2026-01-01T00:00"]
    (run,) = read(table(header, row))
    assert (run.procedure, run.procedure_is_name, run.part_number, run.revision_number) == (
        "Final",
        True,
        "P",
        "B",
    )
    assert (run.batch_number, run.operator, run.outcome, run.duration) == (
        "L",
        "Zoë",
        "ABORTED",
        timedelta(minutes=1),
    )


def test_a_workbook():
    book = Workbook()
    for row in (HEADER, [*ROW[:2], datetime(2026, 1, 2), 1500, 1.5, None]):  # noqa: DTZ001 (as Excel holds it)
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    (run,) = read(content.getvalue())
    assert (run.started_at, run.phases[0].measurements[0].value) == (datetime(2026, 1, 2, tzinfo=UTC), 1.5)


@pytest.mark.parametrize(
    ("position", "cell", "told"),
    [
        (0, "", "has to name the unit"),
        (1, "", "has to say the outcome"),
        (1, "good", "is none of PASS"),
        (2, "yesterday", "is no date and time"),
        (3, "-1", "is negative"),
        (3, "nan", "no length of time"),
        (3, "1e16", "ends after the year 9999"),
    ],
)
def test_a_bad_cell_is_named(position, cell, told):
    row = [*ROW]
    row[position] = cell
    with pytest.raises(InvalidInput) as raised:
        read(table(HEADER, ROW, row))
    assert told in raised.value.summary
    assert f"row 3, column {HEADER[position]!r}" in raised.value.summary


def test_a_table_without_what_a_run_needs():
    for missing in ("Serial Number", "Status"):
        header = [one for one in HEADER if one != missing]
        with pytest.raises(UnreadableReport, match="The table has no column for"):
            read(table(header, ROW[: len(header)]))


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_damaged_files_are_read_or_refused(seed, count):
    damage = random.Random(seed)
    content = bytearray(SAMPLE.read_bytes()[:6000])
    for _ in range(count):
        content[damage.randrange(len(content))] ^= 1 << damage.randrange(8)
    try:
        runs = read(bytes(content[: damage.randrange(len(content))]))
    except RuncardError:
        return
    assert all(run.serial_number for run in runs)
