"""The page of one batch: the yields of its parts and procedures, and its units."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.snapshot import Snapshot
from runcard.edge.requests.services import WithServices
from runcard.store.products.batches import get_batch
from runcard.store.units.lists import UnitFilter
from runcard.store.units.members import count_units
from runcard.web.bin.deleting import DeleteForm, delete_form
from runcard.web.charts.chart import Chart
from runcard.web.charts.first_pass_yield import url_of_part, url_of_procedure
from runcard.web.charts.tiles import Tile
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.facts import Fact, creator_name
from runcard.web.frame.formats import count_text, moment_of
from runcard.web.frame.render import render
from runcard.web.frame.urls import batch_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import FilterBar, page_query
from runcard.web.lists.period import Period
from runcard.web.notes.section import NotesSection, notes_of
from runcard.web.products.unit_figures import UnitFiguresQuery, figures_bar, own_units, questions
from runcard.web.units.rows import UnitList

router = APIRouter()


class BatchQuery(UnitFiguresQuery, kw_only=True):
    """The query of a batch. A batch ends some day, so the usual period is all time."""

    period: Period = "all"


class BatchPage(NamedTuple):
    number: str
    facts: Sequence[Fact]
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    units: UnitList
    notes: NotesSection
    deletion: DeleteForm | None
    history: ThingHistory
    voided: int


@router.get("/batches/{batch_number:path}")
def show_batch(
    services: WithServices,
    visit: WithVisit,
    batch_number: str,
    query: Annotated[BatchQuery, page_query(BatchQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        batch = get_batch(scope, batch_number)
        here, own = batch_url(batch.number), [batch.number]
        ask = questions(snapshot, visit, query, batch_numbers=own)
        created = moment_of(batch.created_at, visit.zone)
        count = count_units(scope, "batch", [batch.id]).get(batch.id, 0)
        page = BatchPage(
            number=batch.number,
            facts=[
                Fact("Units", count_text(count)),
                Fact("Created", f"{created.date} {created.time}"),
                Fact("Created by", creator_name(batch.created_by)),
            ],
            filters=figures_bar(scope, here, query, without=("batch",)),
            tiles=ask.tiles(),
            charts=[
                ask.bars("by-part", "First-pass yield by part", "part", url_of_part),
                ask.bars("by-procedure", "First-pass yield by procedure", "procedure", url_of_procedure),
            ],
            units=own_units(scope, visit, here, query, UnitFilter(batch_numbers=own)),
            notes=notes_of(scope, visit, batch.id),
            deletion=delete_form(visit, "batch", batch.id, "This batch is deleted; its units and runs stay."),
            history=history_of(scope, visit, batch.id),
            voided=snapshot.voided,
        )
    return render("products/batch.html", page, visit)
