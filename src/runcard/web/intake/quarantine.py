"""The page of quarantine: files that could not be read or recorded."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import InvalidInput, RuncardError
from runcard.domain.floor.statement import check_statement
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.importers.formats import TABULAR, FormatName
from runcard.intake.choices import ImportChoice
from runcard.intake.quarantine import choice_for_retry, may_retry, retry_as_brought
from runcard.intake.report_files import Fate
from runcard.store.engine.scope import Scope
from runcard.store.intake.quarantine import (
    QuarantinedFile,
    QuarantineFilter,
    count_quarantined,
    list_quarantined_page,
)
from runcard.store.lists.pages import Listed, Page
from runcard.web.frame.facts import creator_name
from runcard.web.frame.formats import Moment, count_text, moment_of, size_text
from runcard.web.frame.forms import WithForm, problems_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.arrivals import CLIENT
from runcard.web.intake.outcomes import (
    ArrivedFile,
    OutcomeLine,
    mapping_url,
    may_be_table,
    outcome_lines,
    quarantined_url,
)
from runcard.web.intake.report_formats import (
    ReadingFields,
    format_choices,
    format_text,
    reading_fields,
    reading_of,
)
from runcard.web.lists.filters import Field, FilterBar, choice_field, page_query, url_of
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.search_bar import search_field
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of

router = APIRouter()

_HERE = "/imports/quarantine"
_RETRY = f"{_HERE}/retry"
_UNKNOWN = "UNKNOWN"
_SHEET = [
    SheetColumn("File"),
    SheetColumn("Why it was refused"),
    SheetColumn("Read as"),
    SheetColumn("Size (bytes)", "number"),
    SheetColumn("By"),
    SheetColumn("With"),
    SheetColumn("Arrived", "moment"),
]


class QuarantineQuery(Struct, kw_only=True):
    """search: part of the name or of the reason. format: UNKNOWN: files of no known format."""

    search: str | None = None
    format: Literal[FormatName, "TABULAR", "UNKNOWN"] | None = None
    cursor: Cursor | None = None


class QuarantineLine(NamedTuple):
    """way: the program that sent it; empty if that is not known. mapping_url: as in `QuarantinedFilePage`."""

    url: str
    name: str
    format: str
    size: str
    reason: str
    came_at: Moment
    created_by: str
    way: str
    mapping_url: str


class QuarantinePage(NamedTuple):
    """retry_url: retries the listed files; empty if the reader may not. reading: the fields of the form for a retry.
    is_filled_in: that form has something filled in.
    """

    quarantined: str
    filters: FilterBar
    files: Sequence[QuarantineLine]
    exported: TableFiles
    pager: Pager
    is_filtered: bool
    retry_url: str
    outcomes: Sequence[OutcomeLine]
    reading: ReadingFields
    is_filled_in: bool
    problems: Sequence[str]


WithQuery = Annotated[QuarantineQuery, page_query(QuarantineQuery)]


@router.get(_HERE)
def show_quarantine(services: WithServices, visit: WithVisit, query: WithQuery) -> Response:
    return _show(services, visit, query, ImportChoice())


@file_route(router, _HERE, QuarantineQuery, "Quarantine", _SHEET)
def list_all_quarantined(ask: FileAsk[QuarantineQuery]) -> Rows:
    """All files that the filter finds, in the order of the page."""
    return ask.whole_list(
        lambda scope, page: _listed(scope, ask.query, page),
        lambda _scope, files: [_cells(one) for one in files],
    )


@router.post(_RETRY)
def retry_listed(services: WithServices, visit: WithVisit, query: WithQuery, fields: WithForm) -> Response:
    """Retry the files that the page shows, each as it was tried last except for what the form changes."""
    check_may_manage(visit.actor, "retry files that others brought")
    choice = ImportChoice()
    try:
        choice = reading_of(fields)
        check_statement(choice.statement)
    except InvalidInput as error:
        return _show(services, visit, query, choice, error=error)
    with services.database.read_in(visit.actor.organization_id) as scope:
        listed = _listed(scope, query, list_page(scope.connection, query.cursor))
    arrived = [ArrivedFile(one.name, _fate(services, visit, one, choice)) for one in listed.rows]
    return _show(services, visit, query, choice, arrived)


def show_retried(services: Services, visit: Visit, choice: ImportChoice, arrived: ArrivedFile) -> Response:
    """The page of all files in quarantine, with what became of one that was retried."""
    return _show(services, visit, QuarantineQuery(), choice, [arrived])


def _fate(services: Services, visit: Visit, file: QuarantinedFile, choice: ImportChoice) -> Fate:
    """What became of a retried file. A file that cannot be retried does not stop the others."""
    try:
        return retry_as_brought(services.stores, visit.actor, CLIENT, file, choice_for_retry(file, choice))
    except RuncardError as error:
        return Fate("refused", file.importer, reason=error.summary, quarantined_id=file.id)


def _show(
    services: Services,
    visit: Visit,
    query: QuarantineQuery,
    choice: ImportChoice,
    arrived: Sequence[ArrivedFile] = (),
    error: InvalidInput | None = None,
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        at = list_page(scope.connection, query.cursor)
        listed = _listed(scope, query, at)
        page = QuarantinePage(
            quarantined=count_text(count_quarantined(scope)),
            filters=FilterBar(_HERE, _fields_of(query), []),
            files=[_line(one, visit) for one in listed.rows],
            exported=files_of(_HERE, query, "cursor"),
            pager=pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor)),
            is_filtered=query.search is not None or query.format is not None,
            retry_url=url_of(_RETRY, query) if may_manage(visit.actor) else "",
            outcomes=outcome_lines(scope, visit, arrived),
            reading=reading_fields(scope, choice),
            is_filled_in=choice != ImportChoice(),
            problems=problems_of(error),
        )
    return render("intake/quarantine.html", page, visit, status=answer_error(error).status if error else 200)


def _listed(scope: Scope, query: QuarantineQuery, page: Page) -> Listed[QuarantinedFile]:
    importers = None if query.format is None else [None if query.format == _UNKNOWN else query.format]
    quarantine_filter = QuarantineFilter(query.search, importers)
    return list_quarantined_page(scope, quarantine_filter, page)


def _fields_of(query: QuarantineQuery) -> Sequence[Field]:
    formats = [(one.value, one.name) for one in format_choices(None)]
    others = [(TABULAR, format_text(TABULAR)), (_UNKNOWN, "None that is known")]
    return [
        search_field("Name or reason contains", query.search),
        choice_field("format", "Read as", query.format, [("", "All"), *formats, *others]),
    ]


def _line(file: QuarantinedFile, visit: Visit) -> QuarantineLine:
    return QuarantineLine(
        quarantined_url(file.id),
        file.name,
        format_text(file.importer),
        "" if file.size_bytes is None else size_text(file.size_bytes),
        file.reason,
        moment_of(file.created_at, visit.zone),
        creator_name(file.created_by),
        file.client or "",
        mapping_url(file.id)
        if may_be_table(file.name, file.importer) and may_retry(visit.actor, file)
        else "",
    )


def _cells(file: QuarantinedFile) -> Sequence[Cell]:
    return [
        file.name,
        file.reason,
        format_text(file.importer),
        file.size_bytes,
        creator_name(file.created_by),
        file.client,
        file.created_at,
    ]
