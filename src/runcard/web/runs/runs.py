"""The list of runs: filtered, sorted, in pages, with the columns that a reader chose."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.lists.run_lists import count_runs, list_runs
from runcard.domain.errors import InvalidInput
from runcard.domain.instant import as_utc, format_instant
from runcard.edge.requests.paging import PageQuery, page_of
from runcard.edge.requests.services import WithServices
from runcard.store.commit.changes import last_seq
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import list_keys
from runcard.store.notes.on_runs import with_notes
from runcard.store.procedures.rows import list_procedures
from runcard.store.runs.matches import count_new_runs
from runcard.store.runs.records import (
    RunPosition,
    RunRecord,
    list_later_runs,
    list_latest_runs,
    with_metadata,
)
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment, counted_text, duration_text, moment_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import hidden_fields, page_query, url_of
from runcard.web.lists.pager import COUNTED, pager, total_text
from runcard.web.lists.run_columns import (
    COLUMNS,
    ColumnKind,
    ColumnValue,
    RunColumn,
    columns_of,
    reported_words,
)
from runcard.web.lists.run_query import Filtering, RunsPageQuery, filtering, list_filter_of
from runcard.web.lists.table_files import TableFiles, files_of
from runcard.web.notes.cells import NotedCell
from runcard.web.notes.section import TagChip, tag_chips
from runcard.web.people.first_run import SOME_PROCEDURE, curl_command

router = APIRouter()

_HERE = "/runs"
_PAGE_SIZE = 50
_COUNTED_NEWS = 100
# How many keys of metadata are offered.
_MOST_KEYS = 100

# The parameters that the form for columns keeps.
_KEPT = [
    name
    for name in RunsPageQuery.__struct_fields__
    if name not in {"columns", "noted", "after", "before", "cursor"}
]


class RunHeading(NamedTuple):
    """sort_url: empty if the table cannot be sorted by it. direction: the value of `aria-sort`; empty if not sorted."""

    label: str
    sort_url: str
    direction: str
    is_number: bool


class RunCell(NamedTuple):
    """at: the value of a moment; None for other kinds. tags: empty for other columns."""

    label: str
    kind: ColumnKind
    text: str
    at: Moment | None = None
    tags: Sequence[TagChip] = ()


class RunLine(NamedTuple):
    """void: why the run was voided; empty if it counts. reported: what the report called the unit, if it has another
    serial number now. corrected: what the report said of all fields that were corrected.

    noted: what stands beside the unit; what a column shows does not.
    """

    id: UUID
    url: str
    cells: Sequence[RunCell]
    void: str
    reported: str
    corrected: str
    noted: NotedCell


class ColumnChoice(NamedTuple):
    """field: the name of the form field."""

    field: str
    name: str
    label: str
    is_chosen: bool


class FirstRunHelp(NamedTuple):
    """How to send a first run. procedure: the identifier to send it to; empty if there is no procedure yet."""

    procedure: str
    command: str


class RunsPage(NamedTuple):
    """news_url: says how many runs have arrived since. kept: the query without its columns, as form fields.

    total: of all pages; empty if it is not known. is_by_start: the runs that started last stand first. newest_url,
    newer_url, older_url: of the first page, the page before and the page after; empty if they lead nowhere.
    first_run: None once there are runs.
    """

    filters: Filtering
    is_filtered: bool
    headings: Sequence[RunHeading]
    runs: Sequence[RunLine]
    choices: Sequence[ColumnChoice]
    noted: Sequence[ColumnChoice]
    kept: Sequence[tuple[str, str]]
    files: TableFiles
    csv_url: str
    parquet_url: str
    news_url: str
    total: str
    bulk_url: str
    is_by_start: bool
    newest_url: str
    newer_url: str
    older_url: str
    first_run: FirstRunHelp | None


class NewsQuery(RunsPageQuery, kw_only=True):
    """seen: the number of the last change that the page knows."""

    seen: Annotated[int, Meta(ge=0, lt=1 << 53)] = 0


class NewsPage(NamedTuple):
    """text: empty if there is nothing new."""

    text: str
    url: str


class _FoundRuns(NamedTuple):
    """newer_url, older_url: may be empty."""

    records: Sequence[RunRecord]
    is_first: bool
    newer_url: str
    older_url: str


@router.get(_HERE)
def show_runs(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    query: Annotated[RunsPageQuery, page_query(RunsPageQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        seen = last_seq(scope.connection)
        run_filter = list_filter_of(scope, query, visit, datetime.now(UTC))
        found = _find(services.copy, scope, run_filter, query)
        is_empty = not found.records and found.is_first and not query.is_filtered
        root = services.links.root(str(request.base_url))
        first_run = _first_run(scope, root) if is_empty else None
        keys = list_keys(scope, _MOST_KEYS)
        filters = filtering(scope, query, keys)
        total = _total(services.copy, scope, run_filter, found)
        records = with_notes(scope, found.records)
        if query.noted:
            records = with_metadata(scope, records)
    columns = columns_of(query.columns, query.noted or ())
    page = RunsPage(
        filters=filters,
        is_filtered=query.is_filtered,
        headings=[_heading(column, query) for column in columns],
        runs=[_line(record, columns, visit.zone) for record in records],
        choices=[ColumnChoice("columns", one.name, one.label, one in columns) for one in COLUMNS.values()],
        noted=[ColumnChoice("noted", key, key, key in (query.noted or ())) for key in keys],
        kept=hidden_fields(query, *_KEPT),
        files=files_of(_HERE, query, "after", "before", "cursor"),
        csv_url=_url("/runs.csv", query),
        parquet_url=_url("/runs.parquet", query),
        news_url=_url("/runs/news", query, seen=seen),
        total=total,
        bulk_url="" if visit.actor.role == "viewer" else _url("/bulk/runs", query),
        is_by_start=_is_by_start(query),
        newest_url="" if found.is_first else _url(_HERE, query),
        newer_url=found.newer_url,
        older_url=found.older_url,
        first_run=first_run,
    )
    return render("runs/runs.html", page, visit)


@router.get("/runs/news")
def show_news(
    services: WithServices, visit: WithVisit, query: Annotated[NewsQuery, page_query(NewsQuery)]
) -> Response:
    """A line about the runs that have arrived since a page was made, to put into that page."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        run_filter = list_filter_of(scope, query, visit, datetime.now(UTC))
        count = count_new_runs(scope, run_filter, query.seen, at_most=_COUNTED_NEWS)
    return render("runs/news.html", NewsPage(_news_text(count), url_of(_HERE, query, seen=None)), visit)


