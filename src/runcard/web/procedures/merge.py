"""Merging a procedure into another: the preview and the merge."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.merged_yield import MergedYield, merged_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, FiguresUnavailable, ProcedureNotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.lists.names import names_of
from runcard.store.lists.run_filter import RunFilter
from runcard.store.procedures.merges import merge_procedures
from runcard.store.procedures.records import count_runs_of
from runcard.store.procedures.rows import Procedure, get_procedure, list_procedures
from runcard.store.stations.records import list_stations_for
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.frame.forms import WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import procedure_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice, page_query

router = APIRouter(prefix="/procedures/{procedure_id}")


class MergeQuery(Struct, kw_only=True):
    """into: the procedure to merge it into."""

    into: UUID | None = None


class Side(NamedTuple):
    """One of the two procedures, or both together. units and first_pass are empty if this server has no figures."""

    title: str
    runs: str
    stations: str
    units: str
    first_pass: str


class MergePreview(NamedTuple):
    """sides: the source, the target, and both together. shared: how many units both tested. shared_runs: how many runs
    these have. units: some of them, each with its page. linked: the stations that may report the target only by the
    merge.
    """

    into: str
    name: str
    identifier: str
    sides: Sequence[Side]
    shared: str
    shared_runs: str
    units: Sequence[tuple[str, str]]
    linked: Sequence[str]


class MergePage(NamedTuple):
    """targets: the procedures to merge it into. preview: None until one is chosen."""

    url: str
    name: str
    identifier: str
    targets: Sequence[Choice]
    preview: MergePreview | None
    problems: Sequence[str]
    voided: int


class _Figures(NamedTuple):
    sides: Sequence[tuple[str, str]]
    together: MergedYield | None


@router.get("/merge")
def show_merge(
    services: WithServices,
    visit: WithVisit,
    procedure_id: str,
    query: Annotated[MergeQuery, page_query(MergeQuery)],
) -> Response:
    check_may_manage(visit.actor, "merge procedures")
    return render("procedures/merge.html", _page(services, visit, procedure_id, query.into), visit)


@router.post("/merge")
def merge(services: WithServices, visit: WithVisit, procedure_id: str, fields: WithForm) -> Response:
    actor = check_may_manage(visit.actor, "merge procedures")
    into = id_of(fields.get("into", ""), ProcedureNotFound)

    def apply(tx: Transaction) -> UUID:
        source = get_procedure(tx.scope, procedure_id)
        target = get_procedure(tx.scope, str(into))
        merge_procedures(tx, source, target, Creator.of(actor))
        return target.id

    try:
        target_id = services.writer.write_catalog(visit.actor, apply)
    except Conflict as error:
        page = _page(services, visit, procedure_id, None, problems_of(error))
        return render("procedures/merge.html", page, visit, status=answer_error(error).status)
    return redirect(procedure_url(target_id))


def _page(
    services: Services, visit: Visit, procedure_id: str, into: UUID | None, problems: Sequence[str] = ()
) -> MergePage:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        source = get_procedure(scope, procedure_id)
        others = [one for one in list_procedures(scope) if one.id != source.id]
        target = None if into is None else get_procedure(scope, str(into))
        is_other = target is not None and target.id != source.id
        preview = _preview(snapshot, visit, source, target) if target is not None and is_other else None
    return MergePage(
        url=procedure_url(source.id),
        name=source.name,
        identifier=source.identifier,
        targets=[Choice(str(one.id), f"{one.name} ({one.identifier})", one == target) for one in others],
        preview=preview,
        problems=problems,
        voided=snapshot.voided,
    )


def _preview(snapshot: Snapshot, visit: Visit, source: Procedure, target: Procedure) -> MergePreview:
    scope = snapshot.scope
    both = (source, target)
    runs = [count_runs_of(scope, one.id) for one in both]
    stations = [{one.id: one.name for one in list_stations_for(scope, it.id)} for it in both]
    figures = _figures(snapshot, visit, both)
    together = figures.together
    counts = [*runs, sum(runs)], [*stations, stations[0] | stations[1]]
    titles = [*(f"{one.name} ({one.identifier})" for one in both), "Both together"]
    shared = names_of(scope, "unit", together.shared if together else [])
    return MergePreview(
        into=str(target.id),
        name=target.name,
        identifier=target.identifier,
        sides=[
            Side(title, count_text(run_count), count_text(len(some)), *side)
            for title, run_count, some, side in zip(titles, *counts, figures.sides, strict=True)
        ],
        shared=count_text(together.shared_units) if together and together.shared_units else "",
        shared_runs=count_text(together.shared_runs) if together else "",
        units=[(serial, unit_url(serial)) for serial in shared.values()],
        linked=[name for station_id, name in stations[0].items() if station_id not in stations[1]],
    )


def _figures(snapshot: Snapshot, visit: Visit, both: Sequence[Procedure]) -> _Figures:
    """Units and first-pass yield of each and of both together, over all time; empty if this server has no figures."""
    try:
        own = [
            first_pass_yield(snapshot, Selection(RunFilter(procedure_ids=[one.id])), visit.zone).total
            for one in both
        ]
        together = merged_yield(snapshot, [one.id for one in both])
    except FiguresUnavailable:
        return _Figures([("", "")] * 3, None)
    of_each = [(one.units, one.first_pass) for one in own] + [(together.units, together.first_pass)]
    return _Figures([(count_text(n), percent_text(passed.ratio)) for n, passed in of_each], together)
