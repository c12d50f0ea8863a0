"""The procedures of an organization, with what becomes of their runs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.asking import Snapshot
from runcard.analytics.questions.procedure_activity import ProcedureActivity, procedure_activity
from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import Conflict, FiguresUnavailable, InvalidInput, NameTaken
from runcard.edge.deps import Parts, WithParts
from runcard.edge.errors import answer_error
from runcard.store.choices import list_choices
from runcard.store.creator import Creator
from runcard.store.procedure_records import ProcedureFilter, ProcedureRecord, list_procedure_records
from runcard.store.procedures import check_name_is_free, create_procedure
from runcard.store.transaction import Transaction
from runcard.web.filters import (
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
from runcard.web.formats import Moment, count_text, moment_of, percent_text
from runcard.web.forms import Fields, WithForm, problems_of
from runcard.web.pager import Cursor, Pager, list_page, pager
from runcard.web.pages.change_procedure import SAME_NAME, WAY_ON
from runcard.web.render import redirect, render
from runcard.web.urls import procedure_url
from runcard.web.visit import Visit, WithVisit

router = APIRouter()

_HERE = "/procedures"


State = Literal["archived"]
_STATES = {"": "In use", "archived": "Archived"}


class ProceduresQuery(FigureQuery, kw_only=True):
    """search: part of the name. state: None: those in use."""

    search: str | None = None
    state: State | None = None
    cursor: Cursor | None = None


class ProcedureLine(NamedTuple):
    """last_at: None where it had no run among these."""

    url: str
    name: str
    identifier: str
    runs: str
    first_pass: str
    last_at: Moment | None


class ProceduresPage(NamedTuple):
    """is_search: some may have been left out. problem: why there are no figures; else empty.

    may_manage: a procedure may be made here. fields: what was filled in to make one. name_is_taken: its name is that of
    another.
    """

    filters: FilterBar
    procedures: Sequence[ProcedureLine]
    is_search: bool
    pager: Pager
    problem: str
    may_manage: bool
    fields: Fields
    name_is_taken: bool
    problems: Sequence[str]


@router.get(_HERE)
def show_procedures(
    parts: WithParts, visit: WithVisit, asked: Annotated[ProceduresQuery, page_query(ProceduresQuery)]
) -> Response:
    return render("procedures.html", _page(parts, visit, asked, {}), visit)


@router.post(_HERE)
def submit_procedure(parts: WithParts, visit: WithVisit, fields: WithForm) -> Response:
    check_may_manage(visit.actor, "create procedures")
    home, creator = visit.actor.organization_id, Creator.of(visit.actor)

    def apply(tx: Transaction) -> UUID:
        name = fields.get("name", "")
        if SAME_NAME not in fields:
            check_name_is_free(tx.connection, home, name, WAY_ON)
        return create_procedure(tx, home, name, creator, fields.get("identifier", "").strip() or None).id

    try:
        made = parts.writer.run(apply, changes_catalog=False)
    except (InvalidInput, Conflict) as error:
        page = _page(parts, visit, ProceduresQuery(), fields, error)
        return render("procedures.html", page, visit, status=answer_error(error).status)
    return redirect(procedure_url(made))


def _page(
    parts: Parts,
    visit: Visit,
    asked: ProceduresQuery,
    fields: Fields,
    error: InvalidInput | Conflict | None = None,
) -> ProceduresPage:
    home = visit.actor.organization_id
    selection = selection_of(asked, visit.zone, datetime.now(UTC))
    with parts.database.read() as connection, Snapshot(parts.copy, connection, home) as snapshot:
        at = list_page(connection, asked.cursor)
        wanted = ProcedureFilter(search=asked.search, archived=asked.state == "archived")
        listed = list_procedure_records(connection, home, wanted, at)
        ids, problem = [one.id for one in listed.rows], ""
        activity: Mapping[UUID, ProcedureActivity] = {}
        try:
            activity = procedure_activity(snapshot, selection, ids)
        except FiguresUnavailable as unavailable:
            problem = str(unavailable)
        choices = list_choices(connection, home)
    return ProceduresPage(
        filters=filter_bar(
            _HERE,
            asked,
            choices,
            without=("procedure", "part", "revision", "batch", "version", "sample"),
            more=[
                attempts_field(asked),
                text_field("search", "Name contains", asked.search),
                choice_field("state", "State", asked.state, list(_STATES.items())),
            ],
            left=("cursor",),
        ),
        procedures=[_line(one, activity.get(one.id), asked, visit) for one in listed.rows],
        is_search=asked.search is not None or asked.state is not None,
        pager=pager(at, listed, lambda cursor: url_of(_HERE, asked, cursor=cursor)),
        problem=problem,
        may_manage=may_manage(visit.actor),
        fields=fields,
        name_is_taken=isinstance(error, NameTaken),
        problems=problems_of(error),
    )


def _line(
    one: ProcedureRecord, activity: ProcedureActivity | None, asked: ProceduresQuery, visit: Visit
) -> ProcedureLine:
    return ProcedureLine(
        url=url_of(procedure_url(one.id), filters_of(asked), procedure=None),
        name=one.name,
        identifier=one.identifier,
        runs=count_text(activity.runs) if activity else "",
        first_pass=percent_text(activity.first_pass.ratio) if activity else "",
        last_at=moment_of(activity.last_started_at, visit.zone) if activity else None,
    )
