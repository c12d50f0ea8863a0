"""Files of tables, as a spreadsheet program reads them."""

import csv
import io
from typing import Any

from openpyxl import load_workbook

from tests.web.browser import Browser


def csv_of(browser: Browser, path: str) -> list[list[str]]:
    answer = browser.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def xlsx_of(browser: Browser, path: str) -> list[tuple[Any, ...]]:
    answer = browser.http.get(path)
    assert answer.status_code == 200
    assert ".xlsx" in answer.headers["content-disposition"]
    return list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))


def exports(browser: Browser, path: str) -> list[str]:
    """The files that a page links to."""
    links = browser.open(path).links
    return [link for link in links if link.partition("?")[0].endswith((".xlsx", ".spreadsheet.csv"))]
