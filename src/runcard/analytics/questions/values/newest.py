"""The newest values of a measurement, found without reading the older ones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.measured import SpecRow, on_values
from runcard.analytics.snapshot import Asking
from runcard.domain.runs.outcome import MeasurementOutcome

# To find `count` values, `count` times this many of the newest runs are searched, one try after the other; then all.
_TRIES = (1, 8, 64)


class Value(NamedTuple):
    """measured_at: start of its phase. spec: number of its SpecRow. group: key of its group. station: None if a user
    reported the run.
    """

    measured_at: datetime
    run: int
    position: int
    run_id: UUID
    spec: int
    number: float
    outcome: MeasurementOutcome
    group: Any
    station: UUID | None = None


class Newest(NamedTuple):
    """values: in the order of measuring. has_older: the selection has older values, in runs that started earlier."""

    values: Sequence[Value]
    has_older: bool


def newest_values(
    asking: Asking, specs: Sequence[SpecRow], count: int, group: str, *, only_final: bool
) -> Newest:
    """The finite numbers of the selected runs that started last, at most `count`.

    group: SQL of the key by which `Grouping` groups `runs r`.
    """
    found = _newest_first(asking, specs, count + 1, group, only_final=only_final)
    values = sorted(found[:count], key=attrgetter("measured_at", "run", "position"))
    return Newest(values, len(found) > count)


def _newest_first(
    asking: Asking, specs: Sequence[SpecRow], count: int, group: str, *, only_final: bool
) -> Sequence[Value]:
    for tries in _TRIES:
        since = _start_of_newest(asking, tries * count)
        if since is None:
            break
        found = _values_since(asking, specs, count, group, since, only_final=only_final)
        if len(found) == count:
            return found
    return _values_since(asking, specs, count, group, None, only_final=only_final)


def _start_of_newest(asking: Asking, count: int) -> datetime | None:
    """When the earliest of the `count` newest selected runs started; None if there are fewer."""
    found = asking.rows(
        f"SELECT r.started_at FROM runs r WHERE {asking.runs.sql} "
        f"ORDER BY r.started_at DESC LIMIT 1 OFFSET {count - 1}"
    )
    return found[0][0] if found else None


def _values_since(
    asking: Asking,
    specs: Sequence[SpecRow],
    count: int,
    group: str,
    since: datetime | None,
    *,
    only_final: bool,
) -> Sequence[Value]:
    conditions = on_values(asking, specs, only_final=only_final)
    conditions.add("x.num IS NOT NULL")
    conditions.within("r.started_at", since and since.replace(tzinfo=UTC), None)
    rows = asking.rows(
        f"SELECT x.started_at, x.run, x.position, r.id, x.spec, x.num, x.outcome, {group}, r.created_by_station "
        f"FROM measurements x JOIN runs r USING (run) WHERE {conditions.sql} "
        f"ORDER BY r.started_at DESC, x.run DESC, x.started_at DESC, x.position DESC LIMIT {count}",
        conditions.values,
    )
    return [Value(*row) for row in rows]
