"""Conditions on rows of the copy: SQL made of names from `schema`, and its values."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from runcard.analytics.copy.columns import utc
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.store.lists.run_filter import RunFilter

_MICROSECOND = timedelta(microseconds=1)
# Longer than anything that is recorded.
_LONGEST = 2**62


class Conditions:
    """Conditions that a row must all meet."""

    def __init__(self) -> None:
        self._sql: list[str] = []
        self.values: list[Any] = []

    @classmethod
    def of(cls, sql: str, *values: Any) -> "Conditions":
        """A single condition."""
        conditions = cls()
        conditions.add(sql, *values)
        return conditions

    def add(self, sql: str, *values: Any) -> None:
        self._sql.append(sql)
        self.values += values

    def one_of(self, column: str, values: Collection[Any] | None, kind: str = "VARCHAR") -> None:
        """The column has one of these values; None: no condition."""
        if values is not None:
            self.add(is_one_of(column, values, kind), *values)

    def within(self, column: str, lower: Any, upper: Any) -> None:
        """Inclusive bounds; None is no bound."""
        if lower is not None:
            self.add(f"{column} >= ?", _bound(lower))
        if upper is not None:
            self.add(f"{column} <= ?", _bound(upper))

    def and_of(self, other: "Conditions") -> "Conditions":
        """The conditions of both."""
        both = Conditions()
        for conditions in (self, other):
            both.add(conditions.sql, *conditions.values)
        return both

    @property
    def is_empty(self) -> bool:
        return not self._sql

    @property
    def sql(self) -> str:
        return " AND ".join(self._sql) or "TRUE"


def is_one_of(column: str, values: Collection[Any], kind: str) -> str:
    """The condition that a column has one of these values. The type keeps numbers from being compared as texts."""
    return f"{column} IN ({', '.join([f'?::{kind}'] * len(values))})" if values else "FALSE"


def microseconds_between(start: str, end: str) -> str:
    return f"(epoch_us({end}) - epoch_us({start}))"


def on_runs(run_filter: RunFilter, resolved: Mapping[str, Sequence[UUID]]) -> Conditions:
    """The conditions on a row of `runs r`, other than its procedure. resolved: ids for the names in the filter."""
    runs = Conditions()
    ids: list[tuple[str, Collection[UUID] | None]] = [
        ("id", run_filter.ids),
        ("id", resolved.get("id")),
        ("deployment", run_filter.deployment_ids),
        ("deployment", resolved.get("deployment_id")),
        ("created_by_user", run_filter.created_by_user_ids),
        ("created_by_station", run_filter.created_by_station_ids),
        ("operator", run_filter.operated_by_ids),
        *((name, resolved.get(f"{name}_id")) for name in ("unit", "part", "revision", "batch", "version")),
    ]
    for column, values in ids:
        runs.one_of(f"r.{column}", values, "UUID")
    runs.one_of("r.outcome", run_filter.outcomes, "run_outcome")
    runs.one_of("r.execution_id", run_filter.execution_ids)
    runs.one_of("r.slot_key", run_filter.slot_keys)
    runs.one_of("r.slot_name", run_filter.slot_names)
    runs.one_of("r.operator_name", run_filter.operated_by_names)
    if run_filter.voided is not None:
        runs.add("r.voided_at IS NOT NULL" if run_filter.voided else "r.voided_at IS NULL")
    runs.within("r.started_at", run_filter.started_after, run_filter.started_before)
    runs.within("r.ended_at", run_filter.ended_after, run_filter.ended_before)
    runs.within("r.created_at", run_filter.created_after, run_filter.created_before)
    duration = microseconds_between("r.started_at", "r.ended_at")
    runs.within(duration, run_filter.duration_min, run_filter.duration_max)
    if run_filter.samples is not None:
        classes = [sample for sample in run_filter.samples if sample != "production"]
        production = " OR r.sample IS NULL" if "production" in run_filter.samples else ""
        runs.add(f"({is_one_of('r.sample', classes, 'VARCHAR')}{production})", *classes)
    return runs


def procedure_numbers(
    cursor: CopyCursor, organization_id: UUID, procedure_ids: Collection[UUID] | None
) -> list[int]:
    """The numbers of the organization's procedures, or of these among them; None: all."""
    conditions = Conditions()
    conditions.add("organization = ?", organization_id)
    conditions.one_of("id", procedure_ids, "UUID")
    return numbers(cursor, "procedure", "procedures", conditions)


def numbers(cursor: CopyCursor, column: str, table: str, conditions: Conditions) -> list[int]:
    """The numbers in a column of the rows that meet the conditions. As literals they rule out more than a join."""
    query = f"SELECT {column} FROM {table} WHERE {conditions.sql}"
    return [number for (number,) in cursor.execute(query, conditions.values).fetchall()]


def _bound(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, timedelta):
        return max(-_LONGEST, min(value // _MICROSECOND, _LONGEST))
    return value
