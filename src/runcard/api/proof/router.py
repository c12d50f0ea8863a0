"""Receipts, signed heads and the proofs between heads, in the formats that `runcard-verify` reads."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.errors import NotFound, RunNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithActor, WithServices
from runcard.evidence.head_files import KeptHead, kept_head
from runcard.evidence.receipts import ConsistencyBody, ReceiptBody, consistency_of, receipt_of

router = APIRouter()


class ConsistencyQuery(Struct):
    """first: the tree size of a head that was signed before."""

    first: Annotated[int, Meta(ge=1, lt=1 << 53)]


@router.get("/receipts/{run_id}", openapi_extra=operation(ReceiptBody, name="proof-receipt"))
def get_receipt(run_id: str, actor: WithActor, services: WithServices) -> Response:
    """The receipt of a run: the proof that it stands in the record as it is now, under a signed head."""
    run_uuid = id_of(run_id, RunNotFound)
    proof = services.prover.prove_run(actor.organization_id, run_uuid)
    if proof is None:
        raise RunNotFound(run_id)
    return JsonResponse(receipt_of(proof))


@router.get("/head", openapi_extra=operation(KeptHead, name="proof-head"))
def get_head(actor: WithActor, services: WithServices) -> Response:
    """The signed head of the record as it is now. Keep it outside: it convicts whoever changes what was before it."""
    services.prover.seal(actor.organization_id)
    signed = services.prover.sign(actor.organization_id)
    assert signed is not None  # an organization begins with an entry
    return JsonResponse(kept_head(signed))


@router.get(
    "/consistency",
    openapi_extra=operation(
        ConsistencyBody, name="proof-consistency", parameters=query_parameters(ConsistencyQuery)
    ),
)
def get_consistency(
    actor: WithActor, services: WithServices, query: Annotated[ConsistencyQuery, query(ConsistencyQuery)]
) -> Response:
    """The proof that the record of now only added to that of an earlier head."""
    growth = services.prover.prove_growth(actor.organization_id, query.first)
    if growth is None:
        raise NotFound(
            f"No head of {query.first} entries was signed. Give the tree_size of a head that you kept."
        )
    return JsonResponse(consistency_of(growth))
