"""Versions of procedures in the v2 API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.api.v2.shapes import SOME_TEXT, CreatorRef, IdName, IdResult, creator, named
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
from runcard.ingest.resolve import resolve_procedure
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.procedures.records import (
    count_runs_of,
    create_version,
    delete_version,
    get_procedure_record,
    get_version,
)

router = APIRouter()

_MAX_TAG_LENGTH = 60


class VersionCreateBody(Struct):
    # A tag that is too long is refused below, because clients look for words that msgspec's message lacks.
    tag: Annotated[
        str, Meta(min_length=1, pattern=SOME_TEXT, extra_json_schema={"maxLength": _MAX_TAG_LENGTH})
    ]


class VersionGetResponse(Struct):
    id: UUID
    tag: str
    created_at: datetime
    procedure: IdName
    run_count: int
    created_by_user: CreatorRef | None
    created_by_station: IdName | None


@router.post(
    "/procedures/{procedure_id}/versions",
    openapi_extra=operation(IdResult, VersionCreateBody, name="procedure-createVersion"),
)
def create(
    procedure_id: UUID,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[VersionCreateBody, json_body(VersionCreateBody)],
) -> Response:
    """Register a version of a procedure. A station does so only for procedures that it is linked to."""
    tag = body.tag.strip()
    if len(tag) > _MAX_TAG_LENGTH:
        raise InvalidInput.at("tag", f"has {len(tag)} characters; use at most {_MAX_TAG_LENGTH} characters")

    def apply(tx: Transaction) -> UUID:
        found = resolve_procedure(tx.catalog, actor, str(procedure_id))
        check_may_create(tx, actor, "Version")
        return create_version(tx, found, tag, Creator.of(actor))

    return JsonResponse(IdResult(services.writer.write(actor, apply)))


@router.get(
    "/procedures/{procedure_id}/versions/{tag:path}",
    openapi_extra=operation(VersionGetResponse, name="procedure-getVersion"),
)
def get(procedure_id: str, tag: str, scope: WithScope) -> Response:
    """A version by its tag, with the number of runs that name it."""
    procedure = get_procedure_record(scope, procedure_id)
    version = get_version(scope, procedure.id, tag)
    return JsonResponse(
        VersionGetResponse(
            version.id,
            version.tag,
            version.created_at,
            IdName(procedure.id, procedure.name),
            count_runs_of(scope, procedure.id, version.id),
            creator(version.created_by.user),
            named(version.created_by.station),
        )
    )


@router.delete(
    "/procedures/{procedure_id}/versions/{tag:path}",
    openapi_extra=operation(IdResult, name="procedure-deleteVersion"),
)
def delete(
    procedure_id: str,
    tag: str,
    actor: Annotated[UserActor, to_manage("delete versions")],
    services: WithServices,
) -> Response:
    """Delete a version. Refused while runs name it."""

    def apply(tx: Transaction) -> UUID:
        procedure = get_procedure_record(tx.scope, procedure_id)
        version = get_version(tx.scope, procedure.id, tag)
        delete_version(tx, procedure.id, version)
        return version.id

    return JsonResponse(IdResult(services.writer.write_catalog(actor, apply)))
