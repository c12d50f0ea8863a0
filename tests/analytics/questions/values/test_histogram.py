"""Histograms, against the record as dataframes."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values import histogram as question
from runcard.analytics.questions.values.distributions import Distribution
from runcard.analytics.questions.values.histogram import HistogramAnswer, histogram
from runcard.analytics.questions.values.text_bars import MAX_BARS, TextBars
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import group_names
from tests.analytics.values import measured, values_of

MODULE, FINAL = "Module functional test", "Final assembly test"
EVERYTHING = Selection(RunFilter())


def ask(
    line: Line,
    wanted: Selection,
    asked: MeasurementSelection,
    group_by: GroupBy | None = None,
    bins: int | None = None,
) -> HistogramAnswer:
    return histogram(line.snapshot, wanted, asked, ZoneInfo(ZONE), group_by, bins)


def numbers_of(line: Line, wanted: Selection, asked: MeasurementSelection) -> pd.DataFrame:
    found = values_of(line, wanted, asked)
    return found[found["num"].notna()]


@every_filter
@every_attempts
def test_distributions_are_those_of_the_record(line: Line, filter_name: str, attempts: Attempts):
    wanted = selection(line, filter_name, attempts)
    for name, only_final in (("contact_resistance", False), ("gain_1khz", True)):
        asked = measured(line, MODULE, name, only_final=only_final)
        answer = ask(line, wanted, asked)
        expected = numbers_of(line, wanted, asked)
        assert answer.n == answer.total.n == len(expected)
        assert answer.is_exact
        assert answer.rows == []
        assert answer.window.started_after == wanted.runs.started_after
        if len(expected):
            rule = "fd" if expected["num"].quantile(0.75) > expected["num"].quantile(0.25) else "sturges"
            edges = np.histogram_bin_edges(expected["num"], rule)
            assert answer.edges == edges.tolist()
            assert _told(answer.total) == _expected(expected["num"], answer.edges)
            assert len(answer.curve) == (101 if expected["num"].nunique() > 1 else 0)


@every_group
def test_groups_share_the_bins(line: Line, group_by: GroupBy):
    asked = measured(line, MODULE, "gain_1khz")
    answer = ask(line, EVERYTHING, asked, group_by, 12)
    values = numbers_of(line, EVERYTHING, asked)
    groups = values.groupby(_names(values, group_by))["num"]
    assert {row.group.name or "": _told(row) for row in answer.rows} == {
        name: _expected(some, answer.edges) for name, some in groups
    }
    assert len(answer.edges) == 13
    counts = np.sum([row.counts for row in answer.rows], axis=0)
    assert counts.tolist() == answer.total.counts


@every_filter
@pytest.mark.parametrize(
    ("procedure", "name"),
    [(FINAL, "firmware_version"), (FINAL, "serial_readback"), (MODULE, "fixture_closed")],
)
def test_texts_are_counted(line: Line, filter_name: str, procedure: str, name: str):
    wanted, asked = selection(line, filter_name), measured(line, procedure, name)
    answer = ask(line, wanted, asked, "station")
    values = _texts(values_of(line, wanted, asked))
    _check_bars(answer.texts, values, "station")
    assert (answer.n, answer.total.n) == (len(values), 0)
    assert (answer.edges, answer.curve, answer.limits) == ([], [], [])


@every_group
def test_texts_are_counted_by_group(line: Line, group_by: GroupBy):
    asked = measured(line, FINAL, "serial_readback")
    values = _texts(values_of(line, EVERYTHING, asked))
    assert values["text"].nunique() > MAX_BARS
    _check_bars(ask(line, EVERYTHING, asked, group_by).texts, values, group_by)
    assert ask(line, EVERYTHING, asked).texts.rows == []


def test_limits_are_told_with_how_many_they_judged(line: Line):
    asked = measured(line, MODULE, "gain_1khz")
    answer = ask(line, EVERYTHING, asked)
    values = numbers_of(line, EVERYTHING, asked)
    [limits] = answer.limits
    assert (limits.spec.phase, limits.n) == ("frequency_response", len(values))
    assert (limits.spec.lower, limits.spec.upper) == (values["lower"].iloc[0], values["upper"].iloc[0])
    assert limits.spec.uom == values["uom"].iloc[0]


def test_too_many_numbers_are_sampled_by_run(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(question, "MAX_NUMBERS", 120)
    asked = measured(line, MODULE, "gain_1khz")
    every = ask(line, EVERYTHING, asked, "station", 10)
    assert not every.is_exact
    assert 0 < every.n < len(numbers_of(line, EVERYTHING, asked))
    assert "sample" in every.definition
    assert every == ask(line, EVERYTHING, asked, "station", 10)
    assert sum(row.n for row in every.rows) == every.n == sum(one.n for one in every.limits)
    few = ask(line, selection(line, "a batch"), asked)
    assert few.is_exact
    assert few.n == len(numbers_of(line, selection(line, "a batch"), asked))


@pytest.mark.parametrize("name", ["calibration", "no such measurement"])
def test_nothing_to_count_is_an_empty_histogram(line: Line, name: str):
    answer = ask(line, EVERYTHING, measured(line, FINAL, name), "week")
    assert (answer.n, answer.edges, answer.rows, answer.texts.texts) == (0, [], [], [])
    assert answer.total.mean is None


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    for name in ("gain_1khz", "fixture_closed"):
        asked = measured(line, MODULE, name)
        answer = histogram(
            Snapshot(line.copy, Scope(line.connection, elsewhere)), EVERYTHING, asked, ZoneInfo("UTC")
        )
        assert (answer.n, answer.limits) == (0, [])


def _told(found: Distribution) -> dict[str, Any]:
    assert found.percentiles is not None
    assert found.box is not None
    shares = found.percentiles
    return {
        "n": found.n,
        "mean": pytest.approx(found.mean),
        "s": None if found.s is None else pytest.approx(found.s),
        "ends": (found.lowest, found.highest),
        "percentiles": [shares.p1, shares.p5, shares.p25, shares.p50, shares.p75, shares.p95, shares.p99],
        "outliers": found.box.outliers,
        "counts": list(found.counts),
    }


def _expected(numbers: "pd.Series[float]", edges: Any) -> dict[str, Any]:
    q1, q3 = numbers.quantile(0.25), numbers.quantile(0.75)
    within = numbers.between(q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1))
    return {
        "n": len(numbers),
        "mean": numbers.mean(),
        "s": numbers.std() if len(numbers) > 1 else None,
        "ends": (numbers.min(), numbers.max()),
        "percentiles": pytest.approx(numbers.quantile([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]).tolist()),
        "outliers": int((~within).sum()),
        "counts": np.histogram(numbers, edges)[0].tolist(),
    }


def _names(values: pd.DataFrame, group_by: GroupBy) -> "pd.Series[str]":
    by_run_start = values.drop(columns=["started_at"]).rename(columns={"run_started_at": "started_at"})
    return group_names(by_run_start, group_by, ZONE).fillna("")


def _texts(values: pd.DataFrame) -> pd.DataFrame:
    values = values[values["kind"].isin(["string", "boolean"])].copy()
    values["text"] = [str(one).lower() if isinstance(one, bool) else one for one in values["value"]]
    return values


def _check_bars(found: TextBars, values: pd.DataFrame, group_by: GroupBy) -> None:
    counts = Counter(values["text"])
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    assert list(zip(found.texts, found.total.counts, strict=True)) == ordered[:MAX_BARS]
    assert (found.distinct, found.total.n) == (len(counts), len(values))
    assert found.total.others == sum(count for _, count in ordered[MAX_BARS:])
    told = {row.group.name or "": (row.n, list(row.counts), row.others) for row in found.rows}
    expected = {}
    for name, some in values.groupby(_names(values, group_by))["text"] if len(values) else ():
        of_group = Counter(some)
        shown = [of_group[text] for text in found.texts]
        expected[name] = (len(some), shown, len(some) - sum(shown))
    assert told == expected
