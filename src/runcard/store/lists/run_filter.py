"""The filter of runs: conditions that lists of runs, and of what is inside runs, share."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, CompoundSelect, Select, Table, or_, select, type_coerce

from runcard.domain.floor.sample import SampleChoice, SampleClass
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.engine import tables as t
from runcard.store.engine.column_types import Span
from runcard.store.engine.scope import owned_by
from runcard.store.lists.noted import has_cause, has_tag
from runcard.store.lists.part_numbers import parts_called
from runcard.store.lists.serials import serial_number_contains, units_called
from runcard.store.metadata import MetadataTest, keeps

# A query of ids.
Query = Select[Any] | CompoundSelect[Any]


class RunFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a run must all meet, named as in the v2 API. None: no condition. Bounds are inclusive.

    search_query: part of the unit's serial number, or the beginning of the run's id. samples: the sample class of the
    unit at the time of the run. voided: only voided runs, or only the others. corrected: only runs that a person
    corrected, or only the others. tags: names, of which the run has one. causes: codes, of which the run's cause has
    one, or stands below one that has.
    """

    search_query: str | None = None
    ids: Sequence[UUID] | None = None
    outcomes: Sequence[RunOutcome] | None = None
    procedure_ids: Sequence[UUID] | None = None
    procedure_versions: Sequence[str] | None = None
    deployment_ids: Sequence[UUID] | None = None
    environments: Sequence[str] | None = None
    execution_ids: Sequence[str] | None = None
    slot_keys: Sequence[str] | None = None
    slot_names: Sequence[str] | None = None
    serial_numbers: Sequence[str] | None = None
    samples: Sequence[SampleChoice] | None = None
    voided: bool | None = None
    corrected: bool | None = None
    part_numbers: Sequence[str] | None = None
    revision_numbers: Sequence[str] | None = None
    batch_numbers: Sequence[str] | None = None
    duration_min: timedelta | None = None
    duration_max: timedelta | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: Sequence[UUID] | None = None
    created_by_station_ids: Sequence[UUID] | None = None
    operated_by_ids: Sequence[UUID] | None = None
    operated_by_names: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    causes: Sequence[str] | None = None
    metadata: Sequence[MetadataTest] = ()

    @property
    def is_noted(self) -> bool:
        """Whether it has a condition on what people noted on the run or corrected in it."""
        return self.tags is not None or self.causes is not None or self.corrected is not None


def run_conditions(organization_id: UUID, run_filter: RunFilter) -> list[ColumnElement[bool]]:
    """The conditions that a row of `runs` must meet."""
    r = t.runs.c
    return [
        owned_by(organization_id, r),
        *_own_lists(run_filter),
        *_bounds(run_filter),
        *_by_name(organization_id, run_filter),
        *(keeps(organization_id, r.id, test) for test in run_filter.metadata),
    ]


def duration_of_runs() -> ColumnElement[Any]:
    """How long a run took, as an expression to compare and sort by."""
    return type_coerce(t.runs.c.ended_at - t.runs.c.started_at, Span)


def _own_lists(run_filter: RunFilter) -> Iterator[ColumnElement[bool]]:
    r = t.runs.c
    lists: list[tuple[Sequence[Any] | None, ColumnElement[Any]]] = [
        (run_filter.ids, r.id),
        (run_filter.outcomes, r.outcome),
        (run_filter.procedure_ids, r.procedure_id),
        (run_filter.deployment_ids, r.deployment_id),
        (run_filter.execution_ids, r.execution_id),
        (run_filter.slot_keys, r.slot_key),
        (run_filter.slot_names, r.slot_name),
        (run_filter.created_by_user_ids, r.created_by_user_id),
        (run_filter.created_by_station_ids, r.created_by_station_id),
        (run_filter.operated_by_ids, r.operator_id),
        (run_filter.operated_by_names, r.operator_name),
    ]
    for values, column in lists:
        if values is not None:
            yield column.in_(values)


