"""Revisions of parts in the v2 API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from runcard.api.v2.files.images import image_id_of
from runcard.api.v2.shapes import (
    CreatorRef,
    IdName,
    IdResult,
    MetadataBody,
    MetadataChangeBody,
    Name60,
    UnitRef,
    creator,
    given,
    named,
)
from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.reach import check_may_create
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.metadata import read_metadata
from runcard.store.products.parts import get_part
from runcard.store.products.revisions import change_revision, create_revision, delete_revision, get_revision
from runcard.store.trail.metadata import change_metadata
from runcard.store.units.members import list_units_of_revision

router = APIRouter()

# A number may contain slashes. If a path can be read in several ways, the part's number is the longest possible.
_REVISIONS = "/parts/{part_number:path}/revisions"
_REVISION = _REVISIONS + "/{revision_number:path}"


class RevisionCreateBody(Struct):
    number: Name60
    metadata: MetadataBody | None = None


class RevisionUpdateBody(Struct):
    """image_id: an upload; an empty text removes the image."""

    number: Name60 | UnsetType = UNSET
    image_id: str | UnsetType = UNSET
    metadata: MetadataChangeBody | UnsetType = UNSET


class RevisionPart(Struct):
    id: UUID
    number: str
    name: str


class RevisionGetResponse(Struct):
    """units: of more than 10 000, the newest."""

    id: UUID
    number: str
    created_at: datetime
    created_by_user: CreatorRef | None
    created_by_station: IdName | None
    part: RevisionPart
    units: list[UnitRef]
    metadata: MetadataBody


@router.post(_REVISIONS, openapi_extra=operation(IdResult, RevisionCreateBody, name="part-createRevision"))
def create(
    part_number: str,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[RevisionCreateBody, json_body(RevisionCreateBody)],
) -> Response:
    """Add a revision to a part."""

    def apply(tx: Transaction) -> UUID:
        check_may_create(tx, actor, "Revision")
        by = Creator.of(actor)
        part = get_part(tx.scope, part_number)
        revision_id = create_revision(tx, part, body.number.strip(), by)
        change_metadata(tx, "revision", revision_id, "metadata", body.metadata or {})
        return revision_id

    return JsonResponse(IdResult(services.writer.write(actor, apply)))


@router.get(_REVISION, openapi_extra=operation(RevisionGetResponse, name="part-getRevision"))
def get(part_number: str, revision_number: str, scope: WithScope) -> Response:
    """A revision with its part and its units."""
    revision = get_revision(scope, part_number, revision_number)
    units = list_units_of_revision(scope, revision.id)
    return JsonResponse(
        RevisionGetResponse(
            revision.id,
            revision.number,
            revision.created_at,
            creator(revision.created_by.user),
            named(revision.created_by.station),
            RevisionPart(*revision.part),
            [UnitRef(unit.id, unit.serial_number) for unit in units],
            read_metadata(scope, [revision.id]).get(revision.id, {}),
        )
    )


@router.patch(_REVISION, openapi_extra=operation(IdResult, RevisionUpdateBody, name="part-updateRevision"))
def update(
    part_number: str,
    revision_number: str,
    actor: Annotated[UserActor, to_manage("change revisions")],
    services: WithServices,
    body: Annotated[RevisionUpdateBody, json_body(RevisionUpdateBody)],
) -> Response:
    """Renumber a revision, set or remove its image, and merge its metadata."""
    if body == RevisionUpdateBody():
        raise InvalidInput.at((), "The body is empty; give number, image_id or metadata.")

    def apply(tx: Transaction) -> UUID:
        revision = get_revision(tx.scope, part_number, revision_number)
        image = body.image_id
        image_id = UNSET if image is UNSET else image_id_of(tx.scope, image)
        change_revision(tx, revision, number=given(body.number), image_id=image_id)
        change_metadata(tx, "revision", revision.id, "metadata", body.metadata or {})
        return revision.id

    return JsonResponse(IdResult(services.writer.write_catalog(actor, apply)))


@router.delete(_REVISION, openapi_extra=operation(IdResult, name="part-deleteRevision"))
def delete(
    part_number: str,
    revision_number: str,
    actor: Annotated[UserActor, to_manage("delete revisions")],
    services: WithServices,
) -> Response:
    """Delete a revision. Refused while units or runs name it, and for the last revision of a part."""

    def apply(tx: Transaction) -> UUID:
        revision = get_revision(tx.scope, part_number, revision_number)
        delete_revision(tx, revision)
        return revision.id

    return JsonResponse(IdResult(services.writer.write_catalog(actor, apply)))
