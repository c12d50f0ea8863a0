"""The bench of importers runs, and counts what it says; how fast anything is stays out of the test run."""

import json
import subprocess
import sys
from pathlib import Path

IMPORTERS = Path(__file__).parents[2] / "bench" / "importers.py"
BRIEF = ["--repeat", "1", "--runs", "1"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(IMPORTERS), *BRIEF, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_part_is_a_run_in_each_case():
    done = bench("--json", "--big", "--big-bytes", "5000000", "--formats", "STDF,OPENHTF")

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["case"], line["format"], line["runs"]) for line in lines] == [
        ("parse", "STDF", 1569),
        ("store", "STDF", 1569),
        ("store", "OPENHTF", 1),
        ("parse_big", "STDF", 2 * 1569),
        ("import_big", "STDF", 2 * 1569),
    ]
    assert all(line["runs_per_s"] > 0 and line["mb_per_s"] > 0 for line in lines)
    assert lines[0]["ratio_to_pystdf"] > 0
    assert all(0 < line["peak_mb"] < 1000 for line in lines[1:])


def test_without_json_a_table_is_printed():
    done = bench("--formats", "OPENHTF")

    assert done.returncode == 0, done.stderr
    assert "runs/s" in done.stdout
    assert "OPENHTF" in done.stdout


def test_what_cannot_be_measured_is_named():
    done = bench("--formats", "STDF,WORD")

    assert done.returncode == 2
    assert "WORD" in done.stderr
