"""The list of parts."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.analytics.asking import Snapshot
from runcard.edge.deps import WithParts
from runcard.store.part_records import PartFilter, list_parts, list_revisions
from runcard.store.run_filter import RunFilter
from runcard.store.unit_members import count_units
from runcard.web.filters import FilterBar, page_query, url_of
from runcard.web.formats import Moment, count_text, moment_of
from runcard.web.headings import Column, Direction, Heading, headings
from runcard.web.pager import Cursor, Pager, list_page, pager
from runcard.web.render import render
from runcard.web.search_bar import search_bar
from runcard.web.urls import part_url
from runcard.web.visit import WithVisit
from runcard.web.yields import YieldCell, yield_cells

router = APIRouter()

_HERE = "/parts"
_COLUMNS = [
    Column("Part", "number"),
    Column("Name", "name"),
    Column("Revisions"),
    Column("Units", is_number=True),
    Column("First-pass yield", is_number=True),
    Column("Created", "created_at"),
]


class PartsQuery(Struct, kw_only=True):
    """search: part of the number, the name or a revision's number."""

    search: str | None = None
    sort: Literal["number", "name", "created_at"] = "number"
    order: Direction = "asc"
    cursor: Cursor | None = None


class PartLine(NamedTuple):
    """first_pass: over all time; None where nothing is known of it."""

    url: str
    number: str
    name: str
    revisions: str
    units: str
    first_pass: YieldCell | None
    created_at: Moment


class PartsPage(NamedTuple):
    filters: FilterBar
    headings: Sequence[Heading]
    parts: Sequence[PartLine]
    pager: Pager
    is_filtered: bool


@router.get(_HERE)
def show_parts(
    parts: WithParts, visit: WithVisit, asked: Annotated[PartsQuery, page_query(PartsQuery)]
) -> Response:
    home = visit.actor.organization_id
    with parts.database.read() as connection, Snapshot(parts.copy, connection, home) as snapshot:
        at = list_page(connection, asked.cursor)
        listed = list_parts(
            connection, home, PartFilter(asked.search), asked.sort, at, descending=asked.order == "desc"
        )
        ids = [part.id for part in listed.rows]
        revisions = list_revisions(connection, home, ids)
        units = count_units(connection, home, "part", ids)
        numbers = [part.number for part in listed.rows]
        first_pass = yield_cells(snapshot, visit, RunFilter(part_numbers=numbers), "part")
    page = PartsPage(
        search_bar(_HERE, "Number or name contains", asked.search, _kept(asked)),
        headings(
            _COLUMNS,
            asked.sort,
            asked.order,
            lambda sort, order: url_of(_HERE, asked, sort=sort, order=order, cursor=None),
        ),
        [
            PartLine(
                part_url(part.number),
                part.number,
                "" if part.name == part.number else part.name,
                ", ".join(one.number for one in revisions.get(part.id, ())),
                count_text(units.get(part.id, 0)),
                first_pass.get(part.id),
                moment_of(part.created_at, visit.zone),
            )
            for part in listed.rows
        ],
        pager(at, listed, lambda cursor: url_of(_HERE, asked, cursor=cursor)),
        is_filtered=asked.search is not None,
    )
    return render("parts.html", page, visit)


def _kept(asked: PartsQuery) -> Sequence[tuple[str, str]]:
    values = (("sort", asked.sort, "number"), ("order", asked.order, "asc"))
    return [(name, value) for name, value, usual in values if value != usual]
