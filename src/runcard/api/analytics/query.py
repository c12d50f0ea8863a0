"""The parameters that all questions share."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.snapshot import Selection
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.requests.bounds import QueryBounds
from runcard.store.lists.run_filter import RunFilter


class RunsQuery(Struct, kw_only=True):
    """The runs to ask about. samples: left out: production only. attempts: left out: as is usual for the question."""

    started_after: datetime | None = None
    started_before: datetime | None = None
    procedure_ids: list[UUID] | None = None
    procedure_versions: list[str] | None = None
    station_ids: list[UUID] | None = None
    operator_ids: list[UUID] | None = None
    operator_names: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    serial_numbers: list[str] | None = None
    outcomes: list[RunOutcome] | None = None
    samples: list[SampleChoice] | None = None
    tags: list[str] | None = None
    causes: list[str] | None = None
    attempts: Attempts | None = None


class GroupedQuery(RunsQuery, kw_only=True):
    """time_zone: IANA name of the zone of the hours, days, weeks and months."""

    group_by: GroupBy | None = None
    time_zone: Annotated[str, Meta(max_length=100)] = "UTC"


class MeasurementQuery(GroupedQuery, kw_only=True):
    """A measurement of a procedure, in all phases that have a measurement of this name, or in one of them.

    uom: only values in this unit of measure, or in one that converts to it; an empty text: only values without one.
    exclude_retries: leave out attempts of phases that were repeated in the same run.
    """

    procedure_id: UUID
    measurement_name: Annotated[str, Meta(min_length=1)]
    phase_name: str | None = None
    sequence_path: str | None = None
    uom: str | None = None
    exclude_retries: bool = True


def measured_of(query: MeasurementQuery) -> MeasurementSelection:
    return MeasurementSelection(
        query.procedure_id,
        query.measurement_name,
        query.phase_name,
        query.exclude_retries,
        query.sequence_path,
        query.uom,
    )


def selection_of(query: RunsQuery) -> Selection:
    """The runs that a question is about. Raises InvalidInput."""
    bounds = QueryBounds()
    runs = RunFilter(
        started_after=bounds.moment("started_after", query.started_after),
        started_before=bounds.moment("started_before", query.started_before),
        procedure_ids=query.procedure_ids,
        procedure_versions=query.procedure_versions,
        created_by_station_ids=query.station_ids,
        operated_by_ids=query.operator_ids,
        operated_by_names=query.operator_names,
        part_numbers=query.part_numbers,
        revision_numbers=query.revision_numbers,
        batch_numbers=query.batch_numbers,
        serial_numbers=query.serial_numbers,
        outcomes=query.outcomes,
        samples=query.samples,
        tags=query.tags,
        causes=query.causes,
    )
    bounds.check()
    return Selection(runs, query.attempts)
