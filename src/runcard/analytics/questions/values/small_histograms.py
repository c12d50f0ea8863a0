"""Small histograms of many measurements at once: where their values lie between their limits."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.questions.values.capabilities import SummaryRow
from runcard.analytics.questions.values.capability import USUAL_ATTEMPTS
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.specified import Specified

BINS = 24
# So many can be asked for at once.
MAX_HISTOGRAMS = 100
# Of more values, those of one run in so many are counted, about a tenth as many: a glance sees no difference.
MAX_COUNTED = 1_000_000
_PART_COUNTED = 0.1
_SIGMAS = 4
# Limits that are farther away than so many widths of the values would press these into one bin.
_FARTHEST = 3


class SmallHistogram(NamedTuple):
    """low, high: where the first bin begins and the last one ends; these also hold what lies beyond.

    counts: of each of the BINS bins, all 0 where values are too large to be told apart.
    """

    low: float
    high: float
    counts: Sequence[int]


class _Window(NamedTuple):
    place: int
    low: float
    width: float


def small_histograms(
    snapshot: Snapshot,
    selection: Selection,
    procedure_id: UUID,
    rows: Sequence[SummaryRow],
    most_counted: int = MAX_COUNTED,
) -> Sequence[SmallHistogram]:
    """One for each of at most MAX_HISTOGRAMS measurements that `capabilities` found in the same runs.

    Values of attempts of phases that were repeated in the same run do not count. Raises as `asking` does.
    """
    rows = rows[:MAX_HISTOGRAMS]
    selection = selection._replace(runs=replace(selection.runs, procedure_ids=[procedure_id]))
    reaches = [_reach(row) for row in rows]
    counts = np.zeros((len(rows), BINS), np.int64)
    asking = snapshot.asking(selection, USUAL_ATTEMPTS)
    windows = {
        spec: _Window(place, low, (high - low) / BINS)
        for spec, place in _numbers(asking, procedure_id, [row.spec for row in rows])
        for low, high in [reaches[place]]
    }
    n = sum(row.n for row in rows)
    step = 1 if n <= most_counted else math.ceil(n / most_counted / _PART_COUNTED)
    if windows:
        _count(asking, windows, step, counts)
    return [
        SmallHistogram(low, high, some) for (low, high), some in zip(reaches, counts.tolist(), strict=True)
    ]


def _reach(row: SummaryRow) -> tuple[float, float]:
    """What is shown of the axis: the values, and the limits where these are near."""
    mean, half = row.mean or 0.0, _SIGMAS * (row.sigma_overall or 0.0)
    limits = row.spec.limits.bounds
    half = half or max((abs(one - mean) for one in limits), default=0.0) or abs(mean) / 2 or 1.0
    near = [one for one in limits if abs(one - mean) <= _FARTHEST * half]
    low, high = min([mean - half, *near]), max([mean + half, *near])
    margin = (high - low) / BINS
    return low - margin, high + margin


def _numbers(asking: Asking, procedure_id: UUID, wanted: Sequence[Specified]) -> Sequence[tuple[int, int]]:
    """The number of each specification in the copy, with its place."""
    conditions = asking.snapshot.of_procedures([procedure_id], "procedure")
    conditions.one_of("name", {one.name for one in wanted})
    places = {one: place for place, one in enumerate(wanted)}
    rows = asking.rows(
        f"SELECT spec, {', '.join(Specified.__struct_fields__)} FROM specs WHERE {conditions.sql}",
        conditions.values,
    )
    return [(spec, places[one]) for spec, *said in rows if (one := Specified(*said)) in places]


def _count(asking: Asking, windows: dict[int, _Window], step: int, counts: npt.NDArray[np.int64]) -> None:
    """Add up the values of each bin."""
    values = Conditions()
    values.one_of("x.spec", list(windows), "INTEGER")
    values.add("x.num IS NOT NULL AND x.is_final")
    if step > 1:
        values.add(f"hash(x.run) % {step} = 0")
    values = values.and_of(asking.runs)
    usable = {spec: one for spec, one in windows.items() if np.isfinite(one.low) and 0 < one.width < np.inf}
    if not usable:
        return
    listed = ", ".join(["(?::INTEGER, ?::INTEGER, ?::DOUBLE, ?::DOUBLE)"] * len(usable))
    found = asking.rows(
        f"SELECT v.place, greatest(0, least({BINS - 1}, floor((x.num - v.low) / v.width)))::INTEGER AS bin, "
        f"count(*) FROM measurements x JOIN runs r USING (run) JOIN (VALUES {listed}) v(spec, place, low, width) "
        f"ON v.spec = x.spec WHERE {values.sql} GROUP BY v.place, bin",
        [value for spec, one in usable.items() for value in (spec, *one)] + values.values,
    )
    for place, bin_number, count in found:
        counts[place, bin_number] += count
