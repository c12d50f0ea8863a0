"""Capability of all measurements of a procedure, the poorest first."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.exact_sums import Extent, mean_sql, share_sql, squares_sql, sums_sql
from runcard.analytics.left_out import COUNTED, REASONS, MeasuredAnswer, Reason, left_out_of, why_sql
from runcard.analytics.measured import BY_NAME
from runcard.analytics.questions.values.capability import USUAL_ATTEMPTS
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.specified import Specified
from runcard.analytics.statistics.dispersion import D2_OF_TWO
from runcard.analytics.time_slices import ALL_OF_TIME, one_of_each

MAX_ROWS = 2000
# Up to this many values, all moving ranges are taken. Sorting many millions would take many times as long as all the
# rest, so of more values only a part is taken: with 50 measurements, it gives each sigma to about 2 %.
MAX_RANGED = 500_000
_PART_RANGED = 0.2

DEFINITION = (
    "n: finite values of all measurements; left_out counts the others. One row for each specification (limits, unit "
    "of measure, phase), the lowest Ppk first, those without one last. Cp, Cpk: of sigma_within, the mean moving "
    "range of two values of one station that follow each other in time, by d2 = 1.128. Pp, Ppk: of sigma_overall, "
    "the sample standard deviation; what TofuPilot calls Cpk is this Ppk. failed: by the station's own verdict, values "
    "that are not finite included."
)
_SAMPLED = " Of more than {most} values, sigma_within is that of some slices of time, chosen by a hash."
_NOT_SHOWN = " {count} more specifications are not shown."
_WIDTH = len(Specified.__struct_fields__)


class SummaryRow(Struct, frozen=True):
    """The capability of one specification, in its unit of measure.

    failed: values whose outcome is FAIL, finite or not. not_finite: values that are infinite or NaN; `n` does not count
    them. cp, cpk, pp, ppk: None if a limit that they need is missing, the values do not scatter or are too few, or the
    limits exclude every value. mean and sigmas: None if the values are too few or too large.
    """

    spec: Specified
    n: int
    failed: int
    not_finite: int
    mean: float | None
    sigma_overall: float | None
    sigma_within: float | None
    cp: float | None
    cpk: float | None
    pp: float | None
    ppk: float | None


class CapabilitiesAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """specifications: how many there are. rows: those with the lowest Ppk."""

    specifications: int
    rows: Sequence[SummaryRow]


def _finite(figure: str) -> str:
    return f"CASE WHEN isfinite({figure}) THEN {figure} END AS {figure}"


def _index(figure: str) -> str:
    return f"CASE WHEN isfinite({figure}) AND NOT is_empty THEN {figure} END AS {figure}"


_FROM = "FROM measurements x JOIN runs r USING (run)"
# The values of each specification, by the reason why the figures leave them out.
_EXTENTS = f"""
SELECT x.spec, {{why}} AS why,
    count(*), count(*) FILTER (WHERE x.outcome = 'FAIL'), min(x.num), max(x.num),
    min(hash(r.created_by_station)), max(hash(r.created_by_station))
{_FROM} WHERE {{conditions}} GROUP BY x.spec, why
"""
# Values are summed as `exact_sums` says, from a centre near to them: the mean of those in the slices, or the middle of
# the extent if the slices have none. A division by zero, or a number that is too large, becomes NULL. Ranges are made
# of halves, because the whole may be too large for a double.
_SHARE = share_sql("x.num", "c.scale", "c.centre")
_SLICE_SHARE = share_sql("o.num", "e.scale", "e.middle")
_SLICE_TOTAL, _ = sums_sql(_SLICE_SHARE)
_MOVED_TOTAL, _ = sums_sql("(o.half_moved * e.scale * 2)")
_TOTAL, _SQUARES = sums_sql("share")
# Values are read again only if the slices do not hold them all.
_HELD = "ordered x JOIN near c ON c.spec = x.spec"
_READ = "measurements x JOIN runs r USING (run) JOIN near c ON c.spec = x.spec WHERE {conditions}"
_ROWS = f"""
WITH extents AS MATERIALIZED (
    SELECT *, lowest / 2 + highest / 2 AS middle FROM (
        SELECT struct_extract(e, 1) AS spec, struct_extract(e, 2) AS n, struct_extract(e, 3) AS failed,
            struct_extract(e, 4) AS not_finite, struct_extract(e, 5) AS lowest, struct_extract(e, 6) AS highest,
            struct_extract(e, 7) AS scale
        FROM (SELECT unnest(list_zip(
            ?::INTEGER[], ?::BIGINT[], ?::BIGINT[], ?::BIGINT[], ?::DOUBLE[], ?::DOUBLE[], ?::DOUBLE[]
        )) AS e)
    )
),
ordered AS MATERIALIZED (
    SELECT x.spec AS spec, x.num AS num, abs(x.num / 2 - lag(x.num) OVER (
        PARTITION BY x.spec, {{series}} ORDER BY x.started_at, x.run, x.position
    ) / 2) AS half_moved
    {_FROM} WHERE {{conditions}} AND {{slices.condition}}
),
near AS MATERIALIZED (
    SELECT e.spec AS spec, any_value(e.scale) AS scale,
        any_value(e.middle) + coalesce({mean_sql(_SLICE_TOTAL, "count(o.num)")}, 0) / any_value(e.scale) AS centre,
        {mean_sql(_MOVED_TOTAL, "count(o.half_moved)")} / any_value(e.scale) AS moved
    FROM extents e LEFT JOIN ordered o USING (spec) GROUP BY e.spec
),
sums AS (
    SELECT spec, {mean_sql(_TOTAL, "count(share)")} AS offset_share, {squares_sql(_SQUARES)} AS squares
    FROM (SELECT x.spec AS spec, {_SHARE} AS share FROM {{source}}) GROUP BY spec
),
moments AS (
    SELECT e.spec AS spec, e.n AS n, e.failed AS failed, e.not_finite AS not_finite,
        c.moved / {D2_OF_TWO!r} AS sigma_within,
        CASE WHEN lowest = highest THEN lowest ELSE c.centre + offset_share / e.scale END AS mean,
        CASE WHEN e.n < 2 THEN NULL WHEN lowest = highest THEN 0
            ELSE sqrt(greatest(squares - e.n * offset_share * offset_share, 0) / (e.n - 1)) / e.scale
        END AS sigma_overall
    FROM extents e JOIN near c USING (spec) LEFT JOIN sums USING (spec)
),
figures AS (
    SELECT spec, n, failed, not_finite, {_finite("mean")}, {_finite("sigma_overall")}, {_finite("sigma_within")}
    FROM moments
),
indices AS (
    SELECT s.*, (lower > upper OR ((lower_is_strict OR upper_is_strict) AND lower >= upper)) IS TRUE AS is_empty,
        n, failed, not_finite, mean, sigma_overall, sigma_within,
        (upper - lower) / sigma_within / 6 AS cp, least(mean - lower, upper - mean) / sigma_within / 3 AS cpk,
        (upper - lower) / sigma_overall / 6 AS pp, least(mean - lower, upper - mean) / sigma_overall / 3 AS ppk
    FROM figures JOIN specs s USING (spec)
)
SELECT {", ".join(Specified.__struct_fields__)}, n, failed, not_finite, mean, sigma_overall, sigma_within,
    {", ".join(map(_index, ("cp", "cpk", "pp", "ppk")))}, count(*) OVER ()
