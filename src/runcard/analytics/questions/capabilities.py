"""Capability of all that a procedure measures, the poorest first."""

import math
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Asking, Selection, Snapshot
from runcard.analytics.conditions import Conditions
from runcard.analytics.measured import BY_NAME
from runcard.analytics.specified import Specified
from runcard.analytics.statistics.dispersion import D2_OF_TWO
from runcard.analytics.time_slices import ALL_OF_TIME, one_of_each

MAX_ROWS = 2000
# Up to so many values, the moving ranges of all are taken; to put many millions in order would take many times as long
# as all the rest. Of more, those of a part: of 50 measurements it tells each sigma to about 2 %.
MAX_RANGED = 500_000
_PART_RANGED = 0.2

DEFINITION = (
    "n: finite values of all measurements. One row for each specification (limits, unit of measure, phase), the lowest "
    "Ppk first, those without one last. Cp, Cpk: of sigma_within, the mean moving range of two values that follow each "
    "other in time, by d2 = 1.128. Pp, Ppk: of sigma_overall, the sample standard deviation; what TofuPilot calls Cpk "
    "is this Ppk. failed: by the station's own verdict."
)
_SAMPLED = " Of more than {most} values, sigma_within is that of some slices of time, chosen by a hash."
_LEFT_OUT = " {count} specifications follow that are not shown."
_WIDTH = len(Specified.__struct_fields__)


class SummaryRow(Struct, frozen=True):
    """The values of one specification, at least one; figures in its unit of measure. failed: those that are FAIL.

    cp, cpk, pp, ppk: None where a limit that they need is missing, values do not scatter or are too few, or the limits
    exclude every value. mean and sigmas: None where there are too few values, or too large ones.
    """

    spec: Specified
    n: int
    failed: int
    mean: float | None
    sigma_overall: float | None
    sigma_within: float | None
    cp: float | None
    cpk: float | None
    pp: float | None
    ppk: float | None


class CapabilitiesAnswer(Answer, frozen=True, kw_only=True):
    """specifications: how many there are, of which `rows` are those of the lowest Ppk."""

    specifications: int
    rows: Sequence[SummaryRow]


def _finite(figure: str) -> str:
    return f"CASE WHEN isfinite({figure}) THEN {figure} END AS {figure}"


def _index(figure: str) -> str:
    return f"CASE WHEN isfinite({figure}) AND (lower <= upper) IS NOT FALSE THEN {figure} END AS {figure}"


# A centre that is near to the values keeps their squares from drowning what they differ by: that of the slices, or a
# limit where these have no such value. What divides by nothing, or is too large, is no finite number, and becomes NULL.
_ROWS = f"""
WITH ordered AS (
    SELECT x.spec, x.num, abs(x.num - lag(x.num) OVER (
        PARTITION BY x.spec, {{slices.sql}} ORDER BY x.started_at, x.run, x.position
    )) AS moved
    FROM measurements x JOIN runs r USING (run) WHERE {{conditions}} AND {{slices.condition}}
),
near AS MATERIALIZED (
    SELECT s.spec, coalesce(avg(o.num), any_value(s.lower), any_value(s.upper), 0) AS centre, avg(o.moved) AS moved
    FROM specs s LEFT JOIN ordered o USING (spec) WHERE {{specs}} GROUP BY s.spec
),
sums AS (
    SELECT x.spec, count(*) AS n, count(*) FILTER (x.outcome = 'FAIL') AS failed,
        min(x.num) = max(x.num) AS are_equal, any_value(c.centre) AS centre, any_value(c.moved) AS moved,
        sum(x.num - c.centre) AS total, sum((x.num - c.centre) * (x.num - c.centre)) AS squares
    FROM measurements x JOIN runs r USING (run) JOIN near c ON c.spec = x.spec
    WHERE {{conditions}} GROUP BY x.spec
),
moments AS (
    SELECT spec, n, failed, centre + total / n AS mean, moved / {D2_OF_TWO!r} AS sigma_within,
        CASE WHEN n < 2 THEN NULL WHEN are_equal THEN 0
            ELSE sqrt(greatest(squares - total * total / n, 0) / (n - 1)) END AS sigma_overall
    FROM sums
),
figures AS (
    SELECT spec, n, failed, {_finite("mean")}, {_finite("sigma_overall")}, {_finite("sigma_within")} FROM moments
),
indices AS (
    SELECT s.*, n, failed, mean, sigma_overall, sigma_within,
        (upper - lower) / sigma_within / 6 AS cp, least(mean - lower, upper - mean) / sigma_within / 3 AS cpk,
        (upper - lower) / sigma_overall / 6 AS pp, least(mean - lower, upper - mean) / sigma_overall / 3 AS ppk
    FROM figures JOIN specs s USING (spec)
)
SELECT {", ".join(Specified.__struct_fields__)}, n, failed, mean, sigma_overall, sigma_within,
    {", ".join(map(_index, ("cp", "cpk", "pp", "ppk")))}, count(*) OVER ()
FROM indices ORDER BY ppk NULLS LAST, {BY_NAME} LIMIT ?
"""


def capabilities(
    snapshot: Snapshot,
    wanted: Selection,
    procedure_id: UUID,
    limit: int = MAX_ROWS,
    most_ranged: int = MAX_RANGED,
    *,
    only_final: bool = True,
) -> CapabilitiesAnswer:
    """At most `limit` measurements of a procedure, the poorest. Raises as `asking` does.

    only_final: not those of attempts of a phase that were repeated in the same run.
    """
    wanted = wanted._replace(runs=replace(wanted.runs, procedure_ids=[procedure_id]))
    asked = snapshot.asking(wanted)
    conditions = _on_values(asked, procedure_id, only_final=only_final)
    (n,) = asked.one(
        f"SELECT count(*) FROM measurements x JOIN runs r USING (run) WHERE {conditions.sql}",
        conditions.values,
    )
    slices = one_of_each(asked, 1 if n <= most_ranged else math.ceil(n / most_ranged / _PART_RANGED))
    specs = asked.snapshot.of_procedures([procedure_id], "s.procedure")
    found = asked.rows(
        _ROWS.format(conditions=conditions.sql, slices=slices, specs=specs.sql),
        [*conditions.values, *specs.values, *conditions.values, min(limit, MAX_ROWS)],
    )
    count = found[0][-1] if found else 0
    sampled = "" if slices == ALL_OF_TIME else _SAMPLED.format(most=most_ranged)
    left_out = "" if count == len(found) else _LEFT_OUT.format(count=count - len(found))
    return CapabilitiesAnswer(
        n=n,
        definition=DEFINITION + sampled + left_out,
        window=asked.window,
        is_exact=slices == ALL_OF_TIME,
        freshness=asked.freshness,
        specifications=count,
        rows=[SummaryRow(Specified(*row[:_WIDTH]), *row[_WIDTH:-1]) for row in found],
    )


def _on_values(asked: Asking, procedure_id: UUID, *, only_final: bool) -> Conditions:
    found = asked.snapshot.of_procedures([procedure_id], "x.procedure")
    found.add("x.num IS NOT NULL")
    if only_final:
        found.add("x.is_final")
    return found.and_of(asked.runs)
