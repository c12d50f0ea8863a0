"""The bench of pages runs, and times the pages that there are; how fast anything is stays out of the test run."""

from bench import web
from tests.bench.benches import told_by
from tests.browser.chromium import find_chromium
from tests.browser.site import ROUTES


def test_each_kind_of_page_is_timed_once_and_the_first_in_a_browser():
    lines = told_by(web, "--runs", "50", "--repeat", "1")

    pages = [line for line in lines if "p50_ms" in line]
    kinds = [line["page"] for line in pages]
    assert {"/", "/runs", "/runs/{run_id}"} <= set(kinds)
    assert {kind.partition("?")[0] for kind in kinds} <= {route.path for route in ROUTES}
    assert len(kinds) == len(set(kinds))
    assert all(line["runs"] >= 50 and line["p50_ms"] > 0 and line["size_bytes"] > 0 for line in pages)
    views = [line for line in lines if "drawn_ms" in line]
    assert len(views) == (0 if find_chromium() is None else 1)
    assert all(line["first_paint_ms"] > 0 and line["drawn_ms"] > 0 for line in views)
