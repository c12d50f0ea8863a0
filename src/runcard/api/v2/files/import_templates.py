"""Import templates: named mappings of tabular imports. Runcard's own addition to the v2 API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.api.v2.shapes import SOME_TEXT, CreatorRef, IdName, IdResult, creator, named
from runcard.domain.actor import UserActor
from runcard.domain.errors import ImportTemplateNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices, json_body, to_manage
from runcard.importers.tables.mapping import TableMapping, read_mapping
from runcard.store.creator import Creator
from runcard.store.intake.templates import (
    create_template,
    delete_template,
    get_template,
    list_templates,
)

router = APIRouter()


class ImportTemplateCreateBody(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=SOME_TEXT)]
    mapping: TableMapping


class ImportTemplateListItem(Struct):
    id: UUID
    name: str
    created_at: datetime


class ImportTemplateListResponse(Struct):
    data: list[ImportTemplateListItem]
    meta: PageMeta


class ImportTemplateGetResponse(Struct):
    id: UUID
    name: str
    mapping: TableMapping
    created_at: datetime
    created_by_user: CreatorRef | None
    created_by_station: IdName | None


@router.post(
    "/imports/templates",
    openapi_extra=operation(IdResult, ImportTemplateCreateBody, name="importTemplate-create"),
)
def create(
    actor: Annotated[UserActor, to_manage("create import templates")],
    services: WithServices,
    body: Annotated[ImportTemplateCreateBody, json_body(ImportTemplateCreateBody)],
) -> Response:
    """Save a mapping under a name that no other template has."""
    mapping = msgspec.json.encode(body.mapping).decode()
    template_id = services.writer.write(
        actor,
        lambda tx: create_template(tx, body.name.strip(), mapping, Creator.of(actor)),
    )
    return JsonResponse(IdResult(template_id))


@router.get(
    "/imports/templates",
    openapi_extra=operation(
        ImportTemplateListResponse, name="importTemplate-list", parameters=query_parameters(PageQuery)
    ),
)
def list_(scope: WithScope, query: Annotated[PageQuery, query(PageQuery)]) -> Response:
    """All templates, newest first."""
    page = page_of(scope.connection, query)
    listed = list_templates(scope, page)
    data = [
        ImportTemplateListItem(template.id, template.name, template.created_at) for template in listed.rows
    ]
    return JsonResponse(ImportTemplateListResponse(data, meta_of(page, listed)))


@router.get(
    "/imports/templates/{id}", openapi_extra=operation(ImportTemplateGetResponse, name="importTemplate-get")
)
def get(
    id: str,  # noqa: A002 (as the other operations name it)
    scope: WithScope,
) -> Response:
    """A template with its mapping and its creator."""
    template = get_template(scope, id_of(id, ImportTemplateNotFound))
    return JsonResponse(
        ImportTemplateGetResponse(
            template.id,
            template.name,
            read_mapping(template.mapping),
            template.created_at,
            creator(template.created_by.user),
            named(template.created_by.station),
        )
    )


@router.delete("/imports/templates/{id}", openapi_extra=operation(IdResult, name="importTemplate-delete"))
def delete(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("delete import templates")],
    services: WithServices,
) -> Response:
    """Delete a template. Runs that were imported with it stay."""
    template_id = id_of(id, ImportTemplateNotFound)
    services.writer.write(actor, lambda tx: delete_template(tx, template_id))
    return JsonResponse(IdResult(template_id))