def _news_text(count: int) -> str:
    if count == 0:
        return ""
    if count >= _COUNTED_NEWS:
        return f"{_COUNTED_NEWS} or more new runs"
    return "1 new run" if count == 1 else f"{count} new runs"


def _find(copy: ColumnarCopy | None, scope: Scope, run_filter: RunFilter, query: RunsPageQuery) -> _FoundRuns:
    """The runs of a page. In the usual order a page begins or ends at a run; in another it skips a number of rows."""
    if _is_by_start(query):
        return _find_by_start(scope, run_filter, query)
    page = page_of(scope.connection, PageQuery(limit=_PAGE_SIZE, cursor=query.cursor))
    listed = list_runs(copy, scope, run_filter, query.sort, page, descending=query.is_descending)
    links = pager(page, listed, lambda cursor: _url(_HERE, query, cursor=cursor))
    return _FoundRuns(listed.rows, page.offset == 0, links.earlier_url, links.later_url)


def _find_by_start(scope: Scope, run_filter: RunFilter, query: RunsPageQuery) -> _FoundRuns:
    if query.after is not None and query.before is not None:
        raise InvalidInput.at("before", "cannot be given together with after; give one of the two")
    if query.before is not None:
        before = _position("before", query.before)
        listed = list_later_runs(scope, run_filter, _PAGE_SIZE, before)
        if listed.has_more:
            return _found(listed.rows, query, has_newer=True, has_older=True)
        # No later run is left, so this is the first page, and it is filled from the newest run on.
    after = None if query.after is None else _position("after", query.after)
    listed = list_latest_runs(scope, run_filter, _PAGE_SIZE, after)
    return _found(listed.rows, query, has_newer=after is not None, has_older=listed.has_more)


