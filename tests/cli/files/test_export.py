"""`runcard export`, as a script and as a person use it."""

import csv
import io
import json
import shutil
from pathlib import Path

import polars
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from runcard.cli.main import app
from tests.cli.commands import run_beside
from tests.importers.many_runs import junit_of
from tests.servers import Installation


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with three runs."""
    folder = tmp_path_factory.mktemp("made")
    installation = Installation(folder / "data", None)
    installation.runcard(
        "init", "--organization", "Acme", "--email", "a@acme.test", "--password", "correct horse"
    )
    (folder / "three.xml").write_bytes(junit_of(["A", "B", "C"]))
    installation.runcard("import", str(folder / "three.xml"))
    return installation


@pytest.fixture
def acme(template: Installation, tmp_path: Path) -> Installation:
    """The same for one test."""
    shutil.copytree(template.data_dir, tmp_path / "data", dirs_exist_ok=True)
    return Installation(tmp_path / "data", None)


def invoked(installation: Installation, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--data-dir", str(installation.data_dir)])


def said(installation: Installation, *arguments: str | Path) -> str:
    return invoked(installation, *arguments).output


def test_a_file_is_in_the_format_that_its_name_says(acme: Installation, tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    done = acme.runcard("export", "runs", "-o", str(path))
    assert done == {"path": str(path), "format": "parquet", "rows": 3}
    assert polars.read_parquet(path)["serial_number"].to_list() == ["A", "B", "C"]
    assert list(tmp_path.glob("*.part")) == []


def test_a_spreadsheet_has_times_of_the_zone_that_is_named(acme: Installation, tmp_path: Path) -> None:
    path = tmp_path / "runs.spreadsheet.csv"
    done = acme.runcard("export", "runs", "-o", str(path), "--time-zone", "Asia/Tokyo")
    assert done == {"path": str(path), "format": "spreadsheet.csv", "rows": 3}
    assert path.read_text("utf-8-sig").count("started_at (Asia/Tokyo)") == 1
    path = tmp_path / "runs.xlsx"
    assert acme.runcard("export", "runs", "-o", str(path))["format"] == "xlsx"
    assert load_workbook(path).worksheets[0].max_row == 4
    assert "not a time zone" in said(acme, "export", "runs", "--time-zone", "Tokyo")


def test_a_pipe_gets_the_rows_and_nothing_else(acme: Installation) -> None:
    done = run_beside("export", "runs", "--data-dir", acme.data_dir)
    assert [row["serial_number"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["A", "B", "C"]
    done = run_beside("export", "measurements", "--format", "jsonl", "--data-dir", acme.data_dir)
    assert (done.code, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("options", "serial_numbers"),
    [
        (["--serial-number", "a", "--serial-number", "C"], ["A", "C"]),
        (["--part-number", "PCB01", "--outcome", "pass"], ["A", "B", "C"]),
        (["--outcome", "FAIL"], []),
        (["--started-after", "2026-01-03"], []),
        (["--started-before", "2026-01-02T03:04:05"], ["A", "B", "C"]),
        (["--started-before", "2026-01-02T03:04:05+0100"], []),
        (["--procedure", "FVT1"], ["A", "B", "C"]),
    ],
    ids=["serials", "part", "outcome", "after", "before", "zone", "procedure"],
)
def test_only_what_is_asked_for(acme: Installation, options: list[str], serial_numbers: list[str]) -> None:
    lines = invoked(acme, "export", "runs", "--format", "jsonl", *options).stdout.splitlines()
    assert [json.loads(line)["serial_number"] for line in lines] == serial_numbers


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["runs", "--phase", "p"], "are for measurements. Leave them out for runs"),
        (["runs", "--outcome", "GOOD"], "GOOD is no outcome of a run"),
        (["runs", "--procedure", "FVT99"], "FVT99"),
        (["runs", "--station", "Nowhere"], "Station not found: Nowhere"),
        (["units"], "units"),
    ],
    ids=["phase", "outcome", "procedure", "station", "what"],
)
def test_wrong_options_write_nothing(
    acme: Installation, tmp_path: Path, options: list[str], told: str
) -> None:
    assert told in said(acme, "export", *options, "-o", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
