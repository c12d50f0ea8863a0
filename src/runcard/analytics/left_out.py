"""The values that an answer leaves out, counted by reason, so that nothing is missing silently.

Each value of the measurement in the selected runs is counted once: in `n` of the answer, or here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.conditions import Conditions
from runcard.analytics.measured import on_specs
from runcard.analytics.quantity import Quantity
from runcard.analytics.snapshot import Asking

Reason = Literal[
    "not_finite",
    "boolean",
    "text",
    "series",
    "json",
    "no_value",
    "repeated",
    "other_phase",
    "other_unit",
    "no_limit",
    "no_verdict",
    "no_partner",
]
_OF_KIND: Mapping[str, Reason] = {
    "numeric": "not_finite",
    "boolean": "boolean",
    "string": "text",
    "multidimensional": "series",
    "json": "json",
    "empty": "no_value",
}
REASONS: Sequence[Reason] = get_args(Reason)
# Stands in place of the number of a reason for a value that is counted.
COUNTED = -1


class LeftOut(Struct, frozen=True):
    """How many values the figures leave out for one reason.

    not_finite: infinite or NaN. boolean, text, series, json: the value is of that kind. no_value: nothing was measured.
    repeated: the attempt of the phase was repeated in the same run. other_phase, other_unit: the same name in another
    phase, or in a unit of measure that does not convert. no_limit, no_verdict: the value cannot be judged. no_partner:
    the other value of the pair is missing, or this value is not the last of its run.
    """

    reason: Reason
    count: int


class MeasuredAnswer(Answer, frozen=True, kw_only=True):
    """left_out: the values of the selected runs that are not counted in `n`, in the order of the reasons."""

    left_out: Sequence[LeftOut]


def left_out_of(counts: Mapping[Reason, int]) -> Sequence[LeftOut]:
    """The reasons that have values, in order."""
    return [LeftOut(reason, count) for reason in REASONS if (count := counts.get(reason, 0))]


def why_sql(*more: tuple[str, Reason], only_final: bool) -> str:
    """SQL of why a row of `measurements x` is left out: the place of the reason in REASONS, or COUNTED.

    more: further conditions that leave a finite number out, each with its reason. Places group faster than texts.
    """
    kinds = " ".join(f"WHEN '{kind}' THEN {REASONS.index(why)}" for kind, why in _OF_KIND.items())
    cases = [("x.num IS NULL", f"CASE x.kind {kinds} END")]
    if only_final:
        cases.insert(0, ("NOT x.is_final", str(REASONS.index("repeated"))))
    cases += [(condition, str(REASONS.index(why))) for condition, why in more]
    whens = " ".join(f"WHEN {condition} THEN {number}" for condition, number in cases)
    return f"(CASE {whens} ELSE {COUNTED} END)::TINYINT"


def count_left_out(
    asking: Asking,
    quantity: Quantity,
    since: datetime | None = None,
    *,
    only_final: bool,
    has_others: bool | None = None,
) -> Counter[Reason]:
    """How many values in the selected runs have the quantity's name but are not its numbers, by reason.

    since: only values of phases that started then or later. has_others: see `Survey`; None: unknown.
    """
    if has_others is False and not quantity.others:
        return Counter()
    rest = _rest(quantity, only_final=only_final)
    values = on_specs(quantity.every).and_of(rest)
    values.within("x.started_at", since, None)
    # Most measurements are numbers in one phase. For them this query is enough, without a join with runs.
    if has_others is None and not asking.rows(
        f"SELECT 1 FROM measurements x WHERE {values.sql} LIMIT 1", values.values
    ):
        return Counter()
    values = values.and_of(asking.runs)
    found = asking.rows(
        f"SELECT x.spec, {why_sql(only_final=only_final)} AS why, count(*) "
        f"FROM measurements x JOIN runs r USING (run) WHERE {values.sql} GROUP BY ALL",
        values.values,
    )
    elsewhere = {
        spec.spec
        for spec in quantity.others
        if (spec.phase, spec.sequence_path) != (quantity.phase, quantity.sequence_path)
    }
    counts = Counter[Reason]()
    for spec, number, count in found:
        why: Reason = "other_unit" if number == COUNTED else REASONS[number]
        counts["other_phase" if spec in elsewhere and why != "repeated" else why] += count
    return counts


def _rest(quantity: Quantity, *, only_final: bool) -> Conditions:
    """The condition that a value is not counted."""
    rest = Conditions.of("x.num IS NULL")
    if only_final:
        rest = Conditions.of(f"({rest.sql} OR NOT x.is_final)")
    if quantity.others:
        others = on_specs(quantity.others)
        rest = Conditions.of(f"({rest.sql} OR {others.sql})", *others.values)
    return rest
