"""The bench of fair shares runs, and counts what it says."""

import json
import subprocess
import sys
from pathlib import Path

FAIR_SHARE = Path(__file__).parents[2] / "bench" / "fair_share.py"


def test_stations_are_measured_beside_those_who_read():
    done = subprocess.run(
        [
            sys.executable,
            FAIR_SHARE,
            "--json",
            *("--runs", "50", "--seconds", "0.5", "--connections", "4", "--only", "s", "--memory-mb", "512"),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["case"] for line in lines] == ["questions", "lists", "exports"]
    for line in lines:
        assert line["alone_runs_per_s"] > 0
        assert line["runs_per_s"] > 0
        assert line["failed"] == 0
        assert line["peak_mib"] > 50