def _found(
    records: Sequence[RunRecord], query: RunsPageQuery, *, has_newer: bool, has_older: bool
) -> _FoundRuns:
    newer = _url(_HERE, query, before=_place(records[0])) if has_newer and records else ""
    older = _url(_HERE, query, after=_place(records[-1])) if has_older else ""
    return _FoundRuns(records, not has_newer, newer, older)


def _is_by_start(query: RunsPageQuery) -> bool:
    """Whether the list is in its usual order."""
    return query.sort == "started_at" and query.is_descending


def _url(path: str, query: RunsPageQuery, **changes: object) -> str:
    """The address of a page about the same runs, from the beginning unless `changes` name a place."""
    return url_of(path, query, **{"after": None, "before": None, "cursor": None, **changes})


def _total(copy: ColumnarCopy | None, scope: Scope, run_filter: RunFilter, found: _FoundRuns) -> str:
    """How many runs there are on all pages; empty if it is not known."""
    if found.is_first and not found.older_url:
        return counted_text(len(found.records), "run") if found.records else ""
    count = count_runs(copy, scope, run_filter, at_most=COUNTED + 1)
    if count is None:
        return ""
    return counted_text(count, "run") if count == 1 else f"{total_text(count)} runs"


def _heading(column: RunColumn, query: RunsPageQuery) -> RunHeading:
    """The heading of a column. A click sorts by it, newest or longest first, texts from A; a second click reverses."""
    is_number = column.kind == "duration"
    if not column.order:
        return RunHeading(column.label, "", "", is_number)
    is_sorted = column.order == query.sort
    order = "desc" if column.kind in ("moment", "duration") else "asc"
    direction = ""
    if is_sorted:
        order = "asc" if query.is_descending else "desc"
        direction = "descending" if query.is_descending else "ascending"
    url = _url(_HERE, query, sort=column.order, order=order)
    return RunHeading(column.label, url, direction, is_number)


def _line(record: RunRecord, columns: Sequence[RunColumn], zone: ZoneInfo) -> RunLine:
    counted = record._replace(reported_started_at=None, reported_ended_at=None)
    cells = [_cell(one, one.value(counted), zone) for one in columns]
    own = {"started_at": RunCell("", "moment", "", start_of(record, zone)), "tags": _tags_cell(record)}
    cells = [
        own[column.name]._replace(label=column.label) if column.name in own else cell
        for column, cell in zip(columns, cells, strict=True)
    ]
    void = "" if record.void is None else record.void.reason
    return RunLine(
        record.id,
        f"/runs/{record.id}",
        cells,
        void,
        record.former_serial_number,
        reported_words(record.corrected),
        _noted(record, {column.name for column in columns}),
    )


def _noted(record: RunRecord, shown: Set[str]) -> NotedCell:
    return NotedCell(
        () if "tags" in shown else tag_chips(record.tags or (), "run"),
        "" if "cause" in shown else record.cause or "",
    )


def _tags_cell(record: RunRecord) -> RunCell:
    return RunCell("", "text", "", tags=tag_chips(record.tags or (), "run"))


def _cell(column: RunColumn, value: ColumnValue, zone: ZoneInfo) -> RunCell:
    match value:
        case datetime():
            return RunCell(column.label, column.kind, "", moment_of(value, zone))
        case float():
            return RunCell(column.label, column.kind, duration_text(timedelta(seconds=value)))
    return RunCell(column.label, column.kind, value or "")


def _place(record: RunRecord) -> str:
    return f"{format_instant(record.started_at)}_{record.id}"


def _position(name: str, text: str) -> RunPosition:
    """The position that `_place` wrote. Raises InvalidInput for any other text."""
    moment, _, run_id = text.partition("_")
    try:
        return RunPosition(as_utc(datetime.fromisoformat(moment)), UUID(run_id))
    except ValueError as error:
        raise InvalidInput.at(name, f"{text!r} is no place in the list; start from /runs") from error


def _first_run(scope: Scope, root: str) -> FirstRunHelp:
    procedures = list_procedures(scope, in_use=True)
    procedure = procedures[0].identifier if procedures else ""
    return FirstRunHelp(procedure, curl_command(root, "YOUR_API_KEY", procedure or SOME_PROCEDURE))
