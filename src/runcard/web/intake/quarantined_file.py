"""The page of one file in quarantine: why it was refused, and what can be done about it."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import InvalidInput, NotFound, QuarantinedFileNotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.files.transfers import saved_file
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.intake.choices import ImportChoice, last_choice
from runcard.intake.quarantine import discard, may_retry, retry_as_brought
from runcard.store.files.attachments import get_attachment
from runcard.store.files.imports import find_import_state
from runcard.store.intake.quarantine import QuarantinedFile, get_quarantined
from runcard.web.files.previews import AttachmentLine, attachment_lines
from runcard.web.frame.facts import Fact, creator_name
from runcard.web.frame.formats import count_text, moment_of, size_text
from runcard.web.frame.forms import WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.arrivals import CLIENT
from runcard.web.intake.outcomes import (
    ArrivedFile,
    OutcomeLine,
    import_url,
    mapping_url,
    may_be_table,
    outcome_lines,
    quarantined_url,
)
from runcard.web.intake.quarantine import show_retried
from runcard.web.intake.report_formats import ReadingFields, format_text, reading_fields, reading_of
from runcard.web.lists.filters import page_query

router = APIRouter(prefix="/imports/quarantine/{file_id}")

_ALL = "/imports/quarantine"


class QuarantinedFileQuery(Struct, kw_only=True):
    """retried: the file has just been retried, and was refused again."""

    retried: bool = False


class QuarantinedFilePage(NamedTuple):
    """partly: how much of the file is recorded; empty if nothing is. import_url: the page of what is recorded.

    mapping_url: the page that maps its columns; empty if the file is no table.
    """

    url: str
    name: str
    reason: str
    partly: str
    import_url: str
    facts: Sequence[Fact]
    file: AttachmentLine
    reading: ReadingFields
    may_retry: bool
    mapping_url: str
    may_discard: bool
    was_retried: bool
    problems: Sequence[str]
    outcomes: Sequence[OutcomeLine]


class _Tried(NamedTuple):
    """How the file was or will be tried. error: what is wrong with the form. arrived: the result of a preview."""

    choice: ImportChoice
    error: InvalidInput | NotFound | None = None
    was_retried: bool = False
    arrived: Sequence[ArrivedFile] = ()


@router.get("")
def show_file(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    file_id: str,
    query: Annotated[QuarantinedFileQuery, page_query(QuarantinedFileQuery)],
) -> Response:
    file = _get(services, visit, file_id)
    return _show(request, services, visit, file, _Tried(last_choice(file), was_retried=query.retried))


@router.get("/content")
def download(services: WithServices, visit: WithVisit, file_id: str) -> Response:
    """The bytes of the file, as they arrived."""
    file = _get(services, visit, file_id)
    with services.database.read_in(visit.actor.organization_id) as scope:
        attachment = get_attachment(scope, file.attachment_id)
    return saved_file(services, attachment)


@router.post("/retry")
def retry(
    request: Request, services: WithServices, visit: WithVisit, file_id: str, fields: WithForm
) -> Response:
    """Retry the file as the form says. Show what was recorded, or why the file was refused again."""
    file, choice = _get(services, visit, file_id), ImportChoice()
    try:
        choice = reading_of(fields)
        fate = retry_as_brought(services.stores, visit.actor, CLIENT, file, choice)
    except (InvalidInput, NotFound) as error:
        return _show(request, services, visit, file, _Tried(choice, error))
    if choice.rehearses:
        tried = _Tried(choice, arrived=[ArrivedFile(file.name, fate)])
        return _show(request, services, visit, file, tried)
    if fate.quarantined_id is not None:
        return redirect(f"{quarantined_url(fate.quarantined_id)}?retried=true")
    if fate.warnings:
        return show_retried(services, visit, ImportChoice(), ArrivedFile(file.name, fate))
    return redirect(_ALL if fate.import_id is None else import_url(fate.import_id))


@router.post("/discard")
def submit_discard(services: WithServices, visit: WithVisit, file_id: str, _fields: WithForm) -> Response:
    check_may_manage(visit.actor, "discard files in quarantine")
    discard(services.stores, visit.actor, _get(services, visit, file_id))
    return redirect(_ALL)


def _get(services: Services, visit: Visit, file_id: str) -> QuarantinedFile:
    with services.database.read_in(visit.actor.organization_id) as scope:
        return get_quarantined(scope, id_of(file_id, QuarantinedFileNotFound))


def _show(
    request: Request,
    services: Services,
    visit: Visit,
    file: QuarantinedFile,
    tried: _Tried,
) -> Response:
    organization_id, url = visit.actor.organization_id, quarantined_url(file.id)
    with services.database.read_in(organization_id) as scope:
        attachment = get_attachment(scope, file.attachment_id)
        state = find_import_state(scope, file.digest)
        reading = reading_fields(scope, tried.choice)
        outcomes = outcome_lines(scope, visit, tried.arrived)
    (line,) = attachment_lines(services, [attachment], str(request.base_url))
    page = QuarantinedFilePage(
        url=url,
        name=file.name,
        reason=file.reason,
        partly=_partly(file),
        import_url="" if state is None else import_url(state.id),
        facts=_facts(file, visit),
        file=line._replace(url=f"{url}/content"),
        reading=reading,
        may_retry=may_retry(visit.actor, file),
        mapping_url=mapping_url(file.id) if may_be_table(file.name, file.importer) else "",
        may_discard=may_manage(visit.actor),
        was_retried=tried.was_retried,
        problems=problems_of(tried.error),
        outcomes=outcomes,
    )
    status = answer_error(tried.error).status if tried.error else 200
    return render("intake/quarantined_file.html", page, visit, status=status)


def _partly(file: QuarantinedFile) -> str:
    if not file.recorded_count:
        return ""
    return f"Reports 1 to {count_text(file.recorded_count)} of it are recorded; a retry continues from there."


def _facts(file: QuarantinedFile, visit: Visit) -> Sequence[Fact]:
    came, tried = moment_of(file.created_at, visit.zone), moment_of(file.tried_at, visit.zone)
    facts = [
        Fact("Read as", format_text(file.importer) or "no known format"),
        Fact("Size", "" if file.size_bytes is None else size_text(file.size_bytes)),
        Fact("Arrived", f"{came.date} {came.time}"),
        Fact("By", creator_name(file.created_by)),
        Fact("With", file.client or ""),
        Fact("Tried", f"{count_text(file.attempts)} ×" if file.attempts > 1 else "once"),
        Fact("Last tried", f"{tried.date} {tried.time}" if file.attempts > 1 else ""),
    ]
    return [fact for fact in facts if fact.value]
