"""Rolled throughput yield, against the record as dataframes; its interval, against published and exact ones."""

from math import exp, fsum, prod, sqrt
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from runcard.analytics.questions.yields import rolled_yield as module
from runcard.analytics.questions.yields.rolled_yield import (
    Estimate,
    RolledYieldRow,
    interval_of_product,
    interval_of_sum,
    rolled_yield,
)
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import every_filter, selection
from tests.analytics.truth import selected_runs

_Z = 1.959964
shares = st.integers(1, 3000).flatmap(
    lambda n: st.builds(ratio_of, st.integers(1, n) | st.just(n), st.just(n))
)


@every_filter
def test_yields_are_those_of_the_record(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    answer = rolled_yield(line.snapshot, wanted)
    first = selected_runs(line.frames, wanted._replace(attempts="first"))
    expected = {name: _expected(some) for name, some in first.groupby("part")}
    assert {row.part.name: _told(row) for row in answer.parts} == expected
    assert [row.part.name for row in answer.parts] == sorted(expected)
    assert (answer.n, answer.parts_count) == (len(first), len(expected))


def test_a_part_is_rolled_over_all_its_procedures(line: Line):
    everything = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))
    names = line.frames.runs.groupby("part")["procedure"].unique().map(sorted)
    answer = rolled_yield(line.snapshot, everything)
    assert {row.part.name: [one.procedure.name for one in row.procedures] for row in answer.parts} == dict(
        names
    )


def test_parts_with_the_most_units_stand_for_too_many(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_PARTS", 1)
    answer = rolled_yield(line.snapshot, Selection(RunFilter()))
    counts = selected_runs(line.frames, Selection(RunFilter(), "first"))["part"].value_counts()
    assert [row.part.name for row in answer.parts] == [counts.idxmax()]
    assert answer.parts_count == len(counts) > 1
    assert answer.n == counts.sum()


def test_another_organization_sees_nothing(line: Line):
    answer = rolled_yield(
        Snapshot(line.copy, Scope(line.connection, line.frames.runs["id"].iloc[0])), Selection(RunFilter())
    )
    assert (answer.n, answer.parts_count, answer.parts) == (0, 0, [])


def test_interval_of_a_difference_is_the_published_one():
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10: 56/70 - 48/80."""
    first, second = _estimate(ratio_of(56, 70)), _estimate(ratio_of(48, 80))
    less = Estimate(-second.value, -second.high, -second.low)
    assert interval_of_sum([first, less]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(shares)
def test_interval_of_one_procedure_is_that_of_its_yield(share: Ratio):
    assert interval_of_product([share]) == pytest.approx((share.low, share.high))


@given(st.lists(shares, min_size=1, max_size=6))
def test_interval_holds_the_product(several: list[Ratio]):
    interval = interval_of_product(several)
    assert interval is not None
    low, high = interval
    product = prod(one.count / one.n for one in several)
    assert 0 < low <= product * (1 + 1e-12)
    assert product <= high * (1 + 1e-12)
    assert high <= 1 + 1e-12


def test_interval_of_many_units_is_that_of_the_delta_method():
    counts = [(970_000, 1_000_000), (450_000, 500_000), (720_000, 800_000)]
    half = _Z * sqrt(fsum((1 - x / n) / x for x, n in counts))
    product = prod(x / n for x, n in counts)
    found = interval_of_product([ratio_of(*pair) for pair in counts])
    assert found == pytest.approx((product * exp(-half), product * exp(half)), rel=1e-5)


@pytest.mark.parametrize(
    ("p", "q"), [(0.9, 0.95), (0.97, 0.8), (0.6, 0.7)], ids=["high", "high and low", "low"]
)
def test_interval_covers_the_truth_as_often_as_it_says(p: float, q: float):
    """Over all outcomes of 40 and 30 units, weighed by their exact chances."""
    first, second = binom.pmf(range(41), 40, p), binom.pmf(range(31), 30, q)
    covered = 0.0
    for x in range(1, 41):
        for y in range(1, 31):
            low, high = interval_of_product([ratio_of(x, 40), ratio_of(y, 30)]) or (0.0, 0.0)
            covered += first[x] * second[y] * (low <= p * q <= high)
    assert covered == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("count", [0, 1], ids=["nothing passed", "of nothing"])
def test_where_a_yield_has_no_logarithm_there_is_no_interval(count: int):
    assert interval_of_product([ratio_of(5, 5), ratio_of(0, 0 if count else 4)]) is None


def _estimate(share: Ratio) -> Estimate:
    assert share.ratio is not None
    assert share.low is not None
    assert share.high is not None
    return Estimate(share.ratio, share.low, share.high)


def _told(row: RolledYieldRow) -> tuple[Any, ...]:
    yields = {one.procedure.name: (one.first_pass.count, one.first_pass.n) for one in row.procedures}
    interval = None if row.low is None else (row.low, row.high)
    return pytest.approx(row.rolled_yield), interval, yields


def _expected(first: pd.DataFrame) -> tuple[Any, ...]:
    yields = {
        str(name): (int((some["outcome"] == "PASS").sum()), len(some))
        for name, some in first.groupby("procedure")
    }
    interval = interval_of_product([ratio_of(*pair) for pair in yields.values()])
    return (
        prod(passed / units for passed, units in yields.values()),
        None if interval is None else pytest.approx(interval),
        yields,
    )
