"""Procedures of the v2 API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.api.v2.created import CreatedQuery, period_of
from runcard.api.v2.shapes import SOME_TEXT, CreatorRefEmail, IdName, IdResult, creator_with_email
from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, Merged
from runcard.domain.floor.deployment import Provider
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.deleted import deleted_answer
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithActor, WithScope, WithServices, json_body, to_manage
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.lists.refs import Named
from runcard.store.procedures.identifiers import list_former_identifiers
from runcard.store.procedures.records import (
    ProcedureChange,
    ProcedureFilter,
    ProcedureRecord,
    change_procedure,
    count_runs_of,
    delete_procedure,
    get_procedure_record,
    list_procedure_records,
    list_recent_runs,
)
from runcard.store.procedures.rows import create_procedure
from runcard.store.stations.records import list_stations_for

router = APIRouter()

_RECENT = 10

ProcedureName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH, pattern=SOME_TEXT)]
# A branch, a path or a pattern; a blank text means none.
GitText = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")]


class ProcedureListQuery(CreatedQuery):
    search_query: str | None = None


class ProcedureCreateBody(Struct):
    """identifier: left out: the next free one of FVT1, FVT2, …"""

    name: ProcedureName
    identifier: str | None = None


class ProcedureUpdateBody(Struct, rename="camel"):
    name: ProcedureName | UnsetType = UNSET
    identifier: str | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    production_branch: GitText | UnsetType | None = UNSET
    auto_push_enabled: bool | UnsetType = UNSET
    excluded_branch_patterns: Annotated[list[GitText], Meta(max_length=100)] | UnsetType = UNSET
    root_directory: GitText | UnsetType | None = UNSET
    entry_point: GitText | UnsetType | None = UNSET


class ProcedureRun(Struct):
    id: UUID


class LinkedRepository(Struct, rename="camel"):
    id: UUID
    name: str
    full_name: str
    provider: Provider


class ProcedureListItem(Struct):
    """linkedRepository: null, because none can be linked yet. runs: clients before 2.26 need the key.

    former_identifiers: they still lead to this procedure. archived_at: null while it is in use.
    """

    id: UUID
    identifier: str
    name: str
    created_at: datetime
    created_by_user: CreatorRefEmail
    linked_repository: LinkedRepository | None = msgspec.field(name="linkedRepository")
    runs: list[ProcedureRun]
    former_identifiers: Sequence[str]
    archived_at: datetime | None


class ProcedureListResponse(Struct):
    data: list[ProcedureListItem]
    meta: PageMeta


class RecentRunUnit(Struct):
    serial_number: str


class RecentRun(Struct):
    id: UUID
    started_at: datetime
    outcome: RunOutcome
    unit: RecentRunUnit


class ProcedureGetResponse(Struct):
    """stations: those that may report it, because they are linked to it or to all procedures.

    former_identifiers, archived_at: as in the list.
    """

    id: UUID
    identifier: str
    name: str
    created_at: datetime
    created_by_user: CreatorRefEmail | None
    runs_count: int
    recent_runs: list[RecentRun]
    stations: list[IdName]
    former_identifiers: Sequence[str]
    archived_at: datetime | None


@router.post("/procedures", openapi_extra=operation(IdResult, ProcedureCreateBody, name="procedure-create"))
def create(
    actor: Annotated[UserActor, to_manage("create procedures")],
    services: WithServices,
    body: Annotated[ProcedureCreateBody, json_body(ProcedureCreateBody)],
) -> Response:
    """Create a procedure. Several may have the same name."""
    by = Creator.of(actor)
    made = services.writer.write(actor, lambda tx: create_procedure(tx, body.name, by, body.identifier))
    return JsonResponse(IdResult(made.id))


@router.get(
    "/procedures",
    openapi_extra=operation(
        ProcedureListResponse, name="procedure-list", parameters=query_parameters(ProcedureListQuery)
    ),
)
def list_(
    actor: WithActor,
    scope: WithScope,
    query: Annotated[ProcedureListQuery, query(ProcedureListQuery)],
) -> Response:
    """Procedures that a search finds, paged, newest first."""
    organization_id, page, created = actor.organization_id, page_of(scope.connection, query), period_of(query)
    procedure_filter = ProcedureFilter(query.search_query, created.after, created.before)
    listed = list_procedure_records(scope, procedure_filter, page)
    former = list_former_identifiers(scope, [procedure.id for procedure in listed.rows])
    data = [
        ProcedureListItem(
            procedure.id,
            procedure.identifier,
            procedure.name,
            procedure.created_at,
            _creator(organization_id, procedure),
            None,
            [],
            former[procedure.id],
            procedure.archived_at,
        )
        for procedure in listed.rows
    ]
    return JsonResponse(ProcedureListResponse(data, meta_of(page, listed)))


@router.get("/procedures/{id}", openapi_extra=operation(ProcedureGetResponse, name="procedure-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    scope: WithScope,
) -> Response:
    """A procedure with its last runs and the stations that may report it."""
    procedure = get_procedure_record(scope, id)
    recent = list_recent_runs(scope, procedure.id, _RECENT)
    return JsonResponse(
        ProcedureGetResponse(
            procedure.id,
            procedure.identifier,
            procedure.name,
            procedure.created_at,
            creator_with_email(procedure.created_by.user),
            count_runs_of(scope, procedure.id),
            [
                RecentRun(run.id, run.started_at, run.outcome, RecentRunUnit(run.serial_number))
                for run in recent
            ],
            [IdName(*station) for station in list_stations_for(scope, procedure.id)],
            list_former_identifiers(scope, [procedure.id])[procedure.id],
            procedure.archived_at,
        )
    )


@router.patch(
    "/procedures/{id}", openapi_extra=operation(IdResult, ProcedureUpdateBody, name="procedure-update")
)
def update(
    id: str,  # noqa: A002 (as the contract names it)
    actor: Annotated[UserActor, to_manage("change procedures")],
    services: WithServices,
    body: Annotated[ProcedureUpdateBody, json_body(ProcedureUpdateBody)],
) -> Response:
    """Rename a procedure, change its identifier or git settings, archive it or restore it."""
    if body == ProcedureUpdateBody():
        raise InvalidInput.at((), f"The body is empty; give {', '.join(body.__struct_encode_fields__)}.")
    _organization_id, change = actor.organization_id, _change(body)

    def apply(tx: Transaction) -> UUID:
        procedure = get_procedure_record(tx.scope, id)
        change_procedure(tx, procedure.id, change)
        return procedure.id

    return JsonResponse(IdResult(services.writer.write_catalog(actor, apply)))


@router.delete("/procedures/{id}", openapi_extra=operation(IdResult, name="procedure-delete"))
def delete(
    id: str,  # noqa: A002 (as the contract names it)
    actor: Annotated[UserActor, to_manage("delete procedures")],
    services: WithServices,
) -> Response:
    """Delete a procedure with all its runs. Their units stay."""
    organization_id = actor.organization_id

    def apply(tx: Transaction) -> UUID:
        procedure = get_procedure_record(tx.scope, id)
        if procedure.id != UUID(id):
            raise Merged(procedure.name, procedure.identifier)
        delete_procedure(tx, procedure.id, Deletion())
        return procedure.id

    deleted = services.writer.write_catalog(actor, apply)
    return deleted_answer(services, organization_id, IdResult(deleted))


def _creator(organization_id: UUID, procedure: ProcedureRecord) -> CreatorRefEmail:
    """The creator of a procedure. Clients accept no null here, and before 2.26 no missing e-mail.

    If no user made it, a stand-in is given, by name and without e-mail: the station that made it, or this server.
    (What the command line makes belongs to an admin.)
    """
    user, station = procedure.created_by
    if user is not None:
        return CreatorRefEmail(user.id, user.name, user.email)
    maker = station or Named(organization_id, "Runcard")
    return CreatorRefEmail(maker.id, maker.name, "")


def _change(body: ProcedureUpdateBody) -> ProcedureChange:
    patterns = body.excluded_branch_patterns
    return ProcedureChange(
        name=body.name,
        identifier=body.identifier,
        archived=body.archived,
        production_branch=_setting(body.production_branch),
        auto_push_enabled=body.auto_push_enabled,
        excluded_branch_patterns=UNSET if patterns is UNSET else [text for text in patterns if text.strip()],
        root_directory=_setting(body.root_directory),
        entry_point=_setting(body.entry_point),
    )


def _setting(text: str | UnsetType | None) -> str | UnsetType | None:
    return text if text is UNSET else (text or "").strip() or None
