"""The bench of lists runs, and asks for the pages that there are; how fast anything is stays out of the test run."""

import json
import subprocess
import sys
from pathlib import Path

API = Path(__file__).parents[2] / "bench" / "api.py"


def test_a_list_is_timed_by_page_over_http_and_past_it():
    done = subprocess.run(
        [sys.executable, str(API), "--json", "--runs", "50", "--repeat", "1", "--only", "part-list by n"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["operation"], line["page"]) for line in lines] == [
        (f"part-list by {order}", page) for order in ("name", "number") for page in (1, 100)
    ]
    assert all(line["runs"] >= 50 and line["p50_ms"] > 0 and line["sql_ms"] > 0 for line in lines)
