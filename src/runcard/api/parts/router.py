"""A part is merged into another, and split from it again. Each needs a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.floor.reason import check_reason
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithServices, json_body, to_manage
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.merging.splits import split as take_back
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import get_unmerged, merge_parts
from runcard.store.products.parts import get_part_by_id

router = APIRouter()

WithManager = Annotated[UserActor, to_manage("merge parts")]


class PartMergeBody(Struct, forbid_unknown_fields=True):
    """into: the id of the part to merge it into. reason: shown in the history."""

    into: UUID
    reason: str


class PartSplitBody(Struct, forbid_unknown_fields=True):
    """reason: shown in the history."""

    reason: str


class PartMergeResponse(Struct):
    """id: the part that the merged one now leads to, or led to until now."""

    id: UUID


@router.post(
    "/parts/{id}/merge", openapi_extra=operation(PartMergeResponse, PartMergeBody, name="part-merge")
)
def merge(
    id: UUID,  # noqa: A002 (the name in the path)
    actor: WithManager,
    services: WithServices,
    body: Annotated[PartMergeBody, json_body(PartMergeBody)],
) -> Response:
    """Merge a part into another. What named it means the other from now on; its units and runs follow."""
    reason = check_reason(body.reason)

    def apply(tx: Transaction) -> UUID:
        target = get_part_by_id(tx.scope, body.into)
        merge_parts(tx, get_unmerged(tx.scope, id), target, Creator.of(actor), reason)
        return target.id

    return JsonResponse(PartMergeResponse(services.writer.write_catalog(actor, apply)))


@router.post(
    "/parts/{id}/split", openapi_extra=operation(PartMergeResponse, PartSplitBody, name="part-split")
)
def split(
    id: UUID,  # noqa: A002 (as above)
    actor: WithManager,
    services: WithServices,
    body: Annotated[PartSplitBody, json_body(PartSplitBody)],
) -> Response:
    """Take the merge of a part back. What the merge moved goes back; what came since stays."""
    reason = check_reason(body.reason)

    def apply(tx: Transaction) -> UUID:
        target = get_part_by_id(tx.scope, id)
        take_back(tx, PARTS, id, target.id, reason)
        return target.id

    return JsonResponse(PartMergeResponse(services.writer.write_catalog(actor, apply)))
