"""The list of units of the v2 API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.analytics.lists.unit_lists import list_units
from runcard.api.v2.created import CreatedQuery, period_of
from runcard.api.v2.runs.shapes import PartWithRevision
from runcard.api.v2.shapes import (
    CreatorRef,
    IdName,
    IdNumber,
    MetadataBody,
    UnitRef,
    creator,
    named,
    numbered,
    unit_ref,
)
from runcard.api.v2.units.units import part_of
from runcard.domain.floor.sample import SampleChoice, SampleClass
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import metadata_tests
from runcard.edge.requests.services import WithScope, WithServices
from runcard.store.lists.run_filter import RunFilter
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.metadata import read_metadata
from runcard.store.units.lists import LastRun, UnitFilter, list_first_children, list_last_runs

router = APIRouter()

# A list shows the first children of each unit; the unit itself shows all.
_SHOWN_CHILDREN = 10
RunCount = Annotated[int, Meta(ge=0, lt=1 << 53)]


class UnitListQuery(CreatedQuery):
    """procedure_ids, outcomes, started_*: of any run of the unit; with latest_only, of its newest run."""

    search_query: str | None = None
    ids: list[UUID] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    procedure_ids: list[UUID] | None = None
    outcomes: list[RunOutcome] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    latest_only: bool = False
    run_count_min: RunCount | None = None
    run_count_max: RunCount | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None
    exclude_units_with_parent: bool = False
    samples: list[SampleChoice] | None = None
    sort_by: Literal["serial_number", "created_at", "last_run_at", "part_number", "last_run_procedure"] = (
        "created_at"
    )
    sort_order: Literal["asc", "desc"] = "desc"
    tags: list[str] | None = None
    causes: list[str] | None = None
    metadata: str | None = None
    include_metadata: bool = False


class UnitLastRun(Struct):
    id: UUID
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    procedure: IdName


class UnitListItem(Struct):
    id: UUID
    serial_number: str
    created_at: datetime
    sample: SampleClass | None
    children: list[UnitRef]
    part: PartWithRevision
    created_by_user: CreatorRef | None
    created_by_station: IdName | None
    batch: IdNumber | None
    parent: UnitRef | None
    last_run: UnitLastRun | None
    former_serial_numbers: Sequence[str]
    metadata: MetadataBody | UnsetType = UNSET


class UnitListResponse(Struct):
    data: list[UnitListItem]
    meta: PageMeta


@router.get(
    "/units",
    openapi_extra=operation(UnitListResponse, name="unit-list", parameters=query_parameters(UnitListQuery)),
)
def list_(
    services: WithServices,
    scope: WithScope,
    query: Annotated[UnitListQuery, query(UnitListQuery)],
) -> Response:
    """Filtered, sorted and paged units, each with its parent, its first children and its newest run."""
    page = page_of(scope.connection, query)
    unit_filter, descending = _unit_filter(query), query.sort_order == "desc"
    listed = list_units(services.copy, scope, unit_filter, query.sort_by, page, descending=descending)
    ids = [unit.id for unit in listed.rows]
    children = list_first_children(scope, ids, _SHOWN_CHILDREN)
    last_runs = list_last_runs(scope, ids)
    former = list_former_serial_numbers(scope, ids)
    metadata = read_metadata(scope, ids) if query.include_metadata else None
    data = [
        UnitListItem(
            unit.id,
            unit.serial_number,
            unit.created_at,
            unit.sample,
            [unit_ref(child) for child in children.get(unit.id, ())],
            part_of(unit),
            creator(unit.created_by.user),
            named(unit.created_by.station),
            None if unit.batch is None else numbered(unit.batch),
            None if unit.parent is None else unit_ref(unit.parent),
            _last_run(last_runs.get(unit.id)),
            former.get(unit.id, ()),
            UNSET if metadata is None else metadata.get(unit.id, {}),
        )
        for unit in listed.rows
    ]
    return JsonResponse(UnitListResponse(data, meta_of(page, listed)))


def _unit_filter(query: UnitListQuery) -> UnitFilter:
    created, run = period_of(query), _run_filter(query)
    return UnitFilter(
        search=query.search_query,
        ids=query.ids,
        serial_numbers=query.serial_numbers,
        part_numbers=query.part_numbers,
        revision_numbers=query.revision_numbers,
        batch_numbers=query.batch_numbers,
        samples=query.samples,
        created_after=created.after,
        created_before=created.before,
        created_by_user_ids=query.created_by_user_ids,
        created_by_station_ids=query.created_by_station_ids,
        without_parent=query.exclude_units_with_parent,
        run_count_min=query.run_count_min,
        run_count_max=query.run_count_max,
        with_run=None if query.latest_only else run,
        with_newest_run=run if query.latest_only else None,
        tags=query.tags,
        causes=query.causes,
        metadata=metadata_tests(query.metadata),
    )


def _run_filter(query: UnitListQuery) -> RunFilter | None:
    """The filter that a run of the unit must match; None: the unit need not have a run."""
    run = RunFilter(
        procedure_ids=query.procedure_ids,
        outcomes=query.outcomes,
        started_after=moment_bound("started_after", query.started_after),
        started_before=moment_bound("started_before", query.started_before),
    )
    return None if run == RunFilter() else run


def _last_run(run: LastRun | None) -> UnitLastRun | None:
    if run is None:
        return None
    procedure = IdName(run.procedure.id, run.procedure.name)
    return UnitLastRun(run.id, run.outcome, *reported_times(run), procedure)
