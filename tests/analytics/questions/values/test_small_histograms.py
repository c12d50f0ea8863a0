"""Small histograms of many measurements, against the values that they are made of."""

from pathlib import Path

import numpy as np
import pytest

from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.small_histograms import BINS, SmallHistogram, small_histograms
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.limit import Limits
from runcard.domain.runs.measurement import Measurement
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import every_filter, selection
from tests.analytics.truth import selected_runs
from tests.analytics.written import Writing, Written, run_of


@every_filter
def test_counts_are_those_of_the_values(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    procedure_id = line.frames.runs["procedure_id"].iloc[0]
    rows = capabilities(line.snapshot, wanted, procedure_id, limit=30).rows
    found = small_histograms(line.snapshot, wanted, procedure_id, rows)
    assert len(found) == len(rows)
    runs = selected_runs(line.frames, wanted)
    runs = runs[runs["procedure_id"] == procedure_id]
    inside = line.frames.measurements.query("is_final").dropna(subset=["num"])
    inside = inside[inside["run"].isin(runs["id"])].astype({"uom": object}).fillna({"uom": ""})
    for row, one in zip(rows, found, strict=True):
        spec = row.spec
        values = inside[(inside["phase"] == spec.phase) & (inside["name"] == spec.name)]
        values = values[(values["uom"] == (spec.uom or ""))]
        for side, limit in (("lower", spec.lower), ("upper", spec.upper)):
            values = values[values[side].isna() if limit is None else values[side] == limit]
        assert sum(one.counts) == row.n == len(values)
        width = (one.high - one.low) / BINS
        bins = np.clip(np.floor((values["num"] - one.low) / width), 0, BINS - 1).astype(int)
        assert np.bincount(bins, minlength=BINS).tolist() == one.counts


def _ask(floor: Written, *, most: int = 1000) -> list[SmallHistogram]:
    asked = floor.snapshot, Selection(RunFilter()), floor.procedure_id
    return list(small_histograms(*asked, capabilities(*asked).rows, most))


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ([1.0, 1.0], Limits(None, None)),
        ([0.0], Limits(-1.0, 1.0)),
        ([1e300, -1e300], Limits(None, None)),
        ([5e-324, 0.0], Limits(None, None)),
        ([1.0, 2.0], Limits(3.0, 0.0)),
    ],
    ids=["equal", "one", "huge", "tiny", "excluding"],
)
def test_any_values_make_bins_or_none(tmp_path: Path, values: list[float], limits: Limits, written: Writing):
    runs = [
        run_of(n, Measurement("m", "PASS", value, lower_limit=limits.lower, upper_limit=limits.upper))
        for n, value in enumerate(values)
    ]
    with written(tmp_path, runs) as floor:
        [found] = _ask(floor)
    assert sum(found.counts) in (0, len(values))


def test_of_many_values_some_are_counted(tmp_path: Path, written: Writing):
    runs = [run_of(n, Measurement("m", "PASS", float(n % 7))) for n in range(60)]
    with written(tmp_path, runs) as floor:
        [every] = _ask(floor)
        [some] = _ask(floor, most=30)
    assert sum(every.counts) == 60
    assert 0 < sum(some.counts) < 60


def test_another_organization_sees_nothing(line: Line):
    elsewhere, procedure_id = line.frames.runs["id"].iloc[0], line.frames.runs["procedure_id"].iloc[0]
    rows = capabilities(line.snapshot, Selection(RunFilter()), procedure_id).rows[:3]
    found = small_histograms(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), Selection(RunFilter()), procedure_id, rows
    )
    assert [sum(one.counts) for one in found] == [0, 0, 0]
