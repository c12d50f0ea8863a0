"""Tables out of CSV and XLSX files: encodings, delimiters, cells, and what is refused."""

import csv
import io
import zipfile
from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta

import openpyxl
import pytest

from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.importers.content.cells import moment_of
from runcard.importers.tables import csv_rows, xlsx_rows
from runcard.importers.tables import table as tables
from runcard.importers.tables.table import read_table
from tests.importers.tables.files import csv_file, inline_row, saved, xlsx_file, xlsx_of

ROWS = [["Serial", "Temp °C", "Note"], ["SN1", "21.5", "a, b; c"], ["SN1", "22", ""]]


def cells(table):
    return [[*row.cells] for row in table.rows]


# Text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_delimiters_and_encodings(delimiter, encoding):
    table = read_table(csv_file(ROWS, delimiter, encoding))
    assert table.header == ["Serial", "Temp °C", "Note"]
    assert cells(table) == [["SN1", "21.5", "a, b; c"], ["SN1", "22", None]]
    assert table.decimal_comma is (delimiter != ",")


def test_signs_that_only_windows_has():
    assert read_table("Serial,Price\nSN1,5 €\n".encode("cp1252")).rows[0].cells[1] == "5 €"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    table = read_table(f"a;b{end}1;2{end}{end}3;4".encode())
    assert [(row.number, *row.cells) for row in table.rows] == [(2, "1", "2"), (4, "3", "4")]


def test_decimal_commas_do_not_make_columns():
    table = read_table(b"Serial;Voltage (V, DC);Current\nSN1;3,3;0,25\nSN1;3,4;0,5\n")
    assert table.header == ["Serial", "Voltage (V, DC)", "Current"]


def test_the_separator_line_of_spreadsheets():
    table = read_table(b"sep=|\r\na|b,c,d\r\n1|2,3,4\r\n")
    assert (table.header, cells(table), table.rows[0].number) == (["a", "b,c,d"], [["1", "2,3,4"]], 3)


def test_quotes_hold_delimiters_line_ends_and_quotes():
    table = read_table(b'a,b\n"1,5","say ""hi""\nthere"\n')
    assert cells(table) == [["1,5", 'say "hi"\nthere']]


def test_short_rows_and_blank_cells_at_the_end():
    table = read_table(b"a,b,c\n1\n1,2,3,,,\n")
    column = table.column("c")
    assert [row.read(column, str) for row in table.rows] == [None, "3"]


