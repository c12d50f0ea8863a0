"""The list of runs as files."""

import csv
import io
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import record, report

HEAD = [
    "id",
    "outcome",
    "serial_number",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure",
    "version",
    "station",
    "operator",
    "started_at",
    "duration_s",
]


def rows_of(browser: Browser, path: str) -> list[list[str]]:
    answer = browser.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.csv"'
    return list(csv.reader(io.StringIO(answer.text, newline="")))


@pytest.fixture(scope="module")
def exported(server: Server) -> list[str]:
    """The ids of 30 runs, the last started first."""
    ids = []
    for number in range(30):
        body = report(
            f"=EXP-{number % 7}",
            started_at=f"2026-03-01T00:00:{number:02}.25Z",
            duration="PT1M30.5S",
            run_passed=number % 10 > 0,
        )
        body["unit_under_test"] |= {"part_number": "EXP", "batch_number": "-1+2"}
        ids.append(record(server, body).removeprefix("/runs/"))
    return ids[::-1]


def test_a_csv_file_is_the_list_as_it_is_filtered_and_sorted(ada: Browser, exported: list[str]):
    head, *rows = rows_of(ada, "/runs.csv?part=EXP")
    assert head == HEAD
    assert [row[0] for row in rows] == exported
    assert rows[0][1:3] == ["PASS", "'=EXP-1"]
    assert rows[0][5] == "'-1+2"
    assert rows[0][8] == "ICT-1"
    assert rows[0][10:] == ["2026-03-01T00:00:29.250Z", "90.5"]
    _, *failed = rows_of(ada, "/runs.csv?part=EXP&outcome=FAIL&order=asc")
    assert [row[0] for row in failed] == exported[::-1][::10]


@pytest.mark.usefixtures("exported")
def test_a_csv_file_says_what_the_api_says(server: Server, ada: Browser, exported: list[str]):
    _, row = rows_of(ada, f"/runs.csv?search={exported[5]}&columns=started_at&columns=duration")
    with server.client(server.world.acme.engineer.api_key) as client:
        told = client.get(f"{server.url}/api/v2/runs/{exported[5]}").json()
    assert row[0] == told["id"]
    assert row[1] == f"'{told['unit']['serial_number']}"
    assert datetime.fromisoformat(row[2]) == datetime.fromisoformat(told["started_at"])


def test_chosen_columns_are_those_of_the_file(ada: Browser, exported: list[str]):
    head, *rows = rows_of(ada, "/runs.csv?part=EXP&columns=outcome&columns=created_at&after=&cursor=60")
    assert head == ["id", "outcome", "serial_number", "created_at"]
    assert len(rows) == len(exported), "a file is the whole list, not a page of it"


def test_a_parquet_file_has_types(ada: Browser, exported: list[str]):
    answer = ada.http.get("/runs.parquet?part=EXP")
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.parquet"'
    file = pq.ParquetFile(io.BytesIO(answer.content))
    table = file.read()
    assert table.column_names == HEAD
    assert table["id"].to_pylist() == exported
    assert table["serial_number"][0].as_py() == "=EXP-1"
    assert table["started_at"][0].as_py() == datetime(2026, 3, 1, 0, 0, 29, 250_000, UTC)
    assert table["duration_s"][0].as_py() == 90.5


@pytest.mark.usefixtures("exported")
def test_another_organization_gets_none_of_it(gus: Browser):
    assert rows_of(gus, "/runs.csv?part=EXP") == [HEAD]
    answer = gus.http.get("/runs.parquet?part=EXP")
    assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0
