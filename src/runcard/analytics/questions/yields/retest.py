"""Retests: how often units were run again, and with which result."""

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.groups import ALL, Group, GroupBy, Grouping, in_order, references
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of
from runcard.domain.runs.outcome import RunOutcome
from runcard.store.lists.names import names_of

# Units with this many attempts or more are counted together.
MANY_ATTEMPTS = 10
MAX_MOVES = 400

DEFINITION = (
    "n: units, counted once on each procedure, whose first run there (by start, over all time) is selected; all their "
    "runs on the procedure count, whenever they were. retested: units with more than one run. passed_after_retest: of "
    "the retested units whose first run did not pass, those with a later run that passed. passed_elsewhere: of these, "
    "if stations reported both the first run and the first that passed, those for which the two stations differ. Every "
    "outcome but PASS counts as not passed. A run that was voided or deleted counts nowhere and keeps its number: the "
    "attempts of a unit are as many as the number of its last run that counts."
)


class ManyAttempts(NamedTuple):
    """A page of the units with more than `more_than` attempts."""

    more_than: int = 2
    limit: int = 50
    offset: int = 0


_FIRST_PAGE = ManyAttempts()


class RetestRow(Struct, frozen=True):
    """units: those whose first run is selected."""

    group: Group
    units: int
    retested: Ratio
    passed_after_retest: Ratio
    passed_elsewhere: Ratio


class AttemptsCount(Struct, frozen=True):
    """How many units had this many attempts; or_more: this many or more."""

    attempts: int
    or_more: bool
    units: int


class StationMove(Struct, frozen=True):
    """How many units did not pass their first run at one station, and first passed at another or the same."""

    first_station: Group
    passing_station: Group
    units: int


class RetestedUnit(Struct, frozen=True):
    """passed_at: number of the first attempt that passed; None if none did."""

    serial_number: str
    procedure: Group
    attempts: int
    passed_at: int | None
    last_outcome: RunOutcome


class RetestAnswer(Answer, frozen=True, kw_only=True):
    """total: all selected units. rows: the same by group; empty without a grouping.

    attempts: the numbers that occur, ascending; 10 is the last, and `or_more`. moves: most frequent first, at most
    400. units_over: how many units had more attempts than `more_than`. unit_page: a page of them, most attempts first.
    """

    total: RetestRow
    rows: Sequence[RetestRow]
    attempts: Sequence[AttemptsCount]
    moves: Sequence[StationMove]
    units_over: int
    unit_page: Sequence[RetestedUnit]


_FIGURES = """count(*), count(*) FILTER (WHERE r.attempts > 1),
    count(*) FILTER (WHERE r.attempts > 1 AND r.passed_at IS DISTINCT FROM 1),
    count(*) FILTER (WHERE r.passed_at > 1)"""
# The first run and the passing run of units that passed after the first attempt.
_FIRST_AND_PASSING = """runs r JOIN (
        SELECT unit, procedure, created_by_station FROM runs WHERE attempt = passed_at AND attempt > 1
    ) p ON p.unit = r.unit AND p.procedure = r.procedure"""
_BOTH_KNOWN = "r.passed_at > 1 AND r.created_by_station IS NOT NULL AND p.created_by_station IS NOT NULL"


def retest(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
    many: ManyAttempts = _FIRST_PAGE,
) -> RetestAnswer:
    """The retests of the units whose first run is selected, whatever `selection.attempts`.

    Raises as `Snapshot.asking` does.
    """
    asking = snapshot.asking(selection._replace(attempts="first"))
    total = _total(asking, zone)
    return RetestAnswer(
        n=total.units,
        definition=DEFINITION,
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        total=total,
        rows=[] if group_by is None else _rows(asking, Grouping(asking, group_by, zone)),
        attempts=_attempts(asking),
        moves=_moves(asking),
        units_over=_units_over(asking, many.more_than),
        unit_page=_unit_page(asking, many),
    )


