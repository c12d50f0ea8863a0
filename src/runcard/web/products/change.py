"""The forms that change a part: its number and name, whether it is in use, and its merges."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, InvalidInput, PartNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.domain.runs.report import MAX_NAME_LENGTH, name_issues
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.part_numbers import list_former_part_numbers
from runcard.store.merging.splits import preview_split
from runcard.store.merging.splits import split as take_back
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import PartMerge, list_part_merges
from runcard.store.products.parts import PartChange, PartRecord, change_part, get_former_part, get_part_by_id
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import change_part_url, part_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.merges import MergeLine, SplitWords, counts_text, split_lines

router = APIRouter(prefix="/change/part/{part_id}")


class ChangePartPage(NamedTuple):
    """part_url: of its page. number: as it is now. fields: what was filled in. former: numbers that still lead to it.

    merges: the parts that were merged into it. most, most_reason: how many characters a number or a name, and a reason
    may have.
    """

    url: str
    part_url: str
    number: str
    fields: Fields
    former: Sequence[str]
    archived_at: Moment | None
    merges: Sequence[MergeLine]
    problems: Sequence[str]
    most: int = MAX_NAME_LENGTH
    most_reason: int = MAX_REASON


@router.get("")
def show_change(services: WithServices, visit: WithVisit, part_id: str) -> Response:
    check_may_manage(visit.actor, "change parts")
    return render("products/change.html", _page(services, visit, part_id, {}), visit)


@router.post("")
def rename(services: WithServices, visit: WithVisit, part_id: str, fields: WithForm) -> Response:

    def change(tx: Transaction, part: PartRecord) -> PartRecord:
        changes = PartChange(number=_checked(fields, "number"), name=_checked(fields, "name"))
        return change_part(tx, part, changes, check_reason(fields.get("reason", "")))

    return _change(services, visit, part_id, change, fields)


@router.post("/archive")
def archive(services: WithServices, visit: WithVisit, part_id: str, fields: WithForm) -> Response:
    changes = PartChange(archived=fields.get("archived") == "yes")
    return _change(services, visit, part_id, lambda tx, part: change_part(tx, part, changes))


@router.post("/split")
def split(services: WithServices, visit: WithVisit, part_id: str, fields: WithForm) -> Response:
    source_id = id_of(fields.get("source", ""), PartNotFound)

    def change(tx: Transaction, part: PartRecord) -> PartRecord:
        take_back(tx, PARTS, source_id, part.id, check_reason(fields.get("reason", "")))
        return part

    return _change(services, visit, part_id, change)


def _checked(fields: Fields, name: str) -> str:
    """The text of a field, without blanks around it. Raises InvalidInput for one that is empty or no name."""
    text = fields.get(name, "").strip()
    if not text:
        raise InvalidInput.at(name, f"{name.capitalize()} is empty; give 1 to {MAX_NAME_LENGTH} characters")
    if issues := list(name_issues((name,), text)):
        raise InvalidInput(issues)
    return text


def _change(
    services: Services,
    visit: Visit,
    part_id: str,
    change: Callable[[Transaction, PartRecord], PartRecord],
    fields: Fields | None = None,
) -> Response:
    """Change a part and show it; if the change is refused, show the form again with the reasons."""
    check_may_manage(visit.actor, "change parts")
    known = id_of(part_id, PartNotFound)
    try:
        changed = services.writer.write_catalog(
            visit.actor, lambda tx: change(tx, get_part_by_id(tx.scope, known))
        )
    except (InvalidInput, Conflict) as error:
        page = _page(services, visit, part_id, fields or {}, error)
        return render("products/change.html", page, visit, status=answer_error(error).status)
    return redirect(part_url(changed.number))


def _page(
    services: Services,
    visit: Visit,
    part_id: str,
    fields: Fields,
    error: InvalidInput | Conflict | None = None,
) -> ChangePartPage:
    with services.database.read_in(visit.actor.organization_id) as scope:
        part = get_part_by_id(scope, id_of(part_id, PartNotFound))
        former = list_former_part_numbers(scope, [part.id]).get(part.id, ())
        merges = [_merge_line(scope, one, part, visit) for one in list_part_merges(scope, part.id)]
    return ChangePartPage(
        url=change_part_url(part.id),
        part_url=part_url(part.number),
        number=part.number,
        fields={"number": part.number, "name": part.name, "reason": "", **fields},
        former=former,
        archived_at=None if part.archived_at is None else moment_of(part.archived_at, visit.zone),
        merges=merges,
        problems=problems_of(error),
    )


def _merge_line(scope: Scope, merge: PartMerge, target: PartRecord, visit: Visit) -> MergeLine:
    by = merge.merged_by.user or merge.merged_by.station
    preview = preview_split(scope, PARTS, merge.id, target.id)
    along = [get_former_part(scope, one).number for one in preview.along]
    words = SplitWords("part", merge.number, target.number, "Its numbers", "revisions", "revisions", along)
    moved = {noun: count + preview.stay[noun] for noun, count in preview.back.items()}
    return MergeLine(
        str(merge.source_id),
        merge.number,
        merge.number,
        counts_text(moved),
        moment_of(merge.merged_at, visit.zone),
        by.name if by else "",
        split_lines(preview, words),
    )
