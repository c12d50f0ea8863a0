"""The page of one unit: what it is part of, its sub-units, and all that happened to it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.auth.permissions import may_manage
from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, UnitNotFound
from runcard.domain.floor.sample import SampleClass
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.edge.files.uploads import download_url, settled
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.ingest.record_unit import UnitChange, change_unit
from runcard.store.bin.tombstones import list_gone_runs
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment, list_attachments_of_unit
from runcard.store.lists.pages import Listed
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.metadata import read_metadata
from runcard.store.units.attempts import UnitAttempts, list_attempts, list_earlier_attempts
from runcard.store.units.moves import list_moves
from runcard.store.units.records import UnitRecord, find_first_run, get_unit, get_unit_by_id
from runcard.store.units.repairs import RepairFilter, RepairRecord, list_repairs
from runcard.web.bin.deleting import DeleteForm, delete_form
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.clocks import start_of
from runcard.web.frame.facts import Fact, creator_name, metadata_facts
from runcard.web.frame.formats import Moment, count_text, duration_text, moment_of, size_text
from runcard.web.frame.forms import TOKEN_FIELD, WithFields
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import (
    batch_url,
    bin_url,
    correct_unit_url,
    part_url,
    procedure_url,
    revision_url,
    run_url,
    unit_url,
)
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice, page_query, url_of
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.notes.section import NotesSection, notes_of
from runcard.web.units.genealogy import Ancestor, Branch, ancestors_of, branch_of
from runcard.web.units.merged import Merging, merging_of
from runcard.web.units.repairs import RepairCard, repair_cards
from runcard.web.units.timeline import Event, Past, timeline

router = APIRouter()

_ATTEMPTS = 20
_MOVES = 100
_GONE = 100
_WHAT_GOES = "This unit is deleted with its runs, repairs and files; its sub-units stay."
_REPAIRS = 10
# Whether the earlier runs of a unit follow it when its class changes.
_RUNS = {"stay": False, "follow": True}
_SAMPLES: Mapping[str, SampleClass | None] = {
    "production": None,
    "golden": "golden",
    "failing": "failing",
    "ignored": "ignored",
}


class UnitQuery(Struct, kw_only=True):
    """procedure, before: show only the runs of this procedure before the run with this number.

    repairs: where the page of repairs begins.
    """

    procedure: UUID | None = None
    before: Annotated[int, Meta(ge=1, lt=1 << 31)] | None = None
    repairs: Cursor | None = None


class GenealogyQuery(Struct, kw_only=True):
    skipped: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0


class AttemptLine(NamedTuple):
    """mark: "voided" or "deleted"; empty for a run that counts. created_by, duration: empty for a deleted run."""

    url: str
    number: int
    outcome: RunOutcome
    created_by: str
    started_at: Moment
    duration: str
    mark: str = ""


class ProcedureRuns(NamedTuple):
    """earlier_url, later_url: of the runs before and after; empty if there are none. all_url: of the newest runs; empty
    if they are shown.
    """

    name: str
    url: str
    total: str
    runs: Sequence[AttemptLine]
    earlier_url: str
    later_url: str
    all_url: str


class UnitFile(NamedTuple):
    url: str
    name: str
    content_type: str
    size: str
    deletion: DeleteForm | None


class UnitPage(NamedTuple):
    """correct_url: empty if the reader may not correct the unit. sample_choices: empty if the reader may not change the
    class. left_out: how many runs the timeline does not show. has_left_out_repairs: it does not show all repairs
    either. no_runs: why the unit has no runs.
    """

    here: str
    serial_number: str
    sample: str
    facts: Sequence[Fact]
    correct_url: str
    merging: Merging
    sample_choices: Sequence[Choice]
    ancestors: Sequence[Ancestor]
    branch: Branch
    events: Sequence[Event]
    left_out: str
    has_left_out_repairs: bool
    procedures: Sequence[ProcedureRuns]
    repairs: Sequence[RepairCard]
    repair_pages: Pager
    no_runs: str
    files: Sequence[UnitFile]
    metadata: Sequence[Fact]
    notes: NotesSection
    deletion: DeleteForm | None
    history: ThingHistory


class _Repairs(NamedTuple):
    """newest: the repairs on the timeline, whichever page of cards is shown."""

    newest: Listed[RepairRecord]
    cards: Sequence[RepairCard]
    pages: Pager


class GenealogyPage(NamedTuple):
    """is_continued: the branch continues one that is already shown."""

    unit: Ancestor
    is_continued: bool
    branch: Branch


@router.get("/units/{serial_number:path}")
def show_unit(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    serial_number: str,
    query: Annotated[UnitQuery, page_query(UnitQuery)],
) -> Response:
    organization_id, zone = visit.actor.organization_id, visit.zone
    with services.database.read_in(organization_id) as scope:
        unit = get_unit(scope, serial_number)
        if lookup_key(unit.serial_number) != lookup_key(serial_number):
            return redirect(unit_url(unit.serial_number))
        former = list_former_serial_numbers(scope, [unit.id]).get(unit.id, ())
        attempts = list_attempts(scope, unit.id, _ATTEMPTS)
        # With v2, a file belongs to a unit before its bytes arrive.
        announced = settled(services, list_attachments_of_unit(scope, unit.id))
        files = [file for file in announced if file.stored_at is not None]
        repairs = _repairs(scope, unit, query.repairs, visit)
        past = Past(
            unit,
            find_first_run(scope, unit),
            attempts,
            list_moves(scope, unit.id, _MOVES),
            repairs.newest.rows,
            files,
            list_gone_runs(scope, [unit.id])[-_GONE:],
        )
        shown = _earlier_attempts(scope, unit, query) or attempts
        ancestors = ancestors_of(scope, unit.id)
        branch = branch_of(scope, unit.id, zone)
        metadata = read_metadata(scope, [unit.id]).get(unit.id, {})
        notes = notes_of(scope, visit, unit.id)
        history = history_of(scope, visit, unit.id)
        merging = merging_of(scope, visit, unit.id)
        kept_days = None if attempts else get_organization(scope).run_retention_days
    left_out = sum(one.total - len(one.shown) for one in attempts)
    page = UnitPage(
        here=unit_url(unit.serial_number),
        serial_number=unit.serial_number,
        sample=unit.sample or "",
        facts=[fact for fact in _facts(unit, former, zone) if fact.value],
        correct_url=correct_unit_url(unit.id) if may_manage(visit.actor) else "",
        merging=merging,
        sample_choices=_sample_choices(visit.actor, unit),
        ancestors=ancestors,
        branch=branch,
        events=timeline(past, zone),
        left_out=count_text(left_out) if left_out else "",
        has_left_out_repairs=repairs.newest.has_more,
        procedures=[_procedure_runs(one, unit, zone) for one in shown],
        repairs=repairs.cards,
        repair_pages=repairs.pages,
        no_runs=_no_runs(past, kept_days),
        files=[_file(one, download_url(services, one, str(request.base_url)), visit) for one in files],
        metadata=metadata_facts(metadata),
        notes=notes,
        deletion=delete_form(visit, "unit", unit.id, _WHAT_GOES),
        history=history,
    )
    return render("units/unit.html", page, visit)


@router.post("/units/{serial_number:path}")
def change_sample(
    services: WithServices, visit: WithVisit, serial_number: str, fields: WithFields
) -> Response:
    """Change the class of a unit, and of its earlier runs if they follow it."""
    services.form_tokens.check(visit.session, fields.get(TOKEN_FIELD, ""))
    sample = fields.get("sample", "")
    if sample not in _SAMPLES:
        raise InvalidInput.at(
            "sample", f"{sample!r} is no class of units; choose one of {', '.join(_SAMPLES)}"
        )
    runs = fields.get("runs", "")
    if runs not in _RUNS:
        raise InvalidInput.at(
            "runs", f"{runs[:60]!r} does not say what the runs so far get; choose one of {', '.join(_RUNS)}"
        )
    change = UnitChange(sample=_SAMPLES[sample], runs_follow=_RUNS[runs])
    services.writer.write_catalog(visit.actor, lambda tx: change_unit(tx, visit.actor, serial_number, change))
    return redirect(unit_url(serial_number))


@router.get("/genealogy/{unit_id}")
def show_branch(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    unit_id: str,
    query: Annotated[GenealogyQuery, page_query(GenealogyQuery)],
) -> Response:
    """The sub-units of a unit: a branch to put into the tree, or a whole page if the browser runs no JavaScript."""
    organization_id, unit_uuid = visit.actor.organization_id, id_of(unit_id, UnitNotFound)
    with services.database.read_in(organization_id) as scope:
        unit = get_unit_by_id(scope, unit_uuid)
        branch = branch_of(scope, unit_uuid, visit.zone, query.skipped)
    above = Ancestor(unit.serial_number, unit_url(unit.serial_number))
    page = GenealogyPage(above, query.skipped > 0, branch)
    return render(
        "units/branch.html" if "hx-request" in request.headers else "units/genealogy.html", page, visit
    )


def _earlier_attempts(scope: Scope, unit: UnitRecord, query: UnitQuery) -> Sequence[UnitAttempts]:
    if query.procedure is None or query.before is None:
        return ()
    return list_earlier_attempts(scope, unit.id, query.procedure, query.before, _ATTEMPTS)


def _repairs(scope: Scope, unit: UnitRecord, cursor: int | None, visit: Visit) -> _Repairs:
    repair_filter, here = RepairFilter(serial_numbers=[unit.serial_number]), unit_url(unit.serial_number)
    page = list_page(scope.connection, None, _REPAIRS)
    shown = newest = list_repairs(scope, repair_filter, page, descending=True)
    if cursor is not None:
        page = list_page(scope.connection, cursor, _REPAIRS)
        shown = list_repairs(scope, repair_filter, page, descending=True)
    cards = repair_cards(scope, shown.rows, visit)
    return _Repairs(
        newest, cards, pager(page, shown, lambda at: f"{url_of(here, UnitQuery(repairs=at))}#repairs")
    )


def _facts(unit: UnitRecord, former: Sequence[str], zone: ZoneInfo) -> list[Fact]:
    part, created = unit.part, moment_of(unit.created_at, zone)
    named = part.number if part.name == part.number else f"{part.number} ({part.name})"
    parent, batch = unit.parent, unit.batch
    return [
        Fact("Part", named, part_url(part.number)),
        Fact("Revision", unit.revision.number, revision_url(part.number, unit.revision.number)),
        Fact("Batch", batch.number, batch_url(batch.number)) if batch else Fact("Batch", ""),
        Fact("Part of", parent.serial_number, unit_url(parent.serial_number)) if parent else Fact("Part of", ""),
        Fact("Formerly", ", ".join(former)),
        Fact("Recorded", f"{created.date} {created.time}"),
        Fact("Recorded by", creator_name(unit.created_by)),
    ]  # fmt: skip


def _sample_choices(actor: UserActor, unit: UnitRecord) -> Sequence[Choice]:
    """The classes to choose from; none for viewers, who may not change units through the API either."""
    if actor.role == "viewer":
        return ()
    return [Choice(name, name.capitalize(), sample == unit.sample) for name, sample in _SAMPLES.items()]


def _procedure_runs(attempts: UnitAttempts, unit: UnitRecord, zone: ZoneInfo) -> ProcedureRuns:
    numbers = [one.number for one in attempts.shown] + [one.number for one in attempts.deleted]
    last, first = max(numbers), min(numbers)
    here = unit_url(unit.serial_number)
    newest = f"{here}#runs"

    def before(number: int) -> str:
        return f"{url_of(here, UnitQuery(procedure=attempts.procedure.id, before=number))}#runs"

    behind = last + _ATTEMPTS + 1
    return ProcedureRuns(
        name=attempts.procedure.name,
        url=procedure_url(attempts.procedure.id),
        total=count_text(attempts.total),
        runs=_attempt_lines(attempts, zone),
        earlier_url=before(first) if first > 1 else "",
        later_url=before(behind) if behind <= attempts.total else newest if last < attempts.total else "",
        all_url=newest if last < attempts.total else "",
    )


def _no_runs(past: Past, kept_days: int | None) -> str:
    if any(run.deleted_by_id is not None for run in past.gone):
        return "All runs of this unit were deleted. The timeline has them."
    if kept_days is None:
        return "This unit has never run."
    return f"No run of this unit is kept: runs are deleted {kept_days} days after the last one."


def _attempt_lines(attempts: UnitAttempts, zone: ZoneInfo) -> Sequence[AttemptLine]:
    """The attempts that are shown, deleted ones among them, the last first."""
    present = [
        AttemptLine(
            run_url(attempt.id),
            attempt.number,
            attempt.outcome,
            creator_name(attempt.created_by),
            start_of(attempt, zone),
            duration_text(attempt.duration),
            "voided" if attempt.is_voided else "",
        )
        for attempt in attempts.shown
    ]
    deleted = [
        AttemptLine(
            bin_url(one.id), one.number, one.outcome, "", moment_of(one.started_at, zone), "", "deleted"
        )
        for one in attempts.deleted
    ]
    return sorted([*present, *deleted], key=lambda line: line.number, reverse=True)


def _file(file: Attachment, url: str, visit: Visit) -> UnitFile:
    deletion = delete_form(visit, "attachment", file.id, "This file is deleted.")
    return UnitFile(url, file.name, file.shown_content_type, size_text(file.size_bytes or 0), deletion)
