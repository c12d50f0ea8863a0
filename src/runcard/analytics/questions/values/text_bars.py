"""How often a measurement has each text: strings, and booleans as true and false."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from runcard.analytics.conditions import Conditions, is_one_of
from runcard.analytics.groups import ALL, Group, Grouping
from runcard.analytics.measured import SpecRow, on_specs
from runcard.analytics.snapshot import Asking

MAX_BARS = 30
MAX_TEXT_LENGTH = 200

_TEXT = f"coalesce(left(x.str, {MAX_TEXT_LENGTH}), x.bool::VARCHAR)"
_TEXTS = Conditions.of("(x.str IS NOT NULL OR x.bool IS NOT NULL)")
_FROM = "FROM measurements x JOIN runs r USING (run)"


class BarRow(Struct, frozen=True):
    """counts: of the `n` values, how many have each of the texts. others: how many have another text."""

    group: Group
    n: int
    counts: Sequence[int]
    others: int


class TextBars(Struct, frozen=True):
    """texts: at most MAX_BARS, most frequent first. distinct: number of different texts in all.

    rows: by group; empty without a grouping.
    """

    texts: Sequence[str]
    distinct: int
    total: BarRow
    rows: Sequence[BarRow]


NO_TEXTS = TextBars([], 0, BarRow(ALL, 0, [], 0), [])


def text_bars(
    asking: Asking, specs: Sequence[SpecRow], values: Conditions, grouping: Grouping, *, is_grouped: bool
) -> TextBars:
    """The texts of values. values: conditions on `measurements x` and `runs r`."""
    anywhere = on_specs(specs).and_of(_TEXTS)
    # Most measurements are numbers. For them this query is enough, without a join with runs.
    if not asking.rows(f"SELECT 1 FROM measurements x WHERE {anywhere.sql} LIMIT 1", anywhere.values):
        return NO_TEXTS
    values = values.and_of(_TEXTS)
    found = asking.rows(
        f"WITH bars AS (SELECT {_TEXT} AS text, count(*) AS n {_FROM} WHERE {values.sql} GROUP BY text) "
        f"SELECT text, n, sum(n) OVER ()::BIGINT, count(*) OVER () FROM bars ORDER BY n DESC, text LIMIT {MAX_BARS}",
        values.values,
    )
    if not found:
        return NO_TEXTS
    texts, counts, (n, *_), (distinct, *_) = zip(*found, strict=True)
    total = BarRow(ALL, n, list(counts), n - sum(counts))
    rows = _rows(asking, values, grouping, texts) if is_grouped else []
    return TextBars(list(texts), distinct, total, rows)


def _rows(asking: Asking, values: Conditions, grouping: Grouping, texts: Sequence[str]) -> Sequence[BarRow]:
    shown = f"CASE WHEN {is_one_of(_TEXT, texts, 'VARCHAR')} THEN {_TEXT} END"
    found = asking.rows(
        f"SELECT {grouping.sql} AS g, {shown} AS shown, count(*) {_FROM} WHERE {values.sql} GROUP BY g, shown",
        [*texts, *values.values],
    )
    by_group: dict[Any, dict[str | None, int]] = defaultdict(dict)
    for key, text, count in found:
        by_group[key][text] = count
    return [_row(group, by_group[key], texts) for key, group in grouping.named(by_group).items()]


def _row(group: Group, counts: Mapping[str | None, int], texts: Sequence[str]) -> BarRow:
    return BarRow(group, sum(counts.values()), [counts.get(text, 0) for text in texts], counts.get(None, 0))
