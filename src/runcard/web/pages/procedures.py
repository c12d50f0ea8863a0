"""The procedures of an organization, with what becomes of their runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.procedure_activity import ProcedureActivity, procedure_activity
from runcard.edge.deps import WithParts
from runcard.store.choices import list_choices
from runcard.store.pages import Page
from runcard.store.procedure_records import ProcedureFilter, ProcedureRecord, list_procedure_records
from runcard.web.filters import (
    FilterBar,
    FilterQuery,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    text_field,
    url_of,
)
from runcard.web.formats import Moment, count_text, moment_of, percent_text
from runcard.web.render import render
from runcard.web.visit import Visit, WithVisit

router = APIRouter()

_PAGE_SIZE = 50


class ProceduresQuery(FilterQuery, kw_only=True):
    """q: part of the name. offset: how many procedures come before."""

    q: str | None = None
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class ProcedureLine(NamedTuple):
    """last_at: None where it had no run among these."""

    url: str
    name: str
    identifier: str
    runs: str
    first_pass: str
    last_at: Moment | None


class ProceduresPage(NamedTuple):
    """earlier_url, later_url: empty where there is nothing to go to. is_search: some may have been left out."""

    filters: FilterBar
    procedures: Sequence[ProcedureLine]
    is_search: bool
    earlier_url: str
    later_url: str


@router.get("/procedures")
def show_procedures(
    parts: WithParts, visit: WithVisit, asked: Annotated[ProceduresQuery, page_query(ProceduresQuery)]
) -> Response:
    home = visit.actor.organization_id
    selection = selection_of(asked, visit.zone, datetime.now(UTC))
    with parts.database.read() as connection:
        found = list_procedure_records(
            connection, home, ProcedureFilter(search=asked.q), Page(_PAGE_SIZE, asked.offset)
        )
        ids = [one.id for one in found.rows]
        activity = procedure_activity(parts.copy, connection, home, selection, ids)
        choices = list_choices(connection, home)
    page = ProceduresPage(
        filters=filter_bar(
            "/procedures",
            asked,
            choices,
            without=("procedure", "part", "revision", "batch", "version", "sample"),
            more=[text_field("q", "Name", asked.q)],
            left=("offset",),
        ),
        procedures=[_line(one, activity.get(one.id), asked, visit) for one in found.rows],
        is_search=asked.q is not None,
        earlier_url=url_of("/procedures", asked, offset=max(0, asked.offset - _PAGE_SIZE))
        if asked.offset
        else "",
        later_url=url_of("/procedures", asked, offset=asked.offset + _PAGE_SIZE) if found.has_more else "",
    )
    return render("procedures.html", page, visit)


def _line(
    one: ProcedureRecord, activity: ProcedureActivity | None, asked: ProceduresQuery, visit: Visit
) -> ProcedureLine:
    return ProcedureLine(
        url=url_of(f"/procedures/{one.id}", filters_of(asked), procedure=None),
        name=one.name,
        identifier=one.identifier,
        runs=count_text(activity.runs if activity else 0),
        first_pass=percent_text(activity.first_pass.ratio) if activity else "",
        last_at=moment_of(activity.last_started_at, visit.zone) if activity else None,
    )
