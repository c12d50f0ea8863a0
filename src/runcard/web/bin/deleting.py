"""Forms that delete a thing: it goes to the bin, and the page of the bin offers to undo that."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_delete, may_delete
from runcard.domain.errors import AttachmentNotFound, BatchNotFound, NotFound, RunNotFound, UnitNotFound
from runcard.domain.floor.reason import MAX_REASON
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.files.removal import delete_attachments
from runcard.store.lists.names import names_of
from runcard.store.products.batches import delete_batch, get_batch
from runcard.store.restoring.contents import find_deleted
from runcard.store.runs.rows import delete_run
from runcard.store.units.records import delete_units
from runcard.store.units.repairs import delete_repair
from runcard.web.frame.forms import Fields, WithForm, reason_in
from runcard.web.frame.render import redirect
from runcard.web.frame.urls import bin_url
from runcard.web.frame.visit import Visit, WithVisit

router = APIRouter()

Deletable = Literal["run", "unit", "batch", "attachment", "repair"]
_MISSING: Mapping[Deletable, Callable[[object], NotFound]] = {
    "run": RunNotFound,
    "unit": UnitNotFound,
    "batch": BatchNotFound,
    "attachment": AttachmentNotFound,
    "repair": lambda repair_id: NotFound(f"Repair not found: there is no repair with ID {repair_id}."),
}


class DeleteForm(NamedTuple):
    """words: what goes, as the beginning of a sentence. most: how many characters a reason may have."""

    url: str
    words: str
    most: int = MAX_REASON


def delete_form(visit: Visit, noun: Deletable, thing_id: UUID, words: str) -> DeleteForm | None:
    """The form that deletes a thing; None if the reader may not delete it."""
    return DeleteForm(f"/delete/{noun}/{thing_id}", words) if may_delete(visit.actor) else None


def url_if_deleted(scope: Scope, thing_id: str) -> str:
    """Where what is left of a deleted thing is shown; empty if nothing with this id was deleted."""
    try:
        known = UUID(thing_id)
    except ValueError:
        return ""
    return "" if find_deleted(scope, known) is None else bin_url(known)


def deletion_of(fields: Fields) -> Deletion:
    """How a form deletes, with the reason in it. Raises InvalidInput."""
    return Deletion(why=reason_in(fields))


@router.post("/delete/{noun}/{thing_id}")
def delete(
    services: WithServices, visit: WithVisit, noun: Deletable, thing_id: str, fields: WithForm
) -> Response:
    """Delete a thing, and show it in the bin. Raises PermissionDenied and NotFound."""
    check_may_delete(visit.actor, f"delete a {noun}")
    missing = _MISSING[noun]
    known, deletion = id_of(thing_id, missing), deletion_of(fields)

    def apply(tx: Transaction) -> None:
        if not _DELETE[noun](tx, known, deletion):
            raise missing(thing_id)

    services.writer.write_catalog(visit.actor, apply)
    return redirect(f"{bin_url(known)}?done=deleted")


def _delete_unit(tx: Transaction, unit_id: UUID, deletion: Deletion) -> bool:
    serials = names_of(tx.scope, "unit", [unit_id])
    return bool(serials) and bool(delete_units(tx, serials.values(), deletion, with_runs=True))


def _delete_batch(tx: Transaction, batch_id: UUID, deletion: Deletion) -> bool:
    numbers = names_of(tx.scope, "batch", [batch_id])
    for number in numbers.values():
        delete_batch(tx, get_batch(tx.scope, number), deletion)
    return bool(numbers)


def _delete_file(tx: Transaction, attachment_id: UUID, deletion: Deletion) -> bool:
    return bool(delete_attachments(tx, [attachment_id], deletion))


_DELETE: Mapping[Deletable, Callable[[Transaction, UUID, Deletion], bool]] = {
    "run": delete_run,
    "unit": _delete_unit,
    "batch": _delete_batch,
    "attachment": _delete_file,
    "repair": delete_repair,
}
