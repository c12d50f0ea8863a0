"""Two units that are one are merged with a reason, and can be split again. All of it, or nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.floor.reason import check_reason
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices, json_body, to_manage
from runcard.store.bin.merged import list_merged_into
from runcard.store.commit.transaction import Transaction
from runcard.store.unit_merges.merge import DoneMerge, merge_units
from runcard.store.unit_merges.obstacles import Kept
from runcard.store.unit_merges.split import list_later_runs, split_unit
from runcard.store.units.records import get_unit

router = APIRouter()

WithManager = Annotated[UserActor, to_manage("merge and split units")]


class MergeBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """source, into: serial numbers. The source goes, and the other unit gets all that is its. reason: shown in the
    history.

    keep_part, keep_parent: the other unit stays of its part, and in its parent, where the source has another.
    """

    source: str
    into: str
    reason: str
    keep_part: bool = False
    keep_parent: bool = False


class MergeResponse(Struct):
    """id: of the unit that went, which a split takes. serial_number: of the unit that stays. moved: how many runs,
    repairs, attachments, comments and sub_units.
    """

    id: UUID
    serial_number: str
    moved: Mapping[str, int]


class SplitBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """id: of the unit that was merged. reason: shown in the history. later_runs: whether the runs that were reported
    under its serial number since the merge "go" with it or "stay".
    """

    id: UUID
    reason: str
    later_runs: Literal["go", "stay"] = "go"


class SplitResponse(Struct):
    """id, serial_number: of the unit that came back. later_runs: how many runs since the merge went with it."""

    id: UUID
    serial_number: str
    later_runs: int


class MergesQuery(Struct, kw_only=True):
    """serial_number: of the unit that stays."""

    serial_number: str


class UnitMergeBody(Struct):
    """A unit that was merged. merged_by: the id of the user. later_runs: how many runs of the unit that stays were
    reported under its serial number since.
    """

    id: UUID
    serial_number: str
    merged_at: datetime
    merged_by: UUID | None
    reason: str | None
    later_runs: int


class UnitMergesResponse(Struct):
    data: Sequence[UnitMergeBody]


@router.get(
    "/units/merges",
    openapi_extra=operation(UnitMergesResponse, name="unit-merges", parameters=query_parameters(MergesQuery)),
)
def list_(scope: WithScope, query: Annotated[MergesQuery, query(MergesQuery)]) -> Response:
    """The units that were merged into a unit, the last merged first: in this order they are split."""
    unit = get_unit(scope, query.serial_number)
    data = [
        UnitMergeBody(
            id=one.id,
            serial_number=one.serial_number,
            merged_at=one.merged_at,
            merged_by=one.merged_by_id,
            reason=one.why,
            later_runs=len(list_later_runs(scope, one)),
        )
        for one in list_merged_into(scope, unit.id)
    ]
    return JsonResponse(UnitMergesResponse(data))


@router.post("/units/merge", openapi_extra=operation(MergeResponse, MergeBody, name="unit-merge"))
def merge(
    actor: WithManager, services: WithServices, body: Annotated[MergeBody, json_body(MergeBody)]
) -> Response:
    """Merge a unit into another: both serial numbers find that one from then on, with the runs of both."""
    reason, kept = check_reason(body.reason), Kept(body.keep_part, body.keep_parent)

    def apply(tx: Transaction) -> DoneMerge:
        source, into = (tx.catalog.get_unit(tx.organization_id, one) for one in (body.source, body.into))
        return merge_units(tx, source.id, into.id, kept, reason)

    merged = services.writer.write_catalog(actor, apply)
    return JsonResponse(MergeResponse(*merged))


@router.post("/units/split", openapi_extra=operation(SplitResponse, SplitBody, name="unit-split"))
def split(
    actor: WithManager, services: WithServices, body: Annotated[SplitBody, json_body(SplitBody)]
) -> Response:
    """Split a unit that was merged: it comes back as it was, with what was moved and is still there."""
    reason, go = check_reason(body.reason), body.later_runs == "go"
    done = services.writer.write_catalog(
        actor, lambda tx: split_unit(tx, body.id, reason, with_later_runs=go)
    )
    return JsonResponse(SplitResponse(*done))
