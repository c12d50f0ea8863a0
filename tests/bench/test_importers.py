"""The bench of importers runs, and counts what it says; how fast anything is stays out of the test run."""

import json
import subprocess
import sys
from pathlib import Path

from bench import importers
from bench.importers import SAMPLES, write_big
from runcard.importers.stdf.binary import parse
from tests.bench.benches import run_bench

IMPORTERS = Path(__file__).parents[2] / "bench" / "importers.py"
BRIEF = ["--repeat", "1", "--runs", "1"]
PARTS = 1569


def test_every_part_is_a_run_in_each_case():
    # A process that this one starts has had at least as much memory as this one has, as far as the system counts.
    done = subprocess.run(
        [sys.executable, IMPORTERS, *BRIEF, "--json", "--big", "--big-bytes", "1", "--formats", "STDF"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["case"] for line in lines] == ["parse", "store", "parse_big", "import_big"]
    assert all((line["format"], line["runs"]) == ("STDF", PARTS) for line in lines)
    assert all(line["runs_per_s"] > 0 and line["mb_per_s"] > 0 for line in lines)
    assert lines[0]["ratio_to_pystdf"] > 0
    assert all(0 < line["peak_mb"] < 1000 for line in lines[1:])


def units(path: Path) -> set[str]:
    with path.open("rb") as file:
        return {one.serial_number for one in parse(file)}


def test_each_wafer_of_a_big_file_has_units_of_its_own(tmp_path: Path):
    path = tmp_path / "big.stdf"

    assert write_big(path, 5_000_000) == 2 * PARTS
    assert len(units(path)) == 2 * len(units(SAMPLES["STDF"]))


def test_without_json_a_table_is_printed():
    done = run_bench(importers, *BRIEF, "--formats", "OPENHTF")

    assert done.exit_code == 0, done.stderr
    assert "runs/s" in done.stdout
    assert "OPENHTF" in done.stdout


def test_what_cannot_be_measured_is_named():
    done = run_bench(importers, *BRIEF, "--formats", "STDF,WORD")

    assert done.exit_code == 2
    assert "WORD" in done.stderr
