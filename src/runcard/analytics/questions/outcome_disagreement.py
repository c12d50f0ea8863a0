"""Outcome disagreement: measurements whose outcome, as the station claimed it, contradicts their limits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Asking, Selection, Snapshot
from runcard.analytics.conditions import Conditions
from runcard.analytics.groups import Group, Grouping
from runcard.analytics.specified import Specified
from runcard.domain.ids import RunPart, part_id

DisagreementKind = Literal["passed_outside", "failed_inside"]

DEFINITION = (
    "n: finite values with a limit that the station called PASS or FAIL. passed_outside: PASS with a value below the "
    "lower or above the upper limit, which are inclusive. failed_inside: FAIL with a value that keeps its limits; the "
    "reason may be a check that is no inclusive limit (a strict bound, a list, an aggregation), which is not seen. "
    "{attempts}"
)
_FINAL = "Attempts of phases that were repeated in the same run are left out."
_EVERY = "Each attempt of a phase counts."


class Shown(NamedTuple):
    """How much of what disagrees an answer shows: measurements at most, and examples at most."""

    rows: int = 100
    examples: int = 20


class DisagreementRow(Struct, frozen=True):
    """A measurement of a procedure, whatever its limits were. n: values judged; the others: as in the definition."""

    procedure: Group
    phase: str
    sequence_path: str | None
    name: str
    n: int
    passed_outside: int
    failed_inside: int


class Disagreement(Struct, frozen=True):
    """One value that disagrees. measured_at: the start of its phase. value: the nearest double."""

    kind: DisagreementKind
    run_id: UUID
    measurement_id: UUID
    measured_at: datetime
    spec: Specified
    value: float


class OutcomeDisagreementAnswer(Answer, frozen=True, kw_only=True):
    """passed_outside, failed_inside: all of them. measurements: how many measurements have any.

    rows: those with the most of both together. examples: the newest.
    """

    passed_outside: int
    failed_inside: int
    measurements: int
    rows: Sequence[DisagreementRow]
    examples: Sequence[Disagreement]


_SPECIFIED = Specified.__struct_fields__
_ANY_ZONE = ZoneInfo("UTC")

# What a limit that is missing is compared with is NULL, and no reason to be outside.
_OUTSIDE = "coalesce(x.num < s.lower, FALSE) OR coalesce(x.num > s.upper, FALSE)"
_FROM = "FROM measurements x JOIN runs r USING (run) JOIN specs s ON s.spec = x.spec"
_DISAGREES = f"(x.outcome = 'PASS') = ({_OUTSIDE})"
_ROWS = f"""
WITH specified AS (
    SELECT x.spec, count(*) AS n, count(*) FILTER (x.outcome = 'PASS' AND ({_OUTSIDE})) AS passed_outside,
        count(*) FILTER (x.outcome = 'FAIL' AND NOT ({_OUTSIDE})) AS failed_inside
    {_FROM} WHERE {{conditions}} GROUP BY x.spec
),
measured AS (
    SELECT procedure, phase, sequence_path, name, sum(n)::BIGINT AS n, sum(passed_outside)::BIGINT AS passed_outside,
        sum(failed_inside)::BIGINT AS failed_inside
    FROM specified JOIN specs USING (spec) GROUP BY procedure, phase, sequence_path, name
)
SELECT *, sum(n) OVER ()::BIGINT, sum(passed_outside) OVER ()::BIGINT, sum(failed_inside) OVER ()::BIGINT,
    count(*) FILTER (WHERE passed_outside + failed_inside > 0) OVER ()
FROM measured ORDER BY passed_outside + failed_inside DESC, phase, sequence_path NULLS FIRST, name, procedure LIMIT ?
"""


_EXAMPLES = f"""
SELECT x.outcome = 'PASS', r.id, x.position, x.started_at, x.num, {", ".join(f"s.{name}" for name in _SPECIFIED)}
{_FROM} WHERE {{conditions}} AND {_DISAGREES}
ORDER BY x.started_at DESC, x.run DESC, x.position DESC LIMIT ?
"""


def outcome_disagreement(
    snapshot: Snapshot,
    wanted: Selection,
    shown: Shown,
    *,
    only_final: bool = True,
) -> OutcomeDisagreementAnswer:
    """Measurements of the selected runs that disagree with their limits. Raises as `asking` does.

    only_final: not those of attempts of a phase that were repeated in the same run.
    """
    asked = snapshot.asking(wanted)
    conditions = _judged(asked, only_final=only_final)
    found = asked.rows(_ROWS.format(conditions=conditions.sql), [*conditions.values, shown.rows])
    n, passed, failed, measurements = found[0][-4:] if found else (0, 0, 0, 0)
    return OutcomeDisagreementAnswer(
        n=n,
        definition=DEFINITION.format(attempts=_FINAL if only_final else _EVERY),
        window=asked.window,
        is_exact=True,
        freshness=asked.freshness,
        passed_outside=passed,
        failed_inside=failed,
        measurements=measurements,
        rows=_rows(asked, [row[:-4] for row in found if row[-6] + row[-5]]),
        examples=_examples(asked, conditions, shown.examples) if passed + failed else [],
    )


def _judged(asked: Asking, *, only_final: bool) -> Conditions:
    found = Conditions()
    found.add("x.num IS NOT NULL AND (s.lower IS NOT NULL OR s.upper IS NOT NULL)")
    found.one_of("x.outcome", ("PASS", "FAIL"), "measurement_outcome")
    if only_final:
        found.add("x.is_final")
    return found.and_of(asked.runs)


def _rows(asked: Asking, found: Sequence[tuple[Any, ...]]) -> Sequence[DisagreementRow]:
    procedures = Grouping(asked, "procedure", _ANY_ZONE).named({row[0] for row in found})
    return [DisagreementRow(procedures[procedure], *figures) for procedure, *figures in found]


def _examples(asked: Asking, conditions: Conditions, most: int) -> Sequence[Disagreement]:
    found = asked.rows(_EXAMPLES.format(conditions=conditions.sql), [*conditions.values, most])
    return [
        Disagreement(
            "passed_outside" if has_passed else "failed_inside",
            run_id,
            part_id(run_id, RunPart.MEASUREMENT, position),
            started_at.replace(tzinfo=UTC),
            Specified(*spec),
            value,
        )
        for has_passed, run_id, position, started_at, value, *spec in found
    ]
