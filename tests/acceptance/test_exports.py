"""Exports over REST."""

import csv
import io
import json
from collections.abc import Iterator

import httpx
import polars
import pytest
from openpyxl import load_workbook

from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def exports(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.world.acme.viewer.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/export", headers=headers, timeout=DEADLINE_S) as client:
        yield client


def test_runs_of_a_unit(exports: httpx.Client, admin: httpx.Client, serial: str) -> None:
    run_id = create_run(admin, run_of(serial))
    answers = {
        one: exports.get("/runs", params={"serial_numbers": serial, "format": one})
        for one in ("csv", "jsonl", "parquet")
    }
    assert {one: answer.status_code for one, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert [row["id"] for row in csv.DictReader(io.StringIO(answers["csv"].text))] == [run_id]
    assert json.loads(answers["jsonl"].text)["id"] == run_id
    assert polars.read_parquet(io.BytesIO(answers["parquet"].content))["id"].to_list() == [run_id]
    assert answers["csv"].headers["content-type"] == "text/csv; charset=utf-8"
    assert answers["parquet"].headers["content-disposition"] == 'attachment; filename="runs.parquet"'


def test_spreadsheets_of_a_unit(exports: httpx.Client, admin: httpx.Client, serial: str) -> None:
    run_id = create_run(admin, run_of(serial))
    asked = {"serial_numbers": serial, "time_zone": "Europe/Berlin"}
    text = exports.get("/runs", params={**asked, "format": "spreadsheet.csv"})
    [row] = csv.DictReader(io.StringIO(text.content.decode("utf-8-sig")))
    assert row["id"] == run_id
    assert "started_at (Europe/Berlin)" in row
    excel = exports.get("/runs", params={**asked, "format": "xlsx"})
    assert excel.headers["content-disposition"] == 'attachment; filename="runs.xlsx"'
    [head, only] = load_workbook(io.BytesIO(excel.content)).worksheets[0].iter_rows(values_only=True)
    assert (list(head), only[0]) == (list(row), run_id)


def test_another_organization_exports_nothing_of_it(server: Server, admin: httpx.Client, serial: str) -> None:
    create_run(admin, run_of(serial))
    headers = {"Authorization": f"Bearer {server.world.globex.admin.api_key}"}
    answer = httpx.get(f"{server.url}/api/export/runs?format=jsonl", headers=headers)
    assert serial not in answer.text


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"format": "xls"}, "format"),
        ({"format": "xlsx", "time_zone": "Berlin"}, "time_zone"),
        ({"outcomes": "GOOD"}, "outcomes"),
        ({"duration_min": "soon"}, "duration_min"),
        ({"metadata": "{"}, "metadata"),
        ({"ids": "run"}, "ids"),
    ],
    ids=["format", "time zone", "outcomes", "duration", "metadata", "ids"],
)
def test_bad_queries(exports: httpx.Client, parameters: dict[str, str], told: str) -> None:
    for path in ("/runs", "/measurements"):
        answer = exports.get(path, params=parameters)
        assert answer.status_code == 400
        assert told in answer.text


def test_nobody_without_a_key(server: Server) -> None:
    assert httpx.get(f"{server.url}/api/export/measurements").status_code == 401
