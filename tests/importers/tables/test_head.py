"""The beginning of a table, and what its columns seem to be."""

import pytest

from runcard.domain.errors import UnreadableReport
from runcard.importers.tables.head import MOST_COLUMNS, head_of
from runcard.importers.tables.mapping_guess import guess
from tests.importers.tables.files import csv_file, xlsx_file


def guessed(rows, **others):
    return guess(head_of(csv_file(rows, **others)))


def test_the_first_rows_and_texts_are_told():
    rows = [["SN", "V"], *([f"S{at}", f"{at % 3},5"] for at in range(40))]
    head = head_of(csv_file(rows, ";"))
    assert head.columns == ["SN", "V"]
    assert head.rows == [[f"S{at}", f"{at % 3},5"] for at in range(5)]
    assert head.texts[1] == ["0,5", "1,5", "2,5"]
    assert len(head.texts[0]) == 12
    assert head.numeric == [False, True]
    assert (head.column_count, head.row_count) == (2, 40)


def test_of_a_wide_table_the_first_columns_are_told():
    titles = [f"c{at}" for at in range(MOST_COLUMNS + 50)]
    head = head_of(csv_file([titles, ["1"] * len(titles)]))
    assert (len(head.columns), head.column_count) == (MOST_COLUMNS, MOST_COLUMNS + 50)
    assert len(head.rows[0]) == len(head.texts) == len(head.numeric) == MOST_COLUMNS


def test_a_workbook_has_the_same_head():
    rows = [["SN", "V"], ["S1", 1.5], ["S2", None]]
    head = head_of(xlsx_file(rows))
    assert (head.columns, head.rows, head.numeric) == (
        ["SN", "V"],
        [["S1", "1.5"], ["S2", ""]],
        [False, True],
    )


def test_what_is_no_table_is_refused():
    with pytest.raises(UnreadableReport, match="no rows"):
        head_of(b"\n\n")


def test_columns_are_known_by_their_titles():
    titles = ["Serial No.", "TEST DATE", "Result", "Lot", "Operator", "Vout (V)", "Ripple [mV]", "Room"]
    found = guessed([titles, ["S1", "2026-01-02", "OK", "L1", "Bo", "3.3", "12", "west"]])
    assert found.columns == {
        "serial_number": "Serial No.",
        "outcome": "Result",
        "started_at": "TEST DATE",
        "ended_at": "TEST DATE",
        "batch_number": "Lot",
        "operated_by": "Operator",
    }
    assert [tuple(one) for one in found.measurements] == [
        ("Vout (V)", "Vout", "V"),
        ("Ripple [mV]", "Ripple", "mV"),
    ]


def test_the_more_telling_title_is_taken():
    found = guessed([["Time", "Start", "End"], ["1", "2026-01-02", "2026-01-03"]])
    assert (found.columns["started_at"], found.columns["ended_at"]) == ("Start", "End")


@pytest.mark.parametrize(
    ("told", "passing", "failing"),
    [
        (["OK", "NOK"], ["OK"], ["NOK"]),
        (["i.O.", "n.i.O."], ["i.O."], ["n.i.O."]),
        (["1", "0"], ["1"], ["0"]),
        (["PASS", "failed"], [], []),
        (["blue", "OK"], ["OK"], []),
    ],
)
def test_texts_of_outcomes_are_known(told, passing, failing):
    found = guessed([["SN", "Result"], *(["S", text] for text in told)])
    assert (found.passing, found.failing) == (passing, failing)


def test_a_title_that_stands_twice_or_is_missing_is_not_proposed():
    found = guessed([["SN", "SN", "V", "", "V"], ["a", "b", "1", "2", "3"]])
    assert found.columns == {}
    assert found.measurements == []
