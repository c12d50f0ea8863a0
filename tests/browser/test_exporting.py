"""The list of runs as a file: the same runs as its page is about, and as the API tells of them."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import polars
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import Demo
from tests.browser.windows import Windows
from tests.servers import DEADLINE_S

PART = "PCB-1040"


@pytest.fixture
def failed(windows: Windows, admin: StorageState) -> Page:
    """The failed runs of one part, chosen in the filters of the list."""
    page = windows.open("/runs", cookies=admin)
    # The address says what was asked a moment before the page does.
    export = page.locator("a[href^='/runs.csv']")
    page.locator(".filters [name=outcome]").select_option("FAIL")
    expect(export).to_have_attribute("href", re.compile("outcome=FAIL"))
    page.locator(".filters [name=part]").fill(PART)
    page.keyboard.press("Enter")
    expect(export).to_have_attribute("href", re.compile(f"part={PART}"))
    return page


@pytest.fixture(scope="module")
def told(demo: Demo) -> dict[str, dict[str, Any]]:
    """The same runs, as the API tells of them, by id."""
    return {run["id"]: run for run in runs_of_api(demo)}


def runs_of_api(demo: Demo) -> Iterator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {demo.access.api_key}"}
    query: dict[str, str] | None = {"outcomes": "FAIL", "part_numbers": PART}
    with httpx.Client(base_url=f"{demo.server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        while query is not None:
            answer = client.get("/runs", params=query)
            assert answer.status_code == 200, answer.text
            yield from answer.json()["data"]
            cursor = answer.json()["meta"]["next_cursor"]
            query = None if cursor is None else {**query, "cursor": str(cursor)}


def exported(page: Page, name: str) -> bytes:
    menu = page.locator("details.export")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    return Path(download.value.path()).read_bytes()


def value_of(thing: dict[str, str] | None, name: str) -> str:
    """What a file says of a thing that a run may do without."""
    return "" if thing is None else thing[name]


def test_csv_is_what_the_api_tells(failed: Page, told: dict[str, dict[str, Any]]):
    rows = list(csv.DictReader(io.StringIO(exported(failed, "CSV for programs").decode())))
    assert len(rows) == len(told) > 50, "more than one page of the list"
    for row in rows:
        run = told[row["id"]]
        unit, part = run["unit"], run["unit"]["part"]
        assert row["outcome"] == run["outcome"] == "FAIL"
        assert row["serial_number"] == unit["serial_number"]
        assert (row["part_number"], row["revision_number"]) == (part["number"], part["revision"]["number"])
        assert row["batch_number"] == value_of(unit["batch"], "number")
        assert row["procedure"] == run["procedure"]["name"]
        assert row["version"] == value_of(run["procedure"]["version"], "tag")
        assert row["station"] == value_of(run["created_by_station"] or run["created_by_user"], "name")
        assert row["operator"] == value_of(run["operated_by"], "name")
        # The same moment: of whole milliseconds a file tells no microseconds.
        assert datetime.fromisoformat(row["started_at"]) == datetime.fromisoformat(run["started_at"])


def test_parquet_holds_the_same_rows(failed: Page):
    rows = list(csv.DictReader(io.StringIO(exported(failed, "CSV for programs").decode())))
    table = polars.read_parquet(io.BytesIO(exported(failed, "Parquet")))
    assert table.columns == list(rows[0])
    assert table["id"].to_list() == [row["id"] for row in rows]
    assert table["serial_number"].to_list() == [row["serial_number"] for row in rows]
    assert table["duration_s"].to_list() == [float(row["duration_s"]) for row in rows]


def test_figures_of_a_chart_are_taken_away(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/?period=all", cookies=admin)
    chart = page.locator("figure", has_text="First-pass yield by procedure")
    chart.get_by_text("Figures").click()
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV for spreadsheets").click()
    assert download.value.suggested_filename == "First-pass yield by procedure.csv"
    text = Path(download.value.path()).read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    shown = [row.locator("th, td").all_inner_texts() for row in chart.locator("tbody tr").all()]
    assert rows[1:] == [[cell.strip() for cell in row] for row in shown]
    assert len(shown) == 3
