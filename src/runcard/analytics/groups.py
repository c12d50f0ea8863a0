"""Figures side by side: by a period of the calendar, or by what runs refer to."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.asking import Asking
from runcard.analytics.copy.columns import utc
from runcard.domain.errors import InvalidInput
from runcard.store.names import NameKind, names_of

Period = Literal["hour", "day", "week", "month"]
Reference = Literal["procedure", "version", "station", "operator", "part", "revision", "batch"]
GroupBy = Period | Reference

MAX_GROUPS = 2000

_PERIODS: tuple[str, ...] = get_args(Period)
_FORMATS = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
_COLUMNS = {
    "procedure": "r.procedure",
    "version": "r.version",
    "station": "r.created_by_station",
    # A member's id, or the name of somebody who is none.
    "operator": "coalesce(r.operator::VARCHAR, r.operator_name)",
    "part": "r.part",
    "revision": "r.revision",
    "batch": "r.batch",
}
# Between two changes of a zone's clocks lie months, or weeks at least.
_STEP = timedelta(days=7)
_UTC = ZoneInfo("UTC")


class Group(Struct, frozen=True):
    """What some figures are about.

    key: the id of a record, the name of an operator who is no member, or when a period starts (ISO 8601, in the asked
    zone); None: all runs, or those that refer to nothing of the kind. name: as people call it.
    """

    key: str | None
    name: str | None


ALL = Group(None, None)


class Grouping:
    """sql: what to group `runs r` by; its values are turned into groups by `named`."""

    def __init__(self, asking: Asking, group_by: GroupBy | None, zone: ZoneInfo) -> None:
        self._asking = asking
        self._by = group_by
        self._zone = zone
        self.sql = "NULL" if group_by is None else self._sql(group_by)

    def named(self, keys: Collection[Any]) -> Mapping[Any, Group]:
        """The group of each key, in order: periods by time, others by name, those without one last.

        Raises InvalidInput for too many.
        """
        if len(keys) > MAX_GROUPS:
            mend = "choose a longer period or filter"
            raise InvalidInput.at(
                "group_by", f"{self._by} makes {len(keys)} groups, more than {MAX_GROUPS}; {mend}"
            )
        if self._by is None:
            return dict.fromkeys(keys, ALL)
        if self._by in _PERIODS:
            return {key: self._period(key) for key in sorted(keys)}
        groups = self._references(keys)
        return dict(
            sorted(groups.items(), key=lambda item: (item[1].name is None, item[1].name, item[1].key))
        )

    def _sql(self, group_by: GroupBy) -> str:
        if group_by not in _PERIODS:
            return _COLUMNS[group_by]
        shift = self._shift()
        local = f"date_trunc('{group_by}', r.started_at + {shift})"
        # An hour that the clocks repeat is two hours.
        return f"{local} - {shift}" if group_by == "hour" else local

    def _shift(self) -> str:
        """By how much the zone's clocks are ahead of UTC when a run starts: faster than DuckDB's own time zones."""
        [(first, last)] = self._asking.rows("SELECT min(started_at), max(started_at) FROM runs", [])
        if first is None:
            return "INTERVAL 0 SECOND"
        changes = list(_clock_changes(self._zone, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)))
        cases = " ".join(
            f"WHEN r.started_at < TIMESTAMP '{utc(moment)}' THEN {_interval(before)}"
            for moment, before in changes
        )
        newest = _interval(_offset(self._zone, last.replace(tzinfo=UTC)))
        return f"(CASE {cases} ELSE {newest} END)" if cases else newest

    def _period(self, key: datetime) -> Group:
        # Hours are grouped as UTC, longer periods as the clocks of the zone show them.
        is_hour = self._by == "hour"
        start = key.replace(tzinfo=UTC).astimezone(self._zone) if is_hour else key.replace(tzinfo=self._zone)
        return Group(start.isoformat(), start.strftime(_FORMATS[str(self._by)]))

    def _references(self, keys: Collection[Any]) -> dict[Any, Group]:
        ids = self._ids(keys)
        kind: NameKind = self._by  # type: ignore[assignment]  # a Reference: periods were told apart
        names = names_of(
            self._asking.snapshot.connection,
            self._asking.snapshot.organization_id,
            kind,
            [one for one in ids.values() if isinstance(one, UUID)],
        )
        return {key: _reference(ids[key], names) for key in keys}

    def _ids(self, keys: Collection[Any]) -> dict[Any, UUID | str | None]:
        if self._by == "procedure":
            found = self._asking.rows(
                "SELECT procedure, id FROM procedures WHERE organization = ?",
                [self._asking.snapshot.organization_id],
            )
            return dict(found)
        return {key: _id_or_name(key) for key in keys}


def references(asked: Asking, kind: Reference, keys: Collection[Any]) -> Mapping[Any, Group]:
    """The names of what runs refer to, in order, by what stands in their column. Raises InvalidInput for too many."""
    return Grouping(asked, kind, _UTC).named(keys)


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise InvalidInput.at(
            "time_zone", f"{name!r} is no time zone; use an IANA name such as Europe/Berlin"
        ) from error


def _clock_changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The moments at which the zone's clocks are changed from `first` to `last`, each with the offset before it."""
    before = first
    while before < last:
        after = min(before + _STEP, last)
        if _offset(zone, before) != _offset(zone, after):
            yield _change_between(zone, before, after), _offset(zone, before)
        before = after


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = _offset(zone, before)
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) / 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # an aware moment has one
    return offset


def _interval(offset: timedelta) -> str:
    return f"INTERVAL ({round(offset.total_seconds())}) SECOND"


def _id_or_name(key: Any) -> UUID | str | None:
    if key is None or isinstance(key, UUID):
        return key
    try:
        return UUID(key)
    except ValueError:
        return str(key)


def _reference(key: UUID | str | None, names: Mapping[UUID, str]) -> Group:
    if isinstance(key, UUID):
        return Group(str(key), names.get(key, str(key)))
    return Group(key, key)


def in_order(
    groups: Mapping[Any, Group], rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[Group, tuple[Any, ...]]]:
    """Rows whose first value is their key, with their groups, in the order of these."""
    by_key = {row[0]: row[1:] for row in rows}
    for key, group in groups.items():
        yield group, by_key[key]