FROM indices ORDER BY ppk NULLS LAST, {BY_NAME} LIMIT ?
"""


class _Extents(NamedTuple):
    """A column of values, one for each specification; left_out and stations are of all specifications together.

    stations: 1, or more than 1 for several; users count as another station.
    """

    specs: Sequence[int]
    counts: Sequence[int]
    failed: Sequence[int]
    not_finite: Sequence[int]
    lowest: Sequence[float | None]
    highest: Sequence[float | None]
    left_out: Counter[Reason]
    stations: int

    @property
    def parameters(self) -> Sequence[Any]:
        scales = [
            1.0 if low is None or high is None else Extent(low, high, low / 2 + high / 2).scale
            for low, high in zip(self.lowest, self.highest, strict=True)
        ]
        return [*self[:-2], scales]


def capabilities(
    snapshot: Snapshot,
    selection: Selection,
    procedure_id: UUID,
    limit: int = MAX_ROWS,
    most_ranged: int = MAX_RANGED,
    *,
    only_final: bool = True,
) -> CapabilitiesAnswer:
    """The capability of a procedure's measurements, the poorest first, at most `limit`.

    only_final: without attempts of a phase that were repeated in the same run. Raises as `Snapshot.asking` does.
    """
    selection = selection._replace(runs=replace(selection.runs, procedure_ids=[procedure_id]))
    asking = snapshot.asking(selection, USUAL_ATTEMPTS)
    of_procedure = asking.snapshot.of_procedures([procedure_id], "x.procedure").and_of(asking.runs)
    extents = _extents(asking, of_procedure, only_final=only_final)
    n = sum(extents.counts)
    slices = one_of_each(asking, 1 if n <= most_ranged else math.ceil(n / most_ranged / _PART_RANGED))
    numbers = of_procedure.and_of(Conditions.of("x.num IS NOT NULL"))
    if only_final:
        numbers.add("x.is_final")
    is_held = slices == ALL_OF_TIME
    source = _HELD if is_held else _READ.format(conditions=numbers.sql)
    again = [] if is_held else numbers.values
    found = asking.rows(
        _ROWS.format(
            conditions=numbers.sql, slices=slices, source=source, series=_series(extents, slices.sql)
        ),
        [*extents.parameters, *numbers.values, *again, min(limit, MAX_ROWS)],
    )
    count = found[0][-1] if found else 0
    sampled = "" if is_held else _SAMPLED.format(most=most_ranged)
    not_shown = "" if count == len(found) else _NOT_SHOWN.format(count=count - len(found))
    return CapabilitiesAnswer(
        n=n,
        definition=DEFINITION + sampled + not_shown,
        window=asking.window,
        is_exact=is_held,
        freshness=asking.freshness,
        left_out=left_out_of(extents.left_out),
        specifications=count,
        rows=[SummaryRow(Specified(*row[:_WIDTH]), *row[_WIDTH:-1]) for row in found],
    )


def _series(extents: _Extents, slices: str) -> str:
    """SQL of the series within which moving ranges are taken: a slice of time and, if several report, a station."""
    return f"{slices}, r.created_by_station" if extents.stations > 1 else slices


def _extents(asking: Asking, values: Conditions, *, only_final: bool) -> _Extents:
    """The extents of the specifications that have numbers, finite or not."""
    why_not = why_sql(only_final=only_final)
    found = asking.rows(_EXTENTS.format(why=why_not, conditions=values.sql), values.values)
    left_out = Counter[Reason]()
    finite, infinite = dict[int, tuple[Any, ...]](), dict[int, tuple[Any, ...]]()
    stations = set[int]()
    for spec, why, *figures, first, last in found:
        stations |= {first, last}
        if why == COUNTED:
            finite[spec] = tuple(figures)
            continue
        left_out[REASONS[why]] += figures[0]
        if REASONS[why] == "not_finite":
            infinite[spec] = tuple(figures)
    specs = sorted(finite.keys() | infinite.keys())
    none = (0, 0, None, None)
    both = [(finite.get(spec, none), infinite.get(spec, none)) for spec in specs]
    return _Extents(
        specs,
        [numbers[0] for numbers, _ in both],
        [numbers[1] + others[1] for numbers, others in both],
        [others[0] for _, others in both],
        [numbers[2] for numbers, _ in both],
        [numbers[3] for numbers, _ in both],
        left_out,
        len(stations),
    )
