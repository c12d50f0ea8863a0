"""The list of procedures, with how many runs each has and how they end."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.questions.activity.procedure_activity import ProcedureActivity, procedure_activity
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import Conflict, FiguresUnavailable, InvalidInput, NameTaken
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_choices
from runcard.store.procedures.records import ProcedureFilter, ProcedureRecord, list_procedure_records
from runcard.store.procedures.rows import check_name_is_free, create_procedure
from runcard.web.frame.formats import Moment, count_text, moment_of, percent_text
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import procedure_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    FigureQuery,
    FilterBar,
    attempts_field,
    choice_field,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    text_field,
    url_of,
)
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.procedures.change import SAME_NAME, WAY_ON

router = APIRouter()

_HERE = "/procedures"


_SHEET = [
    SheetColumn("Procedure"),
    SheetColumn("Identifier"),
    SheetColumn("Runs", "number"),
    SheetColumn("First-pass yield", "ratio"),
    SheetColumn("Last run", "moment"),
]
State = Literal["archived"]
_STATES = {"": "In use", "archived": "Archived"}


class ProceduresQuery(FigureQuery, kw_only=True):
    """search: part of the name. state: None: procedures in use."""

    search: str | None = None
    state: State | None = None
    cursor: Cursor | None = None


class ProcedureLine(NamedTuple):
    """last_at: None if the procedure has none of these runs."""

    url: str
    name: str
    identifier: str
    runs: str
    first_pass: str
    last_at: Moment | None


class ProceduresPage(NamedTuple):
    """is_search: the search may leave out some procedures. problem: why there are no figures; else empty.

    may_manage: the reader may create a procedure. fields: what was filled in to create one. name_is_taken: another
    procedure has that name.
    """

    filters: FilterBar
    procedures: Sequence[ProcedureLine]
    is_search: bool
    pager: Pager
    files: TableFiles
    problem: str
    may_manage: bool
    fields: Fields
    name_is_taken: bool
    problems: Sequence[str]
    voided: int


@router.get(_HERE)
def show_procedures(
    services: WithServices, visit: WithVisit, query: Annotated[ProceduresQuery, page_query(ProceduresQuery)]
) -> Response:
    return render("procedures/procedures.html", _page(services, visit, query, {}), visit)


@router.post(_HERE)
def submit_procedure(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    check_may_manage(visit.actor, "create procedures")
    creator = Creator.of(visit.actor)

    def apply(tx: Transaction) -> UUID:
        name = fields.get("name", "")
        if SAME_NAME not in fields:
            check_name_is_free(tx.scope, name, WAY_ON)
        return create_procedure(tx, name, creator, fields.get("identifier", "").strip() or None).id

    try:
        made = services.writer.write(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        page = _page(services, visit, ProceduresQuery(), fields, error)
        return render("procedures/procedures.html", page, visit, status=answer_error(error).status)
    return redirect(procedure_url(made))


def _page(
    services: Services,
    visit: Visit,
    query: ProceduresQuery,
    fields: Fields,
    error: InvalidInput | Conflict | None = None,
) -> ProceduresPage:
    organization_id = visit.actor.organization_id
    selection = selection_of(query, visit.zone, datetime.now(UTC))
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        at = list_page(scope.connection, query.cursor)
        listed = list_procedure_records(scope, _procedure_filter(query), at)
        activity, problem = _activity(snapshot, selection, listed.rows)
        choices = list_choices(scope)
    return ProceduresPage(
        filters=filter_bar(
            _HERE,
            query,
            choices,
            without=("procedure", "part", "revision", "batch", "version", "sample"),
            more=[
                attempts_field(query),
                text_field("search", "Name contains", query.search),
                choice_field("state", "State", query.state, list(_STATES.items())),
            ],
            left=("cursor",),
        ),
        procedures=[_line(one, activity.get(one.id), query, visit) for one in listed.rows],
        is_search=query.search is not None or query.state is not None,
        pager=pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor)),
        files=files_of(_HERE, query, "cursor"),
        problem=problem,
        may_manage=may_manage(visit.actor),
        fields=fields,
        name_is_taken=isinstance(error, NameTaken),
        problems=problems_of(error),
        voided=snapshot.voided,
    )


@file_route(router, _HERE, ProceduresQuery, "Procedures", _SHEET)
def list_all_procedures(ask: FileAsk[ProceduresQuery]) -> Rows:
    """All procedures that the filter finds, in the order of the page."""
    selection = selection_of(ask.query, ask.visit.zone, datetime.now(UTC))

    def cells(scope: Scope, some: Sequence[ProcedureRecord]) -> Sequence[Sequence[Cell]]:
        with Snapshot(ask.services.copy, scope) as snapshot:
            activity, _ = _activity(snapshot, selection, some)
        return [_cells(one, activity.get(one.id)) for one in some]

    return ask.whole_list(
        lambda scope, page: list_procedure_records(scope, _procedure_filter(ask.query), page), cells
    )


def _procedure_filter(query: ProceduresQuery) -> ProcedureFilter:
    return ProcedureFilter(search=query.search, archived=query.state == "archived")


def _activity(
    snapshot: Snapshot, selection: Selection, procedures: Sequence[ProcedureRecord]
) -> tuple[Mapping[UUID, ProcedureActivity], str]:
    """The activity of procedures, and the reason if this server has no figures; else an empty text."""
    try:
        return procedure_activity(snapshot, selection, [one.id for one in procedures]), ""
    except FiguresUnavailable as unavailable:
        return {}, str(unavailable)


def _cells(procedure: ProcedureRecord, activity: ProcedureActivity | None) -> Sequence[Cell]:
    figures: Sequence[Cell] = (
        (None, None, None)
        if activity is None
        else (activity.runs, activity.first_pass.ratio, activity.last_started_at)
    )
    return [procedure.name, procedure.identifier, *figures]


def _line(
    procedure: ProcedureRecord, activity: ProcedureActivity | None, query: ProceduresQuery, visit: Visit
) -> ProcedureLine:
    return ProcedureLine(
        url=url_of(procedure_url(procedure.id), filters_of(query), procedure=None),
        name=procedure.name,
        identifier=procedure.identifier,
        runs=count_text(activity.runs) if activity else "",
        first_pass=percent_text(activity.first_pass.ratio) if activity else "",
        last_at=moment_of(activity.last_started_at, visit.zone) if activity else None,
    )
