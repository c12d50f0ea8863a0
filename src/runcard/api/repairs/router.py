"""The list of repairs."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import asdict
from starlette.responses import Response

from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope
from runcard.store.units.repairs import RepairFilter, RepairRecord, list_repairs

router = APIRouter()


class RepairListQuery(PageQuery, kw_only=True):
    """part_numbers: the units' present part numbers."""

    ids: list[UUID] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    sort_order: Literal["asc", "desc"] = "desc"


class RepairedUnit(Struct):
    """part_number: the unit's present part number."""

    id: UUID
    serial_number: str
    part_number: str


class RepairPerson(Struct):
    """A person who is not a member has only a name."""

    id: UUID | None
    name: str
    email: str | None


class RepairSource(Struct):
    """The member or station that sent the report."""

    id: UUID
    name: str


class FoundFailure(Struct):
    """component: its place on the board. serial_number: of the sub-unit that failed; null: the unit itself."""

    code: str | None
    category: str | None
    comment: str | None
    component: str | None
    function_block: str | None
    component_number: str | None
    component_revision: str | None
    component_vendor: str | None
    component_description: str | None
    step_id: int | str | None
    step_name: str | None
    serial_number: str | None


class FoundPart(Struct):
    """replaced: serial number of the sub-unit that it replaced; null: it was only inspected."""

    serial_number: str | None
    part_number: str | None
    revision_number: str | None
    part_type: str | None
    replaced: str | None


class RepairListItem(Struct):
    """operation: kind of the repair. of_report, of_operation: report and operation of the run that sent the unit to
    repair. run_id: that run, if the unit has a run from that report.
    """

    id: UUID
    unit: RepairedUnit
    operation: str
    outcome: RunOutcome
    started_at: datetime
    operated_by: RepairPerson | None
    comment: str | None
    of_report: str | None
    of_operation: str | None
    run_id: UUID | None
    failures: list[FoundFailure]
    parts: list[FoundPart]
    metadata: dict[str, MetadataValue]
    created_at: datetime
    created_by_user: RepairSource | None
    created_by_station: RepairSource | None


class RepairListResponse(Struct):
    data: list[RepairListItem]
    meta: PageMeta


@router.get(
    "/repairs",
    openapi_extra=operation(
        RepairListResponse, name="repair-list", parameters=query_parameters(RepairListQuery)
    ),
)
def list_(scope: WithScope, query: Annotated[RepairListQuery, query(RepairListQuery)]) -> Response:
    """Filtered and paged repairs, in the order of their start."""
    page = page_of(scope.connection, query)
    repair_filter = RepairFilter(
        query.ids,
        query.serial_numbers,
        query.part_numbers,
        moment_bound("started_after", query.started_after),
        moment_bound("started_before", query.started_before),
    )
    listed = list_repairs(scope, repair_filter, page, descending=query.sort_order == "desc")
    return JsonResponse(RepairListResponse([_item(record) for record in listed.rows], meta_of(page, listed)))


def _item(record: RepairRecord) -> RepairListItem:
    report, (user, station) = record.report, record.created_by
    return RepairListItem(
        id=record.id,
        unit=RepairedUnit(record.unit.id, record.unit.serial_number, record.part.number),
        operation=report.operation,
        outcome=report.outcome,
        started_at=report.started_at,
        operated_by=_operator(record),
        comment=report.comment,
        of_report=report.of_report,
        of_operation=report.of_operation,
        run_id=record.run_id,
        failures=[FoundFailure(**asdict(failure)) for failure in report.failures],
        parts=[FoundPart(**asdict(part)) for part in report.parts],
        metadata=dict(report.metadata),
        created_at=record.created_at,
        created_by_user=None if user is None else RepairSource(user.id, user.name),
        created_by_station=None if station is None else RepairSource(*station),
    )


def _operator(record: RepairRecord) -> RepairPerson | None:
    if record.operator is not None:
        return RepairPerson(*record.operator)
    return None if record.operator_name is None else RepairPerson(None, record.operator_name, None)
