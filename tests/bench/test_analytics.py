"""The bench of questions runs and asks what there is; how fast anything is stays out of the test run."""

import json
import subprocess
import sys
from pathlib import Path

ANALYTICS = Path(__file__).parents[2] / "bench" / "analytics.py"


def test_every_question_is_timed_beside_rows():
    done = subprocess.run(
        [sys.executable, str(ANALYTICS), "--json", "--runs", "2000", "--repeat", "1", "--postgresql"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    *lines, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({line["question"] for line in lines}) == 16
    assert all(line["n"] > 0 and line["bare_ms"] > 0 and line["postgresql_ms"] > 0 for line in lines)
    assert (summary["runs"], summary["measurements"]) == (2000, 100_000)
    assert summary["bytes_per_measurement"] > 0
    assert summary["visible_p50_s"] > 0
