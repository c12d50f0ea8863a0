"""The bench of questions runs and asks what there is; how fast anything is stays out of the test run."""

import pytest

from bench import analytics
from bench.figures import difference
from tests.bench.benches import told_by


# The bench copies rows once, by Arrow; in what memory is not what it measures.
@pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")
def test_every_question_is_timed_beside_rows_that_say_the_same():
    *lines, summary = told_by(analytics, "--runs", "2000", "--repeat", "1", "--postgresql")

    assert len({line["question"] for line in lines}) == 16
    # Only of exact answers it is checked that rows say the same.
    assert all(line["is_exact"] and line["n"] > 0 for line in lines)
    assert all(line["bare_ms"] > 0 and line["postgresql_ms"] > 0 for line in lines)
    assert sum(line["postgresql_with_our_columns_ms"] is not None for line in lines) == 5
    assert (summary["runs"], summary["measurements"]) == (2000, 100_000)
    assert summary["bytes_per_measurement"] > 0
    assert summary["visible_p50_s"] > 0


@pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")
def test_clickhouse_answers_every_question_with_the_same_figures():
    *lines, summary = told_by(analytics, "--runs", "2000", "--repeat", "1", "--engine", "clickhouse")
    assert len(lines) == 16
    assert all(line["clickhouse_ms"] > 0 for line in lines)
    assert summary["clickhouse_sum_ms"] > 0


def test_every_question_is_asked_while_runs_arrive():
    *lines, summary = told_by(analytics, "--runs", "2000", "--arriving", "20", "--seconds", "1")

    assert len({line["question"] for line in lines}) == 16
    assert all(line["answers"] > 0 and 0 < line["p50_ms"] <= line["p95_ms"] for line in lines)
    assert summary["asked_per_s"] == 20
    # Of 20 that were due, those that a slow machine did not get to are missing.
    assert 0 < summary["arrived"] <= 20
    assert 0 < summary["visible_p50_s"] <= summary["visible_p95_s"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([(1, 2.0, "a", None)], [[1, 2.0 + 1e-12, "a", None]]),
        ([(0.0, [1, 2])], [(1e-15, [1.0, 2])]),
    ],
)
def test_rows_that_say_the_same_do_not_differ(ours: object, theirs: object):
    assert difference(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "where"),
    [
        ([(1, 2.0)], [(1, 2.0 + 1e-8)], "[0][1]"),
        ([(1, 2.0)], [(2, 2.0)], "[0][0]"),
        ([("a", [(1.0, None)])], [("a", [(1.0, 0.0)])], "[0][1][0][1]"),
        ([(1,), (2,)], [(1,)], ""),
        ([("PASS",)], [("FAIL",)], "[0][0]"),
    ],
)
def test_where_rows_differ_is_told(ours: object, theirs: object, where: str):
    found = difference(ours, theirs)
    assert found is not None
    assert found.startswith(f"{where} ")
