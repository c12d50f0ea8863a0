"""Outcome disagreement: measurements whose outcome, as the station reported it, contradicts their limits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.groups import Group, Grouping
from runcard.analytics.left_out import COUNTED, REASONS, MeasuredAnswer, Reason, left_out_of, why_sql
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.specified import ABOVE, BELOW, Specified
from runcard.domain.ids import RunPart, part_id

DisagreementKind = Literal["passed_outside", "failed_inside"]

DEFINITION = (
    "n: finite values with a limit that the station called PASS or FAIL; left_out counts the others. passed_outside: "
    "PASS with a value below the lower or above the upper limit, or at one that is strict. failed_inside: FAIL with a"
    " value within its limits; the reason may be a check other than a limit (an equality, a list, an aggregation), "
    "which is not considered. {attempts}"
)
_FINAL = "Attempts of phases that were repeated in the same run are left out."
_EVERY = "Each attempt of a phase counts."


class Shown(NamedTuple):
    """How much of the disagreement an answer shows. rows: measurements at most. examples: single values at most."""

    rows: int = 100
    examples: int = 20


class DisagreementRow(Struct, frozen=True):
    """A measurement of a procedure, under any limits. n: judged values. The other counts: as in the definition."""

    procedure: Group
    phase: str
    sequence_path: str | None
    name: str
    n: int
    passed_outside: int
    failed_inside: int


class Disagreement(Struct, frozen=True):
    """A value that disagrees. measured_at: start of its phase. value: the nearest double."""

    kind: DisagreementKind
    run_id: UUID
    measurement_id: UUID
    measured_at: datetime
    spec: Specified
    value: float


class OutcomeDisagreementAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """passed_outside, failed_inside: counts of all values. measurements: how many measurements have such values.

    rows: the measurements with the most of both together. examples: the newest values.
    """

    passed_outside: int
    failed_inside: int
    measurements: int
    rows: Sequence[DisagreementRow]
    examples: Sequence[Disagreement]


_SPECIFIED = Specified.__struct_fields__
_ANY_ZONE = ZoneInfo("UTC")

_NOT_JUDGED: Sequence[tuple[str, Reason]] = (
    ("s.lower IS NULL AND s.upper IS NULL", "no_limit"),
    ("x.outcome = 'UNSET'", "no_verdict"),
)
_FROM = "FROM measurements x JOIN runs r USING (run) JOIN specs s ON s.spec = x.spec WHERE {conditions}"
_IS_OUTSIDE = f"(({BELOW} OR {ABOVE}) IS TRUE)"
# is_judged: whether the value counts. Grouping by reason too would be slow, because DuckDB knows little about that key;
# so the reasons are queried only if some values do not count, and examples only if some disagree.
_QUERY = f"""
WITH judged AS (
    SELECT x.spec AS spec, x.outcome = 'PASS' AS has_passed, {_IS_OUTSIDE} AS is_outside,
        {{why}} = {COUNTED} AS is_judged
    {_FROM}
),
specified AS (
    SELECT spec, has_passed, count(*) AS every, count(*) FILTER (WHERE is_judged) AS n,
        count(*) FILTER (WHERE is_judged AND is_outside) AS outside
    FROM judged GROUP BY spec, has_passed
),
measured AS (
    SELECT procedure, phase, sequence_path, name, sum(every)::BIGINT AS every, sum(n)::BIGINT AS n,
        coalesce(sum(outside) FILTER (WHERE has_passed), 0)::BIGINT AS passed_outside,
        coalesce(sum(n - outside) FILTER (WHERE NOT has_passed), 0)::BIGINT AS failed_inside
    FROM specified JOIN specs USING (spec) GROUP BY procedure, phase, sequence_path, name
)
SELECT procedure, phase, sequence_path, name, n, passed_outside, failed_inside, (sum(every - n) OVER ())::BIGINT,
    (sum(n) OVER ())::BIGINT, (sum(passed_outside) OVER ())::BIGINT, (sum(failed_inside) OVER ())::BIGINT,
    (sum(CASE WHEN passed_outside + failed_inside > 0 THEN 1 ELSE 0 END) OVER ())::BIGINT
FROM measured JOIN {{places}} USING (procedure)
ORDER BY passed_outside + failed_inside DESC, phase, sequence_path NULLS FIRST, name, places.place LIMIT ?
"""
_EXAMPLES = f"""
SELECT CASE WHEN x.outcome = 'PASS' THEN 'passed_outside' ELSE 'failed_inside' END, r.id, x.position, x.started_at,
    x.num, {", ".join(f"s.{name}" for name in _SPECIFIED)}
{_FROM} AND {{why}} = {COUNTED} AND (x.outcome = 'PASS') = {_IS_OUTSIDE}
ORDER BY x.started_at DESC, x.run DESC, x.position DESC LIMIT ?
"""

_LEFT_OUT = f"SELECT {{why}} AS why, count(*) {_FROM} AND why <> {COUNTED} GROUP BY ALL"


def outcome_disagreement(
    snapshot: Snapshot,
    selection: Selection,
    shown: Shown,
    *,
    only_final: bool = True,
) -> OutcomeDisagreementAnswer:
    """The measurements of the selected runs that disagree with their limits. Raises as `Snapshot.asking` does.

    only_final: without attempts of a phase that were repeated in the same run.
    """
    asking = snapshot.asking(selection)
    conditions = asking.snapshot.of_procedures(selection.runs.procedure_ids, "x.procedure").and_of(
        asking.runs
    )
    why = why_sql(*_NOT_JUDGED, only_final=only_final)
    found = asking.rows(
        _QUERY.format(conditions=conditions.sql, places=snapshot.places, why=why),
        [*conditions.values, max(shown.rows, 1)],
    )
    others, n, passed, failed, measurements = found[0][-5:] if found else [0] * 5
    examples = (
        asking.rows(
            _EXAMPLES.format(conditions=conditions.sql, why=why), [*conditions.values, shown.examples]
        )
        if measurements
        else ()
    )
    left_out = (
        asking.rows(_LEFT_OUT.format(why=why, conditions=conditions.sql), conditions.values) if others else ()
    )
    return OutcomeDisagreementAnswer(
        n=n,
        definition=DEFINITION.format(attempts=_FINAL if only_final else _EVERY),
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        left_out=left_out_of({REASONS[reason]: count for reason, count in left_out}),
        passed_outside=passed,
        failed_inside=failed,
        measurements=measurements,
        rows=_rows(asking, [row[:-5] for row in found if row[-7] + row[-6]]),
        examples=[_example(*example) for example in examples],
    )


def _rows(asking: Asking, found: Sequence[tuple[Any, ...]]) -> Sequence[DisagreementRow]:
    procedures = Grouping(asking, "procedure", _ANY_ZONE).named({row[0] for row in found})
    return [DisagreementRow(procedures[procedure], *figures) for procedure, *figures in found]


def _example(
    kind: DisagreementKind, run_id: UUID, position: int, started_at: datetime, value: float, *spec: Any
) -> Disagreement:
    return Disagreement(
        kind,
        run_id,
        part_id(run_id, RunPart.MEASUREMENT, position),
        started_at.replace(tzinfo=UTC),
        Specified(*spec),
        value,
    )
