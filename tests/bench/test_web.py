"""The bench of pages runs, and times the pages that there are; how fast anything is stays out of the test run."""

import json
import subprocess
import sys
from pathlib import Path

from tests.browser.chromium import find_chromium
from tests.browser.site import ROUTES

WEB = Path(__file__).parents[2] / "bench" / "web.py"


def test_each_kind_of_page_is_timed_once_and_the_first_in_a_browser():
    done = subprocess.run(
        [sys.executable, str(WEB), "--json", "--runs", "50", "--repeat", "1"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    pages = [line for line in lines if "p50_ms" in line]
    kinds = [line["page"] for line in pages]
    assert {"/", "/runs", "/runs/{run_id}"} <= set(kinds)
    assert {kind.partition("?")[0] for kind in kinds} <= {route.path for route in ROUTES}
    assert len(kinds) == len(set(kinds))
    assert all(line["runs"] >= 50 and line["p50_ms"] > 0 and line["size_bytes"] > 0 for line in pages)
    views = [line for line in lines if "drawn_ms" in line]
    assert len(views) == (0 if find_chromium() is None else 1)
    assert all(line["first_paint_ms"] > 0 and line["drawn_ms"] > 0 for line in views)