def test_a_single_column():
    assert cells(read_table(b"Serial\nSN1\n")) == [["SN1"]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no rows"),
        (b"\n\n , \n", "no rows"),
        (b"a,b\n", "no row below"),
        (b'a,b\n"1,2\n', "quotes"),
        (b'a,b\n"1"x,2\n', "quotes"),
        (b"sep=#\na#b\n1#2\n", "separator"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither text nor"),
        (b"a\0,b\n1,2\n", "neither text nor"),
        (b"a,b\n1\0,2\n", "neither text nor"),
        (b"\xff\xfea\0,", "neither text nor"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or encrypted"),
        (b"a,b\n" + b"x" * (csv.field_size_limit() + 1), "field larger"),
    ],
)
def test_unreadable_texts(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read_table(content)


def test_a_row_wider_than_the_header_says_which():
    with pytest.raises(InvalidInput) as raised:
        read_table(b"Serial,Voltage\nSN1,3.3\nSN1,3,3\n")
    assert raised.value.issues[0].message == (
        "row 3 has 3 cells but the header 2; its last is '3'. Put quotes around cells that contain the delimiter."
    )


def test_limits_of_texts(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert len(read_table(b"a,b\n" + b"1,2\n" * 3).rows) == 3
    with pytest.raises(PayloadTooLarge, match="more than 3 rows"):
        read_table(b"a,b\n" + b"1,2\n" * 4)
    monkeypatch.setattr(tables, "MAX_CELLS", 7)
    with pytest.raises(PayloadTooLarge, match="more than 7 cells"):
        read_table(b"a,b\n" + b"1,2\n" * 3)
    monkeypatch.setattr(tables, "MAX_TEXT_BYTES", 10)
    with pytest.raises(PayloadTooLarge, match="11 bytes"):
        read_table(b"a,b\n1,2\n3,4")


def test_a_line_of_too_many_cells_is_refused_before_it_is_taken_apart(monkeypatch):
    monkeypatch.setattr(csv_rows, "MAX_COLUMNS", 4)
    assert read_table(b"a,b,c,d\n1,2,3,4\n").header == ["a", "b", "c", "d"]
    assert read_table(b'a,b\n"1,2,3,4,5,6","7\n8,9,10,11,12"\n').rows[0].cells == [
        "1,2,3,4,5,6",
        "7\n8,9,10,11,12",
    ]
    for content in (b"a,b\n1,2,3,4,5\n", b'a,b\n"\n",2,3,4,5\n', b",,,,,"):
        with pytest.raises(PayloadTooLarge, match="more than 4 cells"):
            read_table(content)


# Columns


def test_columns_are_found_by_name():
    table = read_table(b" a , b\n1,2\n")
    assert (table.column("a").position, table.column(" b ").position) == (0, 1)


def test_unknown_and_ambiguous_columns():
    table = read_table(b"a,b,a,\n1,2,3,\n")
    with pytest.raises(InvalidInput) as raised:
        table.column("A")
    assert raised.value.issues[0].message == "column 'A' is not in the file, which has 'a', 'b', 'a'"
    with pytest.raises(InvalidInput) as raised:
        table.column("a")
    assert raised.value.issues[0].message == "column 'a' stands twice in the header, at 1 and 3; rename one"


def test_of_many_columns_the_first_are_named():
    table = read_table(csv_file([[f"c{n}" for n in range(50)], [1] * 50]))
    with pytest.raises(InvalidInput) as raised:
        table.column("x")
    assert raised.value.issues[0].message.endswith("'c19' and 30 more")


# Workbooks


def test_cells_of_workbooks():
    started = datetime(2026, 1, 31, 12, 34, 56, 789000)  # noqa: DTZ001 (workbooks know no zones)
    values = [12345, 3.1, True, "  text ", None, started, timedelta(hours=30), time(12, 30)]
    table = read_table(xlsx_file([["int", "float", "bool", "text", "none", "at", "span", "time"], values]))
    assert cells(table) == [[12345, 3.1, True, "text", None, started, timedelta(hours=30), time(12, 30)]]
    assert [type(cell) for cell in table.rows[0].cells[:3]] == [int, float, bool]
    assert not table.decimal_comma


# 2026-01-31 12:00 is day 46053.5 of the usual calendar and 44591.5 of the one that begins in 1904.
@pytest.mark.parametrize(("number", "date1904"), [("46053.5", False), ("44591.5", True)])
def test_dates_are_days_since_the_epoch_of_the_workbook(number, date1904):
    rows = inline_row(1, "at") + f'<row r="2"><c r="A2" s="1"><v>{number}</v></c></row>'
    (row,) = read_table(xlsx_of(rows, date1904=date1904)).rows
    assert moment_of(row.cells[0]) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_workbooks_of_other_programs():
    iso = '<row><c t="d"><v>2026-01-31T12:00:00</v></c><c t="b"><v>1</v></c><c t="str"><f>A1</f><v>is</v></c></row>'
    (row,) = read_table(xlsx_of(inline_row(1, "at", "ok", "formula") + iso)).rows
    assert (moment_of(row.cells[0]), *row.cells[1:]) == (datetime(2026, 1, 31, 12, tzinfo=UTC), True, "is")


def test_the_first_visible_sheet_is_read():
    book = openpyxl.Workbook()
    book.active.sheet_state = "hidden"
    book.create_sheet("charts").append(["Serial"])
    book["charts"].append(["SN1"])
    book.create_sheet("later").append(["x"])
    assert cells(read_table(saved(book))) == [["SN1"]]


def test_rows_keep_their_numbers_past_gaps():
    rows = inline_row(3, "a", "b") + inline_row(7, "1")
    assert [row.number for row in read_table(xlsx_of(rows)).rows] == [7]


def test_notes_beside_the_table_do_not_matter():
    assert cells(read_table(xlsx_file([["a"], ["1", None, "a note"]])))[0][0] == "1"


def test_the_error_of_a_formula_is_told():
    table = read_table(xlsx_file([["Serial"], ["#N/A"]]))
    with pytest.raises(InvalidInput) as raised:
        table.rows[0].read(table.column("Serial"), str)
    told = "row 2, column 'Serial': '#N/A' is the error of a formula; mend the formula or empty the cell"
    assert raised.value.issues[0].message == told


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return content.getvalue()


WORKBOOK = xlsx_file([["a"], ["1"]])
NO_WORKBOOKS = {
    "zip of something": zipped(readme="hello"),
    "cut": WORKBOOK[:-100],
    "head": WORKBOOK[:4],
    "broken xml": xlsx_of("<row"),
    "no number": xlsx_of('<row r="1"><c r="A1"><v>x</v></c></row>'),
    "no coordinate": xlsx_of('<row r="1"><c r="1A1"><v>1</v></c></row>'),
    "unknown shared text": xlsx_of('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'),
}


@pytest.mark.parametrize("name", NO_WORKBOOKS)
def test_unreadable_workbooks(name):
    with pytest.raises(UnreadableReport, match="workbook cannot be read"):
        read_table(NO_WORKBOOKS[name])


def test_a_workbook_without_cells():
    with pytest.raises(UnreadableReport, match="no rows"):
        read_table(saved(openpyxl.Workbook()))


def test_a_small_file_that_unpacks_to_much_is_refused():
    bomb = zipped(**{"xl/worksheets/sheet1.xml": b" " * (xlsx_rows.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 200_000
    with pytest.raises(PayloadTooLarge, match="unpacks to"):
        read_table(bomb)


def test_entities_that_grow_are_refused():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    with pytest.raises(UnreadableReport):
        read_table(xlsx_of(inline_row(1, "a") + inline_row(2, "&e11;"), prolog=f"<!DOCTYPE x [{entities}]>"))


def test_cells_far_away_cost_nothing_or_are_refused():
    lone = inline_row(1, "a") + '<row r="2"><c r="A2"><v>1</v></c></row>'
    far = '<row r="1048576"><c r="A1048576"><v>1</v></c></row><row r="999999999999"><c><v>2</v></c></row>'
    assert [row.number for row in read_table(xlsx_of(lone + far)).rows] == [2, 1048576]
    wide = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 100))
    with pytest.raises(PayloadTooLarge, match="cells"):
        read_table(xlsx_of(wide))


def with_part(name, part):
    """A workbook with one part that is another one, or new."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old, zipfile.ZipFile(content, "w") as new:
        new.writestr(name, part)
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
    return content.getvalue()


def test_a_workbook_of_too_many_shared_texts_is_refused(monkeypatch):
    monkeypatch.setattr(xlsx_rows, "MAX_SHARED_TEXTS", 10)
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    for count, refused in ((10, False), (11, True)):
        texts = f'<x:sst xmlns:x="{namespace}">{"<x:si/>" * count}</x:sst>'
        with pytest.raises(PayloadTooLarge, match="more than 10 texts") if refused else nullcontext():
            assert read_table(with_part("xl/sharedStrings.xml", texts)).rows


def test_no_part_of_a_workbook_has_more_attributes_than_an_element_may_have():
    attributes = " ".join(f'a{number}="1"' for number in range(20_000))
    for name in ("xl/styles.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        with pytest.raises(UnreadableReport, match="has 20000 attributes"):
            read_table(with_part(name, f"<x {attributes}/>"))
