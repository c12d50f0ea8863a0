"""The page of imports: a form that sends report files, what became of them, and the latest imports."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.auth.permissions import may_manage
from runcard.domain.errors import InvalidInput, NotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.intake.choices import ImportChoice, check_may_replace, checked
from runcard.store.files.imports import ImportRecord, list_imports
from runcard.store.intake.quarantine import count_quarantined
from runcard.web.frame.facts import creator_name
from runcard.web.frame.formats import Moment, count_text, limit_text, moment_of
from runcard.web.frame.forms import TOKEN_FIELD, problems_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.arrivals import WithSentFiles, bring_in, too_large
from runcard.web.intake.outcomes import (
    ArrivedFile,
    OutcomeLine,
    import_url,
    lacking_text,
    outcome_lines,
    runs_text,
)
from runcard.web.intake.report_formats import ReadingFields, format_text, reading_fields, reading_of
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of

router = APIRouter()

_HERE = "/imports"
_PAGE_SIZE = 20
_SHEET = [
    SheetColumn("File"),
    SheetColumn("Runs", "number"),
    SheetColumn("Repairs", "number"),
    SheetColumn("In part"),
    SheetColumn("Read as"),
    SheetColumn("By"),
    SheetColumn("At", "moment"),
    SheetColumn("Import ID"),
]


class ImportsQuery(Struct, kw_only=True):
    cursor: Cursor | None = None


class ImportLine(NamedTuple):
    """is_partial: some reports of the file are not recorded."""

    url: str
    name: str
    format: str
    recorded: str
    is_partial: bool
    created_by: str
    at: Moment


class ImportsPage(NamedTuple):
    """quarantined: how many files are in quarantine. may_import, may_replace: the reader may do that. most, most_bytes:
    how much a form takes, as people write it and in bytes. lacking: fields that refused files lack and the form can
    state.
    """

    quarantined: str
    may_import: bool
    may_replace: bool
    reading: ReadingFields
    lacking: str
    most: str
    most_bytes: int
    too_large: str
    problems: Sequence[str]
    outcomes: Sequence[OutcomeLine]
    imports: Sequence[ImportLine]
    files: TableFiles
    pager: Pager


@router.get(_HERE)
def show_imports(
    services: WithServices, visit: WithVisit, query: Annotated[ImportsQuery, page_query(ImportsQuery)]
) -> Response:
    return _show(services, visit, query, ImportChoice())


@file_route(router, _HERE, ImportsQuery, "Imports", _SHEET)
def list_all_imports(ask: FileAsk[ImportsQuery]) -> Rows:
    """All imports, in the order of the page."""
    return ask.whole_list(
        list_imports,
        lambda _scope, imports: [_cells(one) for one in imports],
    )


@router.post(_HERE)
def submit_files(services: WithServices, visit: WithVisit, form: WithSentFiles) -> Response:
    """The same page, with what became of each file."""
    services.form_tokens.check(visit.session, form.fields.get(TOKEN_FIELD, ""))
    choice = ImportChoice()
    try:
        choice = reading_of(form.fields)
        check_may_replace(visit.actor, choice)
        if not form.files:
            raise InvalidInput.at("files", "No file was chosen; choose one or more")
        with services.database.read_in(visit.actor.organization_id) as scope:
            choice = checked(scope, choice)
    except (InvalidInput, NotFound) as error:
        return _show(services, visit, ImportsQuery(), choice, error=error)
    arrived = list(bring_in(services, visit, choice, form.files))
    return _show(services, visit, ImportsQuery(), choice, arrived)


def _show(
    services: Services,
    visit: Visit,
    query: ImportsQuery,
    choice: ImportChoice,
    arrived: Sequence[ArrivedFile] = (),
    error: InvalidInput | NotFound | None = None,
) -> Response:
    organization_id, most = visit.actor.organization_id, services.max_upload_bytes
    with services.database.read_in(organization_id) as scope:
        at = list_page(scope.connection, query.cursor, _PAGE_SIZE)
        listed = list_imports(scope, at)
        page = ImportsPage(
            quarantined=count_text(count_quarantined(scope)),
            may_import=visit.actor.role != "viewer",
            may_replace=may_manage(visit.actor),
            reading=reading_fields(scope, choice),
            lacking=lacking_text(arrived),
            most=limit_text(most),
            most_bytes=most,
            too_large=too_large(most),
            problems=problems_of(error),
            outcomes=outcome_lines(scope, visit, arrived),
            imports=[_line(one, visit) for one in listed.rows],
            files=files_of(_HERE, query, "cursor"),
            pager=pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor)),
        )
    return render("intake/imports.html", page, visit, status=answer_error(error).status if error else 200)


def _line(record: ImportRecord, visit: Visit) -> ImportLine:
    return ImportLine(
        import_url(record.id),
        _name(record),
        format_text(record.importer),
        runs_text(record.run_count, record.repair_count) or "nothing is left",
        record.recorded_count is not None,
        creator_name(record.created_by),
        moment_of(record.created_at, visit.zone),
    )


def _cells(record: ImportRecord) -> Sequence[Cell]:
    return [
        _name(record),
        record.run_count,
        record.repair_count,
        "" if record.recorded_count is None else "yes",
        format_text(record.importer),
        creator_name(record.created_by),
        record.created_at,
        str(record.id),
    ]


def _name(record: ImportRecord) -> str:
    return record.name or "a file that was deleted"
