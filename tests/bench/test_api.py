"""The bench of lists runs, and asks for the pages that there are; how fast anything is stays out of the test run."""

from bench import api
from tests.bench.benches import told_by


def test_a_list_is_timed_by_page_over_http_and_past_it():
    lines = told_by(api, "--runs", "50", "--repeat", "1", "--limit", "2", "--only", "part-list by n")

    assert [(line["operation"], line["page"]) for line in lines] == [
        (f"part-list by {order}", page) for order in ("name", "number") for page in (1, 100)
    ]
    assert all(line["runs"] >= 50 and line["p50_ms"] > 0 and line["sql_ms"] > 0 for line in lines)
