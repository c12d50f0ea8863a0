"""The page of one part: its revisions, the yields of its revisions and batches, and its units."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.analytics.snapshot import Snapshot
from runcard.auth.permissions import may_manage
from runcard.domain.text import lookup_key
from runcard.edge.requests.services import WithServices
from runcard.store.engine.scope import Scope
from runcard.store.lists.part_numbers import list_former_part_numbers
from runcard.store.merging.merges import count_records
from runcard.store.merging.splits import list_returning
from runcard.store.metadata import read_metadata
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import list_part_merges
from runcard.store.products.parts import PartRecord, RevisionRow, get_part, list_revisions
from runcard.store.units.lists import UnitFilter
from runcard.store.units.members import count_units
from runcard.web.charts.chart import Chart
from runcard.web.charts.first_pass_yield import url_of_batch
from runcard.web.charts.tiles import Tile
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.files.pictures import picture_urls
from runcard.web.frame.facts import Fact, creator_name, metadata_facts
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import change_part_url, part_url, revision_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import FilterBar, page_query
from runcard.web.lists.merges import counts_text, returning_lines
from runcard.web.products.unit_figures import UnitFiguresQuery, figures_bar, own_units, questions
from runcard.web.units.rows import UnitList

router = APIRouter()


class RevisionLine(NamedTuple):
    """picture_url: empty if it has no picture."""

    url: str
    number: str
    is_default: bool
    units: str
    picture_url: str
    created_at: Moment


class PartPage(NamedTuple):
    """archived_at: None while it is in use. change_url: where a reader can change it; empty if they may not.

    merging: a sentence for each merge or split whose units and runs are still being moved.
    """

    number: str
    archived_at: Moment | None
    change_url: str
    merging: Sequence[str]
    facts: Sequence[Fact]
    metadata: Sequence[Fact]
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    revisions: Sequence[RevisionLine]
    units: UnitList
    history: ThingHistory
    voided: int


@router.get("/parts/{part_number:path}")
def show_part(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    part_number: str,
    query: Annotated[UnitFiguresQuery, page_query(UnitFiguresQuery)],
) -> Response:
    organization_id, zone = visit.actor.organization_id, visit.zone
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        part = get_part(scope, part_number)
        if lookup_key(part.number) != lookup_key(part_number):
            return redirect(f"{part_url(part.number)}?{request.url.query}".removesuffix("?"))
        here, number = part_url(part.number), part.number
        revisions = list_revisions(scope, [part.id]).get(part.id, ())
        counts = count_units(scope, "revision", [one.id for one in revisions])
        pictures = picture_urls(services, scope, [one.image_id for one in revisions])
        ask = questions(snapshot, visit, query, part_numbers=[number])

        # The name of a group of revisions holds the part's number too, so links are found by id.
        urls = {str(one.id): revision_url(number, one.number) for one in revisions}

        page = PartPage(
            number=number,
            archived_at=None if part.archived_at is None else moment_of(part.archived_at, zone),
            change_url=change_part_url(part.id) if may_manage(visit.actor) else "",
            merging=_merging(scope, part),
            facts=_facts(part, list_former_part_numbers(scope, [part.id]).get(part.id, ()), zone),
            metadata=metadata_facts(read_metadata(scope, [part.id]).get(part.id, {})),
            filters=figures_bar(scope, here, query, without=("part",)),
            tiles=ask.tiles(),
            charts=[
                ask.bars(
                    "by-revision",
                    "First-pass yield by revision",
                    "revision",
                    lambda one: urls.get(one.key or "", ""),
                ),
                ask.bars("by-batch", "First-pass yield by batch", "batch", url_of_batch),
            ],
            revisions=[_revision(one, part, counts, pictures, zone) for one in revisions],
            units=own_units(scope, visit, here, query, UnitFilter(part_numbers=[number])),
            history=history_of(scope, visit, part.id),
            voided=snapshot.voided,
        )
    return render("products/part.html", page, visit)


def _merging(scope: Scope, part: PartRecord) -> Sequence[str]:
    left = {
        one.number: count_records(scope, PARTS, one.source_id) for one in list_part_merges(scope, part.id)
    }
    coming = [
        f"Being moved here from {number}: {counts_text(counts)} are left. Until then, figures count them separately."
        for number, counts in left.items()
        if any(counts.values())
    ]
    return [*coming, *returning_lines(list_returning(scope, PARTS, part.id))]


def _facts(part: PartRecord, former: Sequence[str], zone: ZoneInfo) -> Sequence[Fact]:
    created = moment_of(part.created_at, zone)
    facts = [
        Fact("Name", "" if part.name == part.number else part.name),
        Fact("Formerly", ", ".join(former)),
        Fact("Created", f"{created.date} {created.time}"),
        Fact("Created by", creator_name(part.created_by)),
    ]
    return [fact for fact in facts if fact.value]


def _revision(
    revision: RevisionRow,
    part: PartRecord,
    counts: Mapping[UUID, int],
    pictures: Mapping[UUID, str],
    zone: ZoneInfo,
) -> RevisionLine:
    return RevisionLine(
        revision_url(part.number, revision.number),
        revision.number,
        revision.is_default,
        count_text(counts.get(revision.id, 0)),
        "" if revision.image_id is None else pictures.get(revision.image_id, ""),
        moment_of(revision.created_at, zone),
    )
