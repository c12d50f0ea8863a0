"""Files for spreadsheets, read back by other readers than wrote them."""

import csv
import io
import math
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from runcard.domain.errors import InvalidInput
from runcard.exports import spreadsheets
from runcard.exports.spreadsheets import (
    SHEET_ENCODINGS,
    Cell,
    Rows,
    Sheet,
    SheetColumn,
    SheetFormat,
    refuse_too_many,
)

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 7, 1, 22, 30, 15, 678901, UTC)
COLUMNS = [
    SheetColumn("Name"),
    SheetColumn("Value", "number"),
    SheetColumn("Yield", "ratio"),
    SheetColumn("Started", "moment"),
]


def encoded(chosen: SheetFormat, rows: Rows, columns: Sequence[SheetColumn] = COLUMNS) -> bytes:
    return b"".join(SHEET_ENCODINGS[chosen].encode(Sheet("Runs", columns, rows, BERLIN)))


def xlsx_rows(file: bytes) -> list[tuple[object, ...]]:
    return list(load_workbook(io.BytesIO(file))["Runs"].iter_rows(values_only=True))


def csv_rows(file: bytes) -> list[list[str]]:
    assert file.startswith(b"\xef\xbb\xbf"), "Excel takes a file without a mark for one of its old code pages"
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def test_a_heading_is_a_text_whatever_it_begins_with():
    named = ["=1+1", "#N/A", "a\x00b", "Ü" * 40_000]
    columns, rows = [SheetColumn(name) for name in named], [[["a", "b", "c", "d"]]]
    book = load_workbook(io.BytesIO(encoded("xlsx", rows, columns)))
    first, second, third, last = next(book["Runs"].iter_rows())
    assert [(one.value, one.data_type) for one in (first, second, third)] == [
        ("=1+1", "s"),
        ("#N/A", "s"),
        ("a\ufffdb", "s"),
    ]
    assert len(last.value) == 32_767
    assert csv_rows(encoded("spreadsheet.csv", rows, columns))[0][:2] == ["'=1+1", "#N/A"]


def test_times_are_those_of_the_readers_clock():
    rows: list[list[list[Cell]]] = [[["Müller", 3.25, 0.5, AT], ["日本", -1e-12, None, None]]]
    assert csv_rows(encoded("spreadsheet.csv", rows)) == [
        ["Name", "Value", "Yield", "Started (Europe/Berlin)"],
        ["Müller", "3.25", "0.5", "2026-07-02 00:30:15"],
        ["日本", "-1e-12", "", ""],
    ]
    heading, first, second = xlsx_rows(encoded("xlsx", rows))
    assert heading == ("Name", "Value", "Yield", "Started (Europe/Berlin)")
    assert first[:3] == ("Müller", 3.25, 0.5)
    assert first[3] == datetime(2026, 7, 2, 0, 30, 15, 679000)  # noqa: DTZ001 (a spreadsheet has no zones)
    assert second == ("日本", -1e-12, None, None)


def test_a_share_is_shown_in_percent_and_a_time_as_a_date():
    page = load_workbook(io.BytesIO(encoded("xlsx", [[["a", 1, 0.974, AT]]])))["Runs"]
    assert page["C2"].number_format == "0.0%"
    assert page["D2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert page["D2"].is_date
    assert page.freeze_panes == "A2"


@pytest.mark.parametrize(
    "text", ["=1+1", "=", "#N/A", "#REF!", "+1", "-1", "@x", "007", " x ", "true", "1e5"]
)
def test_a_text_stays_a_text(text: str):
    file = encoded("xlsx", [[[text, 1, None, None]]])
    assert xlsx_rows(file)[1][0] == text
    sheet = zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml")
    assert f"{text}</t>".encode() in sheet
    assert b"<f>" not in sheet


@given(st.text())
def test_any_text_can_be_written(text: str):
    rows: list[list[list[Cell]]] = [[[text, 1, None, None]]]
    assert len(xlsx_rows(encoded("xlsx", rows))) == 2
    [_, row] = csv_rows(encoded("spreadsheet.csv", rows))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_a_text_too_long_for_a_cell_says_that_it_is_cut(letter: str):
    _, row = xlsx_rows(encoded("xlsx", [[[letter * 40_000, 1, None, None]]]))
    cut = row[0]
    assert isinstance(cut, str)
    assert cut.endswith(f"{letter}…")
    assert len(cut.encode("utf-16-le")) // 2 in (32_766, 32_767)


def test_what_excel_has_no_number_or_date_for_is_a_text():
    early = datetime(1, 1, 1, tzinfo=UTC)
    rows: list[list[list[Cell]]] = [[["a", math.nan, math.inf, early], ["b", True, -math.inf, None]]]
    _, first, second = xlsx_rows(encoded("xlsx", rows))
    assert first == ("a", "nan", "inf", "0001-01-01 00:53:28")
    assert second == ("b", True, "-inf", None)
    late = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert csv_rows(encoded("spreadsheet.csv", [[["a", True, None, late]]]))[1] == [
        "a",
        "TRUE",
        "",
        "9999-12-31 23:59:59",
    ]


def test_columns_past_the_26th_have_letters():
    columns = [SheetColumn(f"c{number}") for number in range(60)]
    assert len(xlsx_rows(encoded("xlsx", [], columns))[0]) == 60


def test_more_rows_than_excel_takes_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 4)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    row: list[Cell] = ["a", 1, None, None]
    assert len(xlsx_rows(encoded("xlsx", [[row, row], [row]]))) == 4
    with pytest.raises(InvalidInput) as refused:
        encoded("xlsx", [[row, row], [row, row]])
    assert "at most 3 rows below the headings" in refused.value.issues[0].message
    assert len(csv_rows(encoded("spreadsheet.csv", [[row] * 9]))) == 10
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_that_of_excel():
    refuse_too_many(1_048_575)
    with pytest.raises(InvalidInput):
        refuse_too_many(1_048_576)


def test_nothing_is_left_of_a_file_that_nobody_waits_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows() -> Iterator[list[list[Cell]]]:
        while True:
            yield [["a", 1, None, None]]

    pieces = SHEET_ENCODINGS["xlsx"].encode(Sheet("Runs", COLUMNS, rows(), BERLIN))
    assert [next(pieces), next(pieces)] == [b"", b""]
    assert len(list(tmp_path.iterdir())) >= 1
    pieces.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
