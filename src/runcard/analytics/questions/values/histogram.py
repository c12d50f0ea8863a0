"""Histogram: how the values of a measurement are distributed, all together and by group."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from runcard.analytics.conditions import Conditions
from runcard.analytics.groups import ALL, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, Reason, count_left_out, told
from runcard.analytics.measured import MeasurementSelection, SpecRow, find_specs, look_at, on_values
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

# So many numbers are held in memory at once.
MAX_NUMBERS = 4_000_000

_DEFINITION = (
    "n: finite numbers in the phase of the latest one, in its unit of measure or in one that converts to it, and the "
    "texts and booleans of this phase; left_out counts the others. Bins "
    f"are of one width, as many as the rule of Freedman and Diaconis gives, at most {MAX_BINS}, or as were asked for; "
    "groups share them. curve: the normal distribution with mean and s of all numbers, as counts of a bin. "
)
_SAMPLED = (
    f"The numbers are a sample: all those of one run in {{step}}, because there are more than {MAX_NUMBERS}."
)


_NUMBERS = Conditions.of("x.num IS NOT NULL")


class LimitsOfValues(Struct, frozen=True):
    """How `n` of the numbers were specified."""

    spec: Specified
    n: int


class HistogramAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """edges: of the bins, one more than these; empty where there are no numbers, or their range exceeds a double.

    total: all numbers; rows: by group, empty where no grouping was asked for. curve: 101 points, or none where the
    numbers do not vary. limits: of the numbers, in the order of `find_specs`.
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
    """by_group: sorted. n_by_spec: how many by number of their spec. step: one run in how many they are of.

    has_others: see `Looked`.
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
    """How values are distributed, in `bins` bins (1 to MAX_BINS) or as many as suit. Raises as `asking` does."""
    asking = snapshot.asking(measured.among(selection))
    finals = measured.only_final
    quantity = latest_quantity(asking, find_specs(asking, measured), measured.uom, only_final=finals)
    grouping = Grouping(asking, group_by, zone)
    is_grouped = group_by is not None
    numbers = _numbers(asking, quantity, grouping, only_final=finals)
    texts = _texts(asking, quantity, grouping, is_grouped=is_grouped, only_final=finals)
    every = np.sort(np.concatenate([np.array([], np.float64), *numbers.by_group.values()]))
    # What is too large for a double becomes infinite, and then None.
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
        left_out=told(_left_out(asking, quantity, only_final=finals, has_others=numbers.has_others)),
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
    step, has_others = look_at(asking, quantity.specs, numbers, MAX_NUMBERS)
    if step > 1:
        numbers.add(f"hash(x.run) % {step} = 0")
    found = asking.arrays(
        f"SELECT {grouping.sql} AS g, x.spec, list({quantity.number}) AS numbers "
        f"FROM measurements x JOIN runs r USING (run) WHERE {numbers.sql} GROUP BY g, x.spec",
        numbers.values,
    )
    by_group: dict[Any, list[Floats]] = defaultdict(list)
    n_by_spec: Counter[int] = Counter()
    for key, spec, some in zip(found["g"].tolist(), found["spec"].tolist(), found["numbers"], strict=True):
        by_group[key].append(some)
        n_by_spec[spec] += len(some)
    return _Numbers(
        {key: np.sort(np.concatenate(some)) for key, some in by_group.items()}, n_by_spec, step, has_others
    )


def _texts(
    asking: Asking, quantity: Quantity, grouping: Grouping, *, is_grouped: bool, only_final: bool
) -> TextBars:
    """Of the phase that the numbers are of; a text has no unit of measure that could be another."""
    specs = _of_phase(quantity)
    values = on_values(asking, specs, only_final=only_final)
    return text_bars(asking, specs, values, grouping, is_grouped=is_grouped)


def _of_phase(quantity: Quantity) -> Sequence[SpecRow]:
    return [
        one
        for one in quantity.every
        if (one.phase, one.sequence_path) == (quantity.phase, quantity.sequence_path)
    ]


def _left_out(asking: Asking, quantity: Quantity, *, only_final: bool, has_others: bool) -> Counter[Reason]:
    """Texts and booleans are bars, and not left out."""
    counts = count_left_out(asking, quantity, only_final=only_final, has_others=has_others)
    for shown in ("text", "boolean"):
        counts.pop(shown, None)
    return counts


def _limits(quantity: Quantity, n_by_spec: Mapping[int, int]) -> Sequence[LimitsOfValues]:
    """Limits in several units of measure may be the same ones."""
    counts = Counter[Specified]()
    for one in quantity.specs:
        if one.spec in n_by_spec:
            counts[specified(one)] += n_by_spec[one.spec]
    return [LimitsOfValues(spec, n) for spec, n in counts.items()]
