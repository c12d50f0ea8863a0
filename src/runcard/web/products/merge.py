"""Merging a part into another: the preview and the merge."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, FiguresUnavailable, InvalidInput, PartNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.domain.text import lookup_key
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.lists.choices import list_choices
from runcard.store.lists.run_filter import RunFilter
from runcard.store.merging.merges import count_records
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import get_unmerged, merge_parts
from runcard.store.products.parts import PartRecord, RevisionRow, get_part, get_part_by_id, list_revisions
from runcard.store.units.members import count_sub_units
from runcard.web.frame.formats import count_text, counted_text, percent_text
from runcard.web.frame.forms import WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import change_part_url, part_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import FilterBar, page_query, text_field

router = APIRouter(prefix="/change/part/{part_id}")


class PartMergeQuery(Struct, kw_only=True):
    """into: the number of the part to merge it into."""

    into: str | None = None


class PartSide(NamedTuple):
    """One of the two parts, or both together. tested, first_pass: empty if this server has no figures."""

    title: str
    units: str
    runs: str
    tested: str
    first_pass: str


class PartMergePreview(NamedTuple):
    """sides: the source, the target, and both together. same, added: the revisions that become one, and those that the
    target gets. sub_units: how many units of the source are part of another unit; empty if none is.
    """

    into: str
    sides: Sequence[PartSide]
    same: Sequence[str]
    added: Sequence[str]
    sub_units: str


class PartMergePage(NamedTuple):
    """choose: the form that chooses the target. preview: None until one is chosen."""

    url: str
    part_url: str
    number: str
    choose: FilterBar
    preview: PartMergePreview | None
    problems: Sequence[str]
    voided: int
    most_reason: int = MAX_REASON


@router.get("/merge")
def show_merge(
    services: WithServices,
    visit: WithVisit,
    part_id: str,
    query: Annotated[PartMergeQuery, page_query(PartMergeQuery)],
) -> Response:
    check_may_manage(visit.actor, "merge parts")
    return _answer(services, visit, part_id, query.into, None)


@router.post("/merge")
def merge(services: WithServices, visit: WithVisit, part_id: str, fields: WithForm) -> Response:
    actor = check_may_manage(visit.actor, "merge parts")
    known, into = id_of(part_id, PartNotFound), fields.get("into", "")

    def apply(tx: Transaction) -> PartRecord:
        target = get_part(tx.scope, into)
        source, why = get_unmerged(tx.scope, known), check_reason(fields.get("reason", ""))
        merge_parts(tx, source, target, Creator.of(actor), why)
        return target

    try:
        target = services.writer.write_catalog(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        return _answer(services, visit, part_id, into, error)
    return redirect(part_url(target.number))


def _answer(
    services: Services, visit: Visit, part_id: str, into: str | None, error: InvalidInput | Conflict | None
) -> Response:
    page = _page(services, visit, part_id, into, problems_of(error))
    status = 200 if error is None else answer_error(error).status
    return render("products/merge.html", page, visit, status=status)


def _page(
    services: Services, visit: Visit, part_id: str, into: str | None, problems: Sequence[str]
) -> PartMergePage:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        source = get_part_by_id(scope, id_of(part_id, PartNotFound))
        target = get_part(scope, into) if into else None
        is_other = target is not None and target.id != source.id
        preview = _preview(snapshot, visit, source, target) if target is not None and is_other else None
        choices = [one for one in list_choices(scope).parts if one != source.number]
    url = change_part_url(source.id)
    return PartMergePage(
        url=url,
        part_url=part_url(source.number),
        number=source.number,
        choose=FilterBar(f"{url}/merge", [text_field("into", "Into part", into, choices)], []),
        preview=preview,
        problems=problems,
        voided=snapshot.voided,
    )


def _preview(snapshot: Snapshot, visit: Visit, source: PartRecord, target: PartRecord) -> PartMergePreview:
    scope, both = snapshot.scope, (source, target)
    counts = [count_records(scope, PARTS, one.id) for one in both]
    counts.append({noun: count + counts[1][noun] for noun, count in counts[0].items()})
    figures = _figures(snapshot, visit, [[source.number], [target.number], [source.number, target.number]])
    revisions = list_revisions(scope, [one.id for one in both])
    same, added = _revisions(revisions, source.id, target.id)
    sub_units = count_sub_units(scope, source.id)
    return PartMergePreview(
        into=target.number,
        sides=[
            PartSide(title, count_text(one["unit"]), count_text(one["run"]), *side)
            for title, one, side in zip(
                (source.number, target.number, "Both together"), counts, figures, strict=True
            )
        ],
        same=same,
        added=added,
        sub_units=counted_text(sub_units, "unit") if sub_units else "",
    )


def _revisions(
    revisions: Mapping[UUID, Sequence[RevisionRow]], source_id: UUID, target_id: UUID
) -> tuple[Sequence[str], Sequence[str]]:
    """The numbers of the revisions that both parts have, and of those that only the source has."""
    there = {lookup_key(one.number) for one in revisions.get(target_id, ())}
    numbers = [one.number for one in revisions.get(source_id, ())]
    same = [one for one in numbers if lookup_key(one) in there]
    return same, [one for one in numbers if one not in same]


def _figures(snapshot: Snapshot, visit: Visit, numbers: Sequence[Sequence[str]]) -> Sequence[tuple[str, str]]:
    """Tested units and first-pass yield of each of these groups of parts, over all time; empty without figures."""
    try:
        rows = [
            first_pass_yield(snapshot, Selection(RunFilter(part_numbers=one)), visit.zone).total
            for one in numbers
        ]
    except FiguresUnavailable:
        return [("", "")] * len(numbers)
    return [(count_text(one.units), percent_text(one.first_pass.ratio)) for one in rows]
