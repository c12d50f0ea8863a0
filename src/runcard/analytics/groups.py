"""Groups of figures: by period of the calendar, or by what runs refer to."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.calendar import Calendar, Period, name_of, start_of
from runcard.analytics.snapshot import Asking
from runcard.domain.errors import InvalidInput
from runcard.store.lists.names import NameKind, names_of

Reference = Literal["procedure", "version", "station", "operator", "part", "revision", "batch"]
GroupBy = Period | Reference

MAX_GROUPS = 2000

_PERIODS: tuple[str, ...] = get_args(Period)
_COLUMNS = {
    "procedure": "r.procedure",
    "version": "r.version",
    "station": "r.created_by_station",
    # A member's id, or the name of somebody who is not a member.
    "operator": "coalesce(uuid_text(r.operator), r.operator_name)",
    "part": "r.part",
    "revision": "r.revision",
    "batch": "r.batch",
}
_UTC = ZoneInfo("UTC")


class Group(Struct, frozen=True):
    """The group that figures are about.

    key: the id of a record, the name of an operator who is not a member, or the start of a period (ISO 8601, in the
    time zone of the query); None: all runs, or the runs that refer to nothing of the kind. name: for people to read.
    """

    key: str | None
    name: str | None


ALL = Group(None, None)


class Grouping:
    """sql: the expression to group `runs r` by. `named` makes groups of its values."""

    def __init__(self, asking: Asking, group_by: GroupBy | None, zone: ZoneInfo) -> None:
        self._asking = asking
        self._by = group_by
        self._zone = zone
        self.sql = "NULL" if group_by is None else self._sql(group_by)

    def named(self, keys: Collection[Any]) -> Mapping[Any, Group]:
        """The group of each key, in order: periods by time, others by name, groups without a name last.

        Raises InvalidInput for more than MAX_GROUPS.
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
        if group_by in _COLUMNS:
            return _COLUMNS[group_by]
        period: Period = group_by  # type: ignore[assignment]  # not a Reference: those have columns
        return Calendar(self._zone, self._asking.span).sql(period)

    def _period(self, key: datetime) -> Group:
        period: Period = self._by  # type: ignore[assignment]  # not a Reference: `named` checked that
        start = start_of(period, key, self._zone)
        return Group(start.isoformat(), name_of(period, start))

    def _references(self, keys: Collection[Any]) -> dict[Any, Group]:
        ids = self._ids(keys)
        kind: NameKind = self._by  # type: ignore[assignment]  # a Reference: `named` checked that
        names = names_of(
            self._asking.snapshot.scope,
            kind,
            [reference for reference in ids.values() if isinstance(reference, UUID)],
        )
        return {key: _reference(ids[key], names) for key in keys}

    def _ids(self, keys: Collection[Any]) -> dict[Any, UUID | str | None]:
        if self._by == "procedure":
            return {number: procedure_id for procedure_id, number in self._asking.snapshot.procedures.items()}
        return {key: _id_or_name(key) for key in keys}


def references(asking: Asking, kind: Reference, keys: Collection[Any]) -> Mapping[Any, Group]:
    """The groups of what runs refer to, by the value in the column, in order of name.

    Raises InvalidInput for more than MAX_GROUPS.
    """
    return Grouping(asking, kind, _UTC).named(keys)


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise InvalidInput.at(
            "time_zone", f"{name!r} is not a time zone; use an IANA name such as Europe/Berlin"
        ) from error


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
    """Each group with its row, in the order of the groups. The first value of a row is its key, and is left out."""
    by_key = {row[0]: row[1:] for row in rows}
    for key, group in groups.items():
        yield group, by_key[key]


def sums_of(rows: Sequence[tuple[Any, ...]], width: int) -> Sequence[int]:
    """The sums of the last `width` columns, which are counts: the figures of all groups together."""
    return [sum(row[column - width] for row in rows) for column in range(width)]
