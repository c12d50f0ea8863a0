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
# The most histograms in one answer.
MAX_HISTOGRAMS = 100
# Of more values than this, those of one run in N are counted, about a tenth of this many: a glance sees no difference.
MAX_COUNTED = 1_000_000
_PART_COUNTED = 0.1
_SIGMAS = 4
# Limits farther away than this many half-widths of the values are not shown: they would press the values into one bin.
_FARTHEST = 3


class SmallHistogram(NamedTuple):
    """low, high: where the first bin begins and the last one ends. These two bins also count the values beyond.

    counts: of each of the BINS bins; all 0 if values are too large to be told apart.
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
    """A histogram for each row, at most MAX_HISTOGRAMS. rows: what `capabilities` found in the same runs.

    Attempts of a phase that were repeated in the same run do not count. Raises as `Snapshot.asking` does.
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
        SmallHistogram(low, high, of_row)
        for (low, high), of_row in zip(reaches, counts.tolist(), strict=True)
    ]


def _reach(row: SummaryRow) -> tuple[float, float]:
    """The part of the axis to show: the values, and the limits if they are near."""
    mean, half = row.mean or 0.0, _SIGMAS * (row.sigma_overall or 0.0)
    limits = row.spec.limits.bounds
    half = half or max((abs(limit - mean) for limit in limits), default=0.0) or abs(mean) / 2 or 1.0
    near = [limit for limit in limits if abs(limit - mean) <= _FARTHEST * half]
    low, high = min([mean - half, *near]), max([mean + half, *near])
    margin = (high - low) / BINS
    return low - margin, high + margin


def _numbers(asking: Asking, procedure_id: UUID, specs: Sequence[Specified]) -> Sequence[tuple[int, int]]:
    """The number of each of these specifications in the copy, with its place among them."""
    conditions = asking.snapshot.of_procedures([procedure_id], "procedure")
    conditions.one_of("name", {spec.name for spec in specs})
    places = {spec: place for place, spec in enumerate(specs)}
    rows = asking.rows(
        f"SELECT spec, {', '.join(Specified.__struct_fields__)} FROM specs WHERE {conditions.sql}",
        conditions.values,
    )
    return [(number, places[spec]) for number, *columns in rows if (spec := Specified(*columns)) in places]


def _count(asking: Asking, windows: dict[int, _Window], step: int, counts: npt.NDArray[np.int64]) -> None:
    """Add the number of values in each bin to the counts."""
    values = Conditions()
    values.one_of("x.spec", list(windows), "INTEGER")
    values.add("x.num IS NOT NULL AND x.is_final")
    if step > 1:
        values.add(f"hash(x.run) % {step} = 0")
    values = values.and_of(asking.runs)
    usable = {
        spec: window
        for spec, window in windows.items()
        if np.isfinite(window.low) and 0 < window.width < np.inf
    }
    if not usable:
        return
    listed = ", ".join(["(?::INTEGER, ?::INTEGER, ?::DOUBLE, ?::DOUBLE)"] * len(usable))
    found = asking.rows(
        f"SELECT v.place, greatest(0, least({BINS - 1}, floor((x.num - v.low) / v.width)))::INTEGER AS bin, "
        f"count(*) FROM measurements x JOIN runs r USING (run) JOIN (VALUES {listed}) v(spec, place, low, width) "
        f"ON v.spec = x.spec WHERE {values.sql} GROUP BY v.place, bin",
        [value for spec, window in usable.items() for value in (spec, *window)] + values.values,
    )
    for place, bin_number, count in found:
        counts[place, bin_number] += count
