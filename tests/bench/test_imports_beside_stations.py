"""The bench of imports beside stations runs, and its files come to the end that they must; how long anything takes
stays out of the test run.
"""

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "imports_beside_stations.py"


def test_each_file_is_imported_while_stations_report():
    files = ["attributes_80000", "shared_texts", "commas", "runs_50000"]
    brief = ["--seconds", "1", "--size", "300", "--files", ",".join(files)]
    done = subprocess.run(
        [sys.executable, str(BENCH), "--json", *brief],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == files
    assert all(line["imports"] > 0 and line["p99_ms"] > 0 and line["idle_p99_ms"] > 0 for line in lines)
