"""The bench of fair shares runs, and counts what it says."""

import json
import subprocess
import sys
from pathlib import Path

FAIR_SHARE = Path(__file__).parents[2] / "bench" / "fair_share.py"
KEYS = {
    "case",
    "alone_runs_per_s",
    "runs_per_s",
    "kept_ratio",
    "alone_p99_ms",
    "p99_ms",
    "failed",
    "reads",
    "refused",
    "peak_mib",
}


def test_stations_are_measured_beside_those_who_read():
    done = subprocess.run(
        [
            sys.executable,
            FAIR_SHARE,
            "--json",
            *(
                "--runs",
                "50",
                "--seconds",
                "0.5",
                "--connections",
                "4",
                "--only",
                "lists",
                "--memory-mb",
                "512",
            ),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    [line] = (json.loads(line) for line in done.stdout.splitlines())
    assert set(line) == KEYS
    assert (line["case"], line["failed"]) == ("lists", 0)
    assert line["alone_runs_per_s"] > 0
    assert line["peak_mib"] > 50
