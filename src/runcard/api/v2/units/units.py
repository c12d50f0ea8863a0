"""Units of the v2 API: create, get, update, delete."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.api.v2.runs.bodies import Name100
from runcard.api.v2.runs.shapes import PartWithRevision
from runcard.api.v2.shapes import (
    CreatorRef,
    IdListResult,
    IdName,
    IdNumber,
    IdResult,
    MetadataBody,
    MetadataChangeBody,
    Name60,
    creator,
    named,
    numbered,
)
from runcard.domain.actor import UserActor
from runcard.domain.floor.sample import SampleClass
from runcard.domain.instant import format_duration
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.deleted import deleted_answer
from runcard.edge.files.uploads import download_url, settled
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.record_unit import NewUnit, UnitChange, change_unit, create_unit
from runcard.store.bin.deleting import Deletion
from runcard.store.files.attachments import Attachment, list_attachments_of_unit
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.metadata import read_metadata
from runcard.store.units.records import (
    FirstRun,
    UnitRecord,
    delete_units,
    find_first_run,
    get_unit,
    list_children,
    read_units,
)

router = APIRouter()


class UnitCreateBody(Struct):
    serial_number: Name60
    part_number: Name60
    revision_number: Name60
    sample: SampleClass | None = None
    metadata: MetadataBody | None = None


class UnitUpdateBody(Struct):
    """batch_number: null takes the unit out of its batch. sample: null makes it a production unit.

    sample_applies_to: later_runs: the present runs of the unit stay what they are.
    """

    new_serial_number: Name60 | UnsetType = UNSET
    part_number: Name60 | UnsetType = UNSET
    revision_number: Name60 | UnsetType = UNSET
    batch_number: Name100 | UnsetType | None = UNSET
    attachments: list[UUID] | None = None
    sample: SampleClass | UnsetType | None = UNSET
    sample_applies_to: Literal["all_runs", "later_runs"] = "all_runs"
    metadata: MetadataChangeBody | None = None


class UnitDeleteQuery(Struct):
    """cascade: delete units together with their runs; without it, units that have runs are refused."""

    serial_numbers: Annotated[list[str], Meta(min_length=1, max_length=1000)]
    cascade: bool = False


class UnitRelative(Struct):
    id: UUID
    serial_number: str
    part: PartWithRevision


class UnitFirstRun(Struct):
    """The first run that named the unit."""

    id: UUID
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    duration: str
    outcome: RunOutcome
    procedure: IdName


class UnitAttachment(Struct):
    """size, content_type and download_url are null until the bytes have arrived."""

    id: UUID
    name: str
    size: int | None
    content_type: str | None
    download_url: str | None


class UnitGetResponse(Struct):
    id: UUID
    serial_number: str
    created_at: datetime
    sample: SampleClass | None
    part: PartWithRevision
    parent: UnitRelative | None
    created_by_user: CreatorRef | None
    created_by_station: IdName | None
    batch: IdNumber | None
    children: list[UnitRelative]
    created_during: UnitFirstRun | None
    attachments: list[UnitAttachment]
    metadata: MetadataBody
    former_serial_numbers: Sequence[str]


@router.post("/units", openapi_extra=operation(IdResult, UnitCreateBody, name="unit-create"))
def create(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[UnitCreateBody, json_body(UnitCreateBody)],
) -> Response:
    """Create a unit of an existing part revision."""
    unit = NewUnit(
        body.serial_number.strip(),
        body.part_number.strip(),
        body.revision_number.strip(),
        body.sample,
        body.metadata or {},
    )
    unit_id = services.writer.write(actor, lambda tx: create_unit(tx, actor, unit))
    return JsonResponse(IdResult(unit_id))


@router.delete(
    "/units",
    openapi_extra=operation(IdListResult, name="unit-delete", parameters=query_parameters(UnitDeleteQuery)),
)
def delete(
    actor: Annotated[UserActor, to_manage("delete units")],
    services: WithServices,
    query: Annotated[UnitDeleteQuery, query(UnitDeleteQuery)],
) -> Response:
    """Delete units, all or none. Their sub-units stay."""
    deleted = services.writer.write_catalog(
        actor, lambda tx: delete_units(tx, query.serial_numbers, Deletion(), with_runs=query.cascade)
    )
    return deleted_answer(services, actor.organization_id, IdListResult(list(deleted)))


@router.get("/units/{serial_number:path}", openapi_extra=operation(UnitGetResponse, name="unit-get"))
def get(serial_number: str, request: Request, services: WithServices, scope: WithScope) -> Response:
    """A unit by its serial number, with its parent, its children and its files."""
    root = str(request.base_url)
    unit = get_unit(scope, serial_number)
    parent = unit.parent and read_units(scope, [unit.parent.id]).get(unit.parent.id)
    files = settled(services, list_attachments_of_unit(scope, unit.id))
    return JsonResponse(
        UnitGetResponse(
            unit.id,
            unit.serial_number,
            unit.created_at,
            unit.sample,
            part_of(unit),
            None if parent is None else _relative(parent),
            creator(unit.created_by.user),
            named(unit.created_by.station),
            None if unit.batch is None else numbered(unit.batch),
            [_relative(child) for child in list_children(scope, unit.id)],
            _first_run(find_first_run(scope, unit)),
            [_attachment(file, lambda stored: download_url(services, stored, root)) for file in files],
            read_metadata(scope, [unit.id]).get(unit.id, {}),
            list_former_serial_numbers(scope, [unit.id]).get(unit.id, ()),
        )
    )


@router.patch(
    "/units/{serial_number:path}", openapi_extra=operation(IdResult, UnitUpdateBody, name="unit-update")
)
def update(
    serial_number: str,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[UnitUpdateBody, json_body(UnitUpdateBody)],
) -> Response:
    """Change a unit's numbers, batch, sample class and metadata, and link files to it."""
    change = UnitChange(
        serial_number=_trimmed(body.new_serial_number),
        part_number=_trimmed(body.part_number),
        revision_number=_trimmed(body.revision_number),
        batch_number=None if body.batch_number is None else _trimmed(body.batch_number),
        sample=body.sample,
        runs_follow=body.sample_applies_to == "all_runs",
        metadata=body.metadata or {},
        upload_ids=body.attachments or (),
    )
    is_cataloged = change.serial_number is not UNSET or change.sample is not UNSET
    write = services.writer.write_catalog if is_cataloged else services.writer.write
    unit_id = write(actor, lambda tx: change_unit(tx, actor, serial_number, change))
    return JsonResponse(IdResult(unit_id))


def part_of(unit: UnitRecord) -> PartWithRevision:
    part = unit.part
    return PartWithRevision(part.id, part.number, part.name, numbered(unit.revision))


def _trimmed(text: str | UnsetType) -> str | UnsetType:
    return text if text is UNSET else text.strip()


def _relative(unit: UnitRecord) -> UnitRelative:
    return UnitRelative(unit.id, unit.serial_number, part_of(unit))


def _first_run(run: FirstRun | None) -> UnitFirstRun | None:
    if run is None:
        return None
    procedure = IdName(run.procedure.id, run.procedure.name)
    reported = reported_times(run)
    return UnitFirstRun(
        run.id,
        run.created_at,
        reported.started_at,
        reported.ended_at,
        format_duration(reported.duration),
        run.outcome,
        procedure,
    )


def _attachment(file: Attachment, link_to: Callable[[Attachment], str]) -> UnitAttachment:
    if file.size_bytes is None:
        return UnitAttachment(file.id, file.name, None, None, None)
    return UnitAttachment(file.id, file.name, file.size_bytes, file.shown_content_type, link_to(file))
