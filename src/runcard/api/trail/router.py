"""The audit trail: who changed what, when, from where and why."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from runcard.auth.permissions import may_administer
from runcard.auth.trail import check_may_see_kinds
from runcard.domain.actor import UserActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import QueryBounds
from runcard.edge.requests.paging import DEFAULT_LIMIT, Cursor, Limit, PageMeta
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices, to_manage
from runcard.exports.formats import ENCODINGS
from runcard.exports.trail import TrailFormat, TrailItem, trail_file, trail_items
from runcard.store.commit.changes import ChangeKind
from runcard.store.trail.entries import TrailFilter, list_entries

router = APIRouter()

WithReader = Annotated[UserActor, to_manage("see the history")]


class TrailFilterQuery(Struct, kw_only=True):
    """actor_id: a user or a station. after, before: inclusive. with_reports: also what reports made."""

    actor_id: UUID | None = None
    thing_id: UUID | None = None
    kind: list[ChangeKind] | None = None
    after: datetime | None = None
    before: datetime | None = None
    with_reports: bool = False

    def filter_for(self, reader: UserActor) -> TrailFilter:
        """The filter for what this reader may see. Raises InvalidInput and PermissionDenied."""
        check_may_see_kinds(reader, self.kind)
        bounds = QueryBounds()
        found = TrailFilter(
            actor_id=self.actor_id,
            thing_id=self.thing_id,
            kinds=self.kind,
            after=bounds.moment("after", self.after),
            before=bounds.moment("before", self.before),
            with_reports=self.with_reports,
            of_access=may_administer(reader),
        )
        bounds.check()
        return found


class TrailListQuery(TrailFilterQuery, kw_only=True):
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None


class TrailExportQuery(TrailFilterQuery, kw_only=True):
    format: TrailFormat = "csv"


class TrailListResponse(Struct):
    data: Sequence[TrailItem]
    meta: PageMeta


@router.get(
    "/trail",
    openapi_extra=operation(
        TrailListResponse, name="trail-list", parameters=query_parameters(TrailListQuery)
    ),
)
def list_(
    reader: WithReader, scope: WithScope, query: Annotated[TrailListQuery, query(TrailListQuery)]
) -> Response:
    """Filtered and paged entries, newest first."""
    page = list_entries(scope, query.filter_for(reader), query.limit, query.cursor or None)
    meta = PageMeta(has_more=page.next_before is not None, next_cursor=page.next_before)
    return JsonResponse(TrailListResponse(trail_items(scope, page.rows), meta))


def _described() -> dict[str, Any]:
    formats: Sequence[TrailFormat] = get_args(TrailFormat)
    return {
        "operationId": "trail-export",
        "summary": "trail-export",
        "security": [{"ApiKey": []}],
        "parameters": query_parameters(TrailExportQuery),
        "responses": {
            "200": {
                "description": "Success",
                "content": {ENCODINGS[one].content_type.partition(";")[0]: {} for one in formats},
            }
        },
    }


@router.get("/trail/export", openapi_extra=_described())
def export(
    reader: WithReader, services: WithServices, query: Annotated[TrailExportQuery, query(TrailExportQuery)]
) -> Response:
    """A file of all entries that the filters leave, oldest first."""
    pieces = trail_file(services.database, reader.organization_id, query.filter_for(reader), query.format)
    # An error shows at the first rows, before the answer begins.
    first = next(pieces, b"")
    return StreamingResponse(
        chain([first], pieces),
        media_type=ENCODINGS[query.format].content_type,
        headers={"Content-Disposition": f'attachment; filename="history.{query.format}"'},
    )
