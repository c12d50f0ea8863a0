"""The page of one revision of a part: its picture, the yields of its batches, and its units."""

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.analytics.snapshot import Snapshot
from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import InvalidInput
from runcard.domain.text import lookup_key
from runcard.edge.requests.services import WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.metadata import read_metadata
from runcard.store.products.revisions import RevisionRecord, change_revision, get_revision
from runcard.store.units.lists import UnitFilter
from runcard.web.charts.chart import Chart
from runcard.web.charts.first_pass_yield import url_of_batch, url_of_procedure
from runcard.web.charts.tiles import Tile
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.files.pictures import WithPictureForm, keep_picture, picture_urls
from runcard.web.frame.facts import Fact, creator_name, metadata_facts
from runcard.web.frame.formats import moment_of
from runcard.web.frame.forms import TOKEN_FIELD
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import part_url, revision_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import FilterBar, page_query
from runcard.web.products.unit_figures import UnitFiguresQuery, figures_bar, own_units, questions
from runcard.web.units.rows import UnitList

router = APIRouter()

# A number may hold slashes. If a path can be read in several ways, the part's number is the longest, as in the API.
_PATH = "/parts/{part_number:path}/revisions/{revision_number:path}"


class RevisionPage(NamedTuple):
    """picture_url: empty if it has no picture. may_change: the reader may send another picture."""

    here: str
    part_number: str
    part_url: str
    number: str
    facts: Sequence[Fact]
    metadata: Sequence[Fact]
    picture_url: str
    may_change: bool
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    units: UnitList
    history: ThingHistory
    voided: int


@router.get(_PATH)
def show_revision(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    part_number: str,
    revision_number: str,
    query: Annotated[UnitFiguresQuery, page_query(UnitFiguresQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        revision = get_revision(scope, part_number, revision_number)
        part, number = revision.part.number, revision.number
        here = revision_url(part, number)
        if lookup_key(part) != lookup_key(part_number):
            return redirect(f"{here}?{request.url.query}".removesuffix("?"))
        own = UnitFilter(part_numbers=[part], revision_numbers=[number])
        ask = questions(snapshot, visit, query, part_numbers=[part], revision_numbers=[number])
        pictures = picture_urls(services, scope, [revision.image_id])
        page = RevisionPage(
            here=here,
            part_number=part,
            part_url=part_url(part),
            number=number,
            facts=_facts(revision, visit.zone),
            metadata=metadata_facts(read_metadata(scope, [revision.id]).get(revision.id, {})),
            picture_url=pictures.get(revision.image_id, "") if revision.image_id else "",
            may_change=may_manage(visit.actor),
            filters=figures_bar(scope, here, query, without=("part", "revision")),
            tiles=ask.tiles(),
            charts=[
                ask.bars("by-batch", "First-pass yield by batch", "batch", url_of_batch),
                ask.bars("by-procedure", "First-pass yield by procedure", "procedure", url_of_procedure),
            ],
            units=own_units(scope, visit, here, query, own),
            history=history_of(scope, visit, revision.id),
            voided=snapshot.voided,
        )
    return render("products/revision.html", page, visit)


@router.post(_PATH)
def change_picture(
    services: WithServices, visit: WithVisit, part_number: str, revision_number: str, form: WithPictureForm
) -> Response:
    """Give a revision another picture, or remove its picture."""
    services.form_tokens.check(visit.session, form.fields.get(TOKEN_FIELD, ""))
    actor = check_may_manage(visit.actor, "change revisions")
    organization_id = actor.organization_id
    with services.database.read_in(organization_id) as scope:
        revision = get_revision(scope, part_number, revision_number)
    image_of: Callable[[Transaction], UUID] | None
    if "remove" in form.fields:
        image_of = None
    elif form.picture is None:
        raise InvalidInput.at("picture", "No file was chosen; choose a PNG, JPEG, GIF or WebP file")
    else:
        image_of = keep_picture(services, actor, form.picture)

    def apply(tx: Transaction) -> None:
        now = get_revision(tx.scope, revision.part.number, revision.number)
        change_revision(tx, now, number=None, image_id=image_of and image_of(tx))

    services.writer.write(visit.actor, apply)
    return redirect(revision_url(revision.part.number, revision.number))


def _facts(revision: RevisionRecord, zone: ZoneInfo) -> Sequence[Fact]:
    created = moment_of(revision.created_at, zone)
    facts = [
        Fact("Part", revision.part.number, part_url(revision.part.number)),
        Fact("Default", "units get it if nobody names another" if revision.is_default else ""),
        Fact("Created", f"{created.date} {created.time}"),
        Fact("Created by", creator_name(revision.created_by)),
    ]
    return [fact for fact in facts if fact.value]
