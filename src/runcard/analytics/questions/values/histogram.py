"""Histogram: how the values of a measurement are distributed, all together and by group."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from runcard.analytics.conditions import Conditions
from runcard.analytics.groups import ALL, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, Reason, count_left_out, left_out_of
from runcard.analytics.measured import MeasurementSelection, SpecRow, find_specs, on_values, survey_of
from runcard.analytics.quantity import Quantity, latest_quantity
from runcard.analytics.questions.values.distributions import (
    MAX_BINS,
    CurvePoint,
    Distribution,
    Floats,
    curve_of,
    distribution_of,
    edges_of,
)
from runcard.analytics.questions.values.text_bars import TextBars, text_bars
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.specified import Specified, specified

# At most this many numbers are held in memory at once.
MAX_NUMBERS = 4_000_000

_DEFINITION = (
    "n: finite numbers in the phase of the latest one, in its unit of measure or in one that converts to it, and the "
    "texts and booleans of this phase; left_out counts the others. Bins have equal width, and groups share them; their "
    f"number is that of the query, or by the rule of Freedman and Diaconis, at most {MAX_BINS}. "
    "curve: the normal distribution with mean and s of all numbers, as counts of a bin. "
)
_SAMPLED = (
    f"The numbers are a sample: all those of one run in {{step}}, because there are more than {MAX_NUMBERS}."
)


_NUMBERS = Conditions.of("x.num IS NOT NULL")


class LimitsOfValues(Struct, frozen=True):
    """The specification of `n` of the numbers."""

    spec: Specified
    n: int


class HistogramAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """edges: of the bins, one more than there are bins; empty without numbers, or if their range exceeds a double.

    total: all numbers. rows: by group; empty without a grouping. curve: 101 points; empty if the numbers do not vary.
    limits: of the numbers, in the order of `find_specs`.
    """

    phase: str | None
    sequence_path: str | None
    uom: str | None
    edges: Sequence[float]
    total: Distribution
    rows: Sequence[Distribution]
    curve: Sequence[CurvePoint]
    limits: Sequence[LimitsOfValues]
    texts: TextBars


class _Numbers(NamedTuple):
    """by_group: sorted. n_by_spec: counts by number of the spec. step: they come from one run in `step`.

    has_others: see `Survey`.
    """

    by_group: Mapping[Any, Floats]
    n_by_spec: Mapping[int, int]
    step: int
    has_others: bool


def histogram(
    snapshot: Snapshot,
    selection: Selection,
    measured: MeasurementSelection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
    bins: int | None = None,
) -> HistogramAnswer:
    """The histogram of a measurement. bins: 1 to MAX_BINS; None: as many as suit. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(measured.among(selection))
    finals = measured.only_final
    quantity = latest_quantity(asking, find_specs(asking, measured), measured.uom, only_final=finals)
    grouping = Grouping(asking, group_by, zone)
    is_grouped = group_by is not None
    numbers = _numbers(asking, quantity, grouping, only_final=finals)
    texts = _texts(asking, quantity, grouping, is_grouped=is_grouped, only_final=finals)
    every = np.sort(np.concatenate([np.array([], np.float64), *numbers.by_group.values()]))
    # A figure that is too large for a double becomes infinite, and then None.
    with np.errstate(all="ignore"):
        edges = edges_of(every, bins)
        total = distribution_of(ALL, every, edges)
        groups = grouping.named(numbers.by_group) if is_grouped else {}
        rows = [distribution_of(group, numbers.by_group[key], edges) for key, group in groups.items()]
        curve = curve_of(total, edges)
    is_exact = numbers.step == 1
    return HistogramAnswer(
        n=total.n + texts.total.n,
        definition=_DEFINITION + ("" if is_exact else _SAMPLED.format(step=numbers.step)),
        window=asking.window,
        is_exact=is_exact,
        freshness=asking.freshness,
        left_out=left_out_of(_left_out(asking, quantity, only_final=finals, has_others=numbers.has_others)),
        phase=quantity.phase,
        sequence_path=quantity.sequence_path,
        uom=quantity.uom,
        edges=edges.tolist(),
        total=total,
        rows=rows,
        curve=curve,
        limits=_limits(quantity, numbers.n_by_spec),
        texts=texts,
    )


def _numbers(asking: Asking, quantity: Quantity, grouping: Grouping, *, only_final: bool) -> _Numbers:
    numbers = on_values(asking, quantity.specs, only_final=only_final).and_of(_NUMBERS)
    step, has_others = survey_of(asking, quantity.specs, numbers, MAX_NUMBERS)
    if step > 1:
        numbers.add(f"hash(x.run) % {step} = 0")
    found = asking.arrays(
        f"SELECT {grouping.sql} AS g, x.spec AS spec, list({quantity.number}) AS numbers "
        f"FROM measurements x JOIN runs r USING (run) WHERE {numbers.sql} GROUP BY g, x.spec",
        numbers.values,
    )
    by_group: dict[Any, list[Floats]] = defaultdict(list)
    n_by_spec: Counter[int] = Counter()
    keys, spec_numbers = found["g"].tolist(), found["spec"].tolist()
    for key, spec, values in zip(keys, spec_numbers, found["numbers"], strict=True):
        by_group[key].append(values)
        n_by_spec[spec] += len(values)
    ordered = {key: np.sort(np.concatenate(arrays)) for key, arrays in by_group.items()}
    return _Numbers(ordered, n_by_spec, step, has_others)


def _texts(
    asking: Asking, quantity: Quantity, grouping: Grouping, *, is_grouped: bool, only_final: bool
) -> TextBars:
    """The texts in the phase of the numbers, whatever the unit of measure: a text has none."""
    specs = _of_phase(quantity)
    values = on_values(asking, specs, only_final=only_final)
    return text_bars(asking, specs, values, grouping, is_grouped=is_grouped)


def _of_phase(quantity: Quantity) -> Sequence[SpecRow]:
    return [
        spec
        for spec in quantity.every
        if (spec.phase, spec.sequence_path) == (quantity.phase, quantity.sequence_path)
    ]


def _left_out(asking: Asking, quantity: Quantity, *, only_final: bool, has_others: bool) -> Counter[Reason]:
    """The values left out. Texts and booleans are not among them: they are shown as bars."""
    counts = count_left_out(asking, quantity, only_final=only_final, has_others=has_others)
    for shown in ("text", "boolean"):
        counts.pop(shown, None)
    return counts


def _limits(quantity: Quantity, n_by_spec: Mapping[int, int]) -> Sequence[LimitsOfValues]:
    """The limits of the numbers. Limits in several units of measure may be the same ones once they are converted."""
    counts = Counter[Specified]()
    for spec in quantity.specs:
        if spec.spec in n_by_spec:
            counts[specified(spec)] += n_by_spec[spec.spec]
    return [LimitsOfValues(of_spec, n) for of_spec, n in counts.items()]
