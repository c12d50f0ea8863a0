"""Tables to read: made of rows, as text or as a workbook, and mappings of them."""

import csv
import io
import zipfile
from typing import Any

import msgspec
import openpyxl

from runcard.importers.tables.mapped_runs import parse
from runcard.importers.tables.mapping import TableMapping

FIELDS = {
    "serial_number": {"column": "Serial"},
    "outcome": {"column": "Result"},
    "started_at": {"column": "Start"},
    "ended_at": {"column": "End"},
}
HEADER = ["Serial", "Result", "Start", "End"]
RUN = ["SN1", "PASS", "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z"]
PROCEDURE = "FVT1"


def csv_file(rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_file(rows, title="Sheet"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return saved(book)


def saved(book):
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def mapping(measurements=None, fields=None, **others) -> TableMapping:
    """A mapping with FIELDS, some of which `fields` replaces; a field that is None is left out."""
    given: dict[str, Any] = {**FIELDS, **(fields or {})}
    said = {name: field for name, field in given.items() if field is not None}
    return msgspec.convert({"fields": said, "measurements": measurements or {}, **others}, TableMapping)


def report_of(rows, *args, **others):
    """The report of a CSV file with these rows."""
    [report] = parse(csv_file(rows), mapping(*args, **others), PROCEDURE)
    return report


def wide(*columns):
    return {
        "layout": "wide",
        "columns": [{"column": one} if isinstance(one, str) else one for one in columns],
    }


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PARTS = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/styles.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>""",
    "_rels/.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="xl/workbook.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook {NAMESPACE}
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="DATE1904"/>
<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<Relationships
 xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="worksheets/sheet1.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>
<Relationship Id="r2" Target="styles.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/></Relationships>""",
    # Style 1 is a date with a time (built-in format 22).
    "xl/styles.xml": f"""<styleSheet {NAMESPACE}><fonts count="1"><font/></fonts>
<fills count="1"><fill><patternFill/></fill></fills>
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="2"><xf/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>""",
}


def xlsx_of(rows_xml, prolog="", date1904=False):
    """A workbook written by hand: the XML of the rows of its one sheet."""
    sheet = f"{prolog}<worksheet {NAMESPACE}><sheetData>{rows_xml}</sheetData></worksheet>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in _PARTS.items():
            archive.writestr(name, part.replace("DATE1904", str(int(date1904))))
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return content.getvalue()


def inline_row(number, *texts):
    """The XML of a row of texts."""
    cells = "".join(
        f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for at, text in enumerate(texts)
    )
    return f'<row r="{number}">{cells}</row>'
