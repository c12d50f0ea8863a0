"""The procedures of an organization, with what becomes of their runs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.asking import Snapshot
from runcard.analytics.questions.procedure_activity import ProcedureActivity, procedure_activity
from runcard.domain.errors import FiguresUnavailable
from runcard.edge.deps import WithParts
from runcard.store.choices import list_choices
from runcard.store.procedure_records import ProcedureFilter, ProcedureRecord, list_procedure_records
from runcard.web.filters import (
    FigureQuery,
    FilterBar,
    attempts_field,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    text_field,
    url_of,
)
from runcard.web.formats import Moment, count_text, moment_of, percent_text
from runcard.web.pager import Cursor, Pager, list_page, pager
from runcard.web.render import render
from runcard.web.urls import procedure_url
from runcard.web.visit import Visit, WithVisit

router = APIRouter()


class ProceduresQuery(FigureQuery, kw_only=True):
    """search: part of the name."""

    search: str | None = None
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
    """is_search: some may have been left out. problem: why there are no figures; else empty."""

    filters: FilterBar
    procedures: Sequence[ProcedureLine]
    is_search: bool
    pager: Pager
    problem: str


@router.get("/procedures")
def show_procedures(
    parts: WithParts, visit: WithVisit, asked: Annotated[ProceduresQuery, page_query(ProceduresQuery)]
) -> Response:
    home = visit.actor.organization_id
    selection = selection_of(asked, visit.zone, datetime.now(UTC))
    with parts.database.read() as connection, Snapshot(parts.copy, connection, home) as snapshot:
        at = list_page(connection, asked.cursor)
        listed = list_procedure_records(connection, home, ProcedureFilter(search=asked.search), at)
        ids, problem = [one.id for one in listed.rows], ""
        activity: Mapping[UUID, ProcedureActivity] = {}
        try:
            activity = procedure_activity(snapshot, selection, ids)
        except FiguresUnavailable as error:
            problem = str(error)
        choices = list_choices(connection, home)
    page = ProceduresPage(
        filters=filter_bar(
            "/procedures",
            asked,
            choices,
            without=("procedure", "part", "revision", "batch", "version", "sample"),
            more=[attempts_field(asked), text_field("search", "Name contains", asked.search)],
            left=("cursor",),
        ),
        procedures=[_line(one, activity.get(one.id), asked, visit) for one in listed.rows],
        is_search=asked.search is not None,
        pager=pager(at, listed, lambda cursor: url_of("/procedures", asked, cursor=cursor)),
        problem=problem,
    )
    return render("procedures.html", page, visit)


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