def retest_total(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
) -> RetestRow:
    """Only the `total` of the answer."""
    asking = snapshot.asking(selection._replace(attempts="first"))
    return _total(asking, zone)


def _total(asking: Asking, zone: ZoneInfo) -> RetestRow:
    [total] = _rows(asking, Grouping(asking, None, zone)) or [_row(ALL, 0, 0, 0, 0, (0, 0))]
    return total


def _rows(asking: Asking, grouping: Grouping) -> Sequence[RetestRow]:
    found = asking.rows(
        f"SELECT {grouping.sql} AS g, {_FIGURES} FROM runs r WHERE {asking.runs.sql} GROUP BY g"
    )
    moved = asking.rows(
        f"SELECT {grouping.sql} AS g, count(*), "
        "count(*) FILTER (WHERE r.created_by_station <> p.created_by_station) "
        f"FROM {_FIRST_AND_PASSING} WHERE {asking.runs.sql} AND {_BOTH_KNOWN} GROUP BY g"
    )
    places = {key: (known, elsewhere) for key, known, elsewhere in moved}
    figures = [(*row, places.get(row[0], (0, 0))) for row in found]
    groups = grouping.named([row[0] for row in found])
    return [_row(group, *rest) for group, rest in in_order(groups, figures)]


def _row(
    group: Group, units: int, retested: int, failed_first: int, passed_later: int, places: tuple[int, int]
) -> RetestRow:
    known, moved = places
    return RetestRow(
        group,
        units,
        ratio_of(retested, units),
        ratio_of(passed_later, failed_first),
        ratio_of(moved, known),
    )


def _attempts(asking: Asking) -> Sequence[AttemptsCount]:
    rows = asking.rows(
        f"SELECT least(r.attempts, {MANY_ATTEMPTS}) AS a, count(*) FROM runs r WHERE {asking.runs.sql} "
        "GROUP BY a ORDER BY a"
    )
    return [AttemptsCount(attempts, attempts == MANY_ATTEMPTS, units) for attempts, units in rows]


def _moves(asking: Asking) -> Sequence[StationMove]:
    rows = asking.rows(
        "SELECT r.created_by_station AS f, p.created_by_station AS t, count(*) AS n "
        f"FROM {_FIRST_AND_PASSING} WHERE {asking.runs.sql} AND {_BOTH_KNOWN} "
        f"GROUP BY f, t ORDER BY n DESC, f, t LIMIT {MAX_MOVES}"
    )
    stations = references(asking, "station", {station for row in rows for station in row[:2]})
    moves = [StationMove(stations[first], stations[passing], units) for first, passing, units in rows]
    return sorted(
        moves, key=lambda move: (-move.units, move.first_station.name or "", move.passing_station.name or "")
    )


def _units_over(asking: Asking, more_than: int) -> int:
    [count] = asking.one(
        f"SELECT count(*) FROM runs r WHERE {asking.runs.sql} AND r.attempts > ?",
        [*asking.runs.values, more_than],
    )
    return int(count)


def _unit_page(asking: Asking, many: ManyAttempts) -> Sequence[RetestedUnit]:
    rows = asking.rows(
        "SELECT r.unit, r.procedure, r.attempts, r.passed_at, r.last_outcome "
        f"FROM runs r JOIN {asking.snapshot.places} ON places.procedure = r.procedure "
        f"WHERE {asking.runs.sql} AND r.attempts > ? "
        "ORDER BY r.attempts DESC, r.unit, places.place LIMIT ? OFFSET ?",
        [*asking.runs.values, *many],
    )
    serials = names_of(asking.snapshot.scope, "unit", {row[0] for row in rows})
    procedures = references(asking, "procedure", {row[1] for row in rows})
    return [
        RetestedUnit(serials.get(unit, str(unit)), procedures[procedure], *rest)
        for unit, procedure, *rest in rows
    ]