def _bounds(run_filter: RunFilter) -> Iterator[ColumnElement[bool]]:
    r, duration = t.runs.c, duration_of_runs()
    bounds: list[tuple[datetime | timedelta | None, datetime | timedelta | None, ColumnElement[Any]]] = [
        (run_filter.started_after, run_filter.started_before, r.started_at),
        (run_filter.ended_after, run_filter.ended_before, r.ended_at),
        (run_filter.created_after, run_filter.created_before, r.created_at),
        (run_filter.duration_min, run_filter.duration_max, duration),
    ]
    for lower, upper, column in bounds:
        if lower is not None:
            yield column >= lower
        if upper is not None:
            yield column <= upper


def _by_name(organization_id: UUID, run_filter: RunFilter) -> Iterator[ColumnElement[bool]]:
    """Conditions on what a run refers to, by the names that people use."""
    r = t.runs.c
    for reference, ids in named_ids(organization_id, run_filter).items():
        if reference == "unit_id" and len(run_filter.serial_numbers or ()) == 1:
            # The number means at most one unit. Knowing that, SQLite reads its runs, not all runs by their start.
            yield r[reference] == ids.limit(1).scalar_subquery()
        else:
            yield r[reference].in_(ids)
    if run_filter.samples is not None:
        yield sample_is_one_of(r.sample, run_filter.samples)
    if run_filter.tags is not None:
        yield has_tag(organization_id, r.id, run_filter.tags)
    if run_filter.causes is not None:
        yield has_cause(organization_id, r.id, run_filter.causes)
    if run_filter.corrected is not None:
        yield r.as_reported.is_not(None) if run_filter.corrected else r.as_reported.is_(None)
    if run_filter.voided is not None:
        yield r.voided_at.is_not(None) if run_filter.voided else r.voided_at.is_(None)
    if run_filter.search_query is not None:
        yield or_(*_matches(organization_id, run_filter.search_query))


def named_ids(organization_id: UUID, run_filter: RunFilter) -> Mapping[str, Query]:
    """For each column of `runs`, the ids of the records that a filter names there. Case does not count.

    Environments are compared with case: people do not choose their names.
    """
    names: list[tuple[str, Sequence[str] | None, Table, ColumnElement[Any]]] = [
        ("revision_id", run_filter.revision_numbers, t.revisions, t.revisions.c.number_key),
        ("batch_id", run_filter.batch_numbers, t.batches, t.batches.c.number_key),
        ("version_id", run_filter.procedure_versions, t.procedure_versions, t.procedure_versions.c.tag_key),
    ]
    found: dict[str, Query] = {
        reference: select(table.c.id).where(
            owned_by(organization_id, table.c), key.in_([lookup_key(value) for value in values])
        )
        for reference, values, table, key in names
        if values is not None
    }
    if run_filter.part_numbers is not None:
        found["part_id"] = parts_called(organization_id, run_filter.part_numbers)
    if run_filter.serial_numbers is not None:
        found["unit_id"] = units_called(organization_id, run_filter.serial_numbers)
    if run_filter.environments is not None:
        d = t.deployments.c
        found["deployment_id"] = select(d.id).where(
            owned_by(organization_id, d), d.environment.in_(run_filter.environments)
        )
    return found


def sample_is_one_of(
    sample: ColumnElement[SampleClass | None], samples: Sequence[SampleChoice]
) -> ColumnElement[bool]:
    """The condition that the class of a unit or a run is one of these."""
    named = [sample_class for sample_class in samples if sample_class != "production"]
    return or_(sample.in_(named), sample.is_(None)) if "production" in samples else sample.in_(named)


def _matches(organization_id: UUID, text: str) -> Iterator[ColumnElement[bool]]:
    u = t.units.c
    named = select(u.id).where(owned_by(organization_id, u), serial_number_contains(organization_id, text))
    yield t.runs.c.unit_id.in_(named)
    if ids := ids_beginning_with(text):
        yield t.runs.c.id.between(*ids)


def ids_beginning_with(text: str) -> tuple[UUID, UUID] | None:
    """The first and the last id whose text begins with this one; None if no id can begin so."""
    digits = text.lower().replace("-", "")
    if len(digits) > 32 or not set(digits) <= set("0123456789abcdef") or not _is_prefix_of_id(text.lower()):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _is_prefix_of_id(text: str) -> bool:
    """Whether hyphens stand exactly where an id has them."""
    return all((character == "-") == (position in (8, 13, 18, 23)) for position, character in enumerate(text))
