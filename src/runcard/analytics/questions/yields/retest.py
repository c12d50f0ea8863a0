"""Retests: how often units were run again, and with which result."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.groups import ALL, Group, GroupBy, Grouping, references
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


# Of units that passed after the first attempt, those of which both stations are known.
_BOTH_KNOWN = "r.passed_at > 1 AND r.created_by_station IS NOT NULL AND r.passed_station IS NOT NULL"


class _Units(NamedTuple):
    """How many units had this many attempts, and passed first in that one; None: in none."""

    attempts: int
    passed_at: int | None
    number: int


class _WherePassed(NamedTuple):
    """known: units that passed after the first attempt and of which both stations are known. elsewhere: those for which
    the two stations differ.
    """

    known: int
    elsewhere: int


_NOWHERE = _WherePassed(0, 0)


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
    grouping = Grouping(asking, group_by, zone)
    by_group = _units_by_group(asking, grouping)
    units = [some for group in by_group.values() for some in group]
    moves, places = _moves(asking)
    total = _row(ALL, units, places)
    return RetestAnswer(
        n=total.units,
        definition=DEFINITION,
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        total=total,
        rows=[] if group_by is None else _rows(asking, grouping, by_group),
        attempts=_attempts(units),
        moves=moves,
        units_over=sum(some.number for some in units if some.attempts > many.more_than),
        unit_page=_unit_page(asking, many),
    )


def retest_total(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
) -> RetestRow:
    """Only the `total` of the answer."""
    asking = snapshot.asking(selection._replace(attempts="first"))
    grouping = Grouping(asking, None, zone)
    places = _places_by_group(asking, grouping).get(None, _NOWHERE)
    return _row(ALL, _units_by_group(asking, grouping).get(None, ()), places)


def _units_by_group(asking: Asking, grouping: Grouping) -> Mapping[Any, Sequence[_Units]]:
    """The units by the key of their group."""
    found: dict[Any, list[_Units]] = defaultdict(list)
    for key, *units in asking.rows(
        f"SELECT {grouping.sql} AS g, r.attempts AS a, r.passed_at AS p, count(*) FROM runs r "
        f"WHERE {asking.runs.sql} GROUP BY g, a, p"
    ):
        found[key].append(_Units(*units))
    return found


def _places_by_group(asking: Asking, grouping: Grouping) -> Mapping[Any, _WherePassed]:
    """Where units passed, by the key of their group."""
    return {
        key: _WherePassed(*counts)
        for key, *counts in asking.rows(
            f"SELECT {grouping.sql} AS g, count(*), "
            "count(*) FILTER (WHERE r.created_by_station <> r.passed_station) "
            f"FROM runs r WHERE {asking.runs.sql} AND {_BOTH_KNOWN} GROUP BY g"
        )
    }


def _rows(
    asking: Asking, grouping: Grouping, by_group: Mapping[Any, Sequence[_Units]]
) -> Sequence[RetestRow]:
    places = _places_by_group(asking, grouping)
    return [
        _row(group, by_group[key], places.get(key, _NOWHERE))
        for key, group in grouping.named(by_group.keys()).items()
    ]


def _row(group: Group, units: Sequence[_Units], places: _WherePassed) -> RetestRow:
    failed_first = sum(some.number for some in units if some.attempts > 1 and some.passed_at != 1)
    passed_later = sum(some.number for some in units if some.passed_at is not None and some.passed_at > 1)
    count = sum(some.number for some in units)
    return RetestRow(
        group,
        count,
        ratio_of(sum(some.number for some in units if some.attempts > 1), count),
        ratio_of(passed_later, failed_first),
        ratio_of(places.elsewhere, places.known),
    )


def _attempts(units: Sequence[_Units]) -> Sequence[AttemptsCount]:
    counts = Counter[int]()
    for some in units:
        counts[min(some.attempts, MANY_ATTEMPTS)] += some.number
    return [
        AttemptsCount(attempts, attempts == MANY_ATTEMPTS, count)
        for attempts, count in sorted(counts.items())
    ]


def _moves(asking: Asking) -> tuple[Sequence[StationMove], _WherePassed]:
    """The most frequent moves, and the places of all units."""
    rows = asking.rows(
        "WITH moved AS (SELECT r.created_by_station AS f, r.passed_station AS t, count(*) AS n "
        f"FROM runs r WHERE {asking.runs.sql} AND {_BOTH_KNOWN} GROUP BY f, t) "
        "SELECT f, t, n, (sum(n) OVER ())::BIGINT, (sum(CASE WHEN f <> t THEN n ELSE 0 END) OVER ())::BIGINT "
        f"FROM moved ORDER BY n DESC, f, t LIMIT {MAX_MOVES}"
    )
    stations = references(asking, "station", {station for row in rows for station in row[:2]})
    moves = [StationMove(stations[first], stations[passing], units) for first, passing, units, *_ in rows]
    ordered = sorted(
        moves, key=lambda move: (-move.units, move.first_station.name or "", move.passing_station.name or "")
    )
    return ordered, _WherePassed(*rows[0][-2:]) if rows else _NOWHERE


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
