"""Changing many runs at once: voids, corrections, tags, causes and comments."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple, cast, get_args
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.actor import UserActor, check_may_record
from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.floor.at_once import MAX_AT_ONCE
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.domain.runs.correction import RunCorrection
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.requests.services import WithServices
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.matches import count_runs, find_run_ids
from runcard.store.runs.records import RunRecord, list_latest_runs
from runcard.store.runs.voids import end_voids, list_voided_at, void_runs
from runcard.web.corrections.at_once import CORRECT, CorrectForm, correct_runs_form, given_in
from runcard.web.evidence.lines import PATH as TRAIL
from runcard.web.frame.formats import Moment, count_text, counted_text, moment_of
from runcard.web.frame.forms import Fields, WithForm, WithTextForm, reason_in, whole_number
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import run_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.chosen import SHOWN, Chosen, Done, OnlyTicked, Ticked, check_seen, chosen, ticked_ids
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.run_query import RunsPageQuery, list_filter_of
from runcard.web.notes.at_once import NoteForms, Noting, is_noting, note_at_once, note_forms

router = APIRouter()

_HERE = "/bulk/runs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What only managers do to those runs that it changes. Whoever may note something notes it on many runs too.
Deed = Literal["void", "unvoid", "uncorrect"]
_WORDS: Mapping[Deed, str] = {
    "void": "Void",
    "unvoid": "Let count again",
    "uncorrect": "Take corrections back",
}


class BulkQuery(RunsPageQuery, kw_only=True):
    ids: Ticked = None
    ticked: OnlyTicked = None
    done: Done = None


class DoneQuery(Struct, kw_only=True):
    """at: when the runs were voided, in microseconds since 1970."""

    at: Annotated[int, Meta(ge=0, lt=1 << 53)] = 0


class BulkRun(NamedTuple):
    url: str
    serial_number: str
    procedure: str
    outcome: RunOutcome
    started_at: Moment
    is_voided: bool


class DeedForm(NamedTuple):
    """changes: how many of the runs it changes. shown: the same, as people write it."""

    deed: Deed
    label: str
    changes: int
    shown: str


class BulkPage(NamedTuple):
    """runs: the first ones; none if there are too many. correct: None if the reader may not correct runs. deeds: those
    that change some of the runs.
    """

    chosen: Chosen
    runs: Sequence[BulkRun]
    notes: NoteForms
    correct: CorrectForm | None
    deeds: Sequence[DeedForm]
    most_reason: int
    history_url: str


class DonePage(NamedTuple):
    total: str
    reason: str
    is_one: bool
    undo_url: str
    list_url: str


@router.get(_HERE)
def show_bulk(
    services: WithServices, visit: WithVisit, query: Annotated[BulkQuery, page_query(BulkQuery)]
) -> Response:
    """What would be changed: how many runs, and the first of them."""
    check_may_record(visit.actor)
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = _page(scope, visit, query)
    return render("runs/bulk.html", page, visit)


@router.post(_HERE)
def submit_bulk(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[BulkQuery, page_query(BulkQuery)],
    fields: WithTextForm,
) -> Response:
    """Do it to all of the runs, or to none. Raises PermissionDenied, InvalidInput and Conflict."""
    check_may_record(visit.actor)
    deed, seen = fields.get("deed", ""), whole_number(fields, "count", "runs")
    if is_noting(deed):
        changed = services.writer.write(
            visit.actor,
            lambda tx: note_at_once(tx, visit.actor, deed, _find_seen(tx, visit, query, seen), fields),
        )
        return redirect(url_of(_HERE, query, done=changed))
    if deed not in (*get_args(Deed), CORRECT):
        known = ", ".join((*get_args(Deed), CORRECT, *get_args(Noting)))
        raise InvalidInput.at("deed", f"{deed[:60]!r} is nothing to do to runs; choose one of {known}")
    actor = check_may_manage(visit.actor, "void and correct runs")

    def apply(tx: Transaction) -> tuple[datetime, int]:
        if deed == CORRECT:
            found = _find_seen(tx, visit, query, seen)
            correction, reason = _correction(fields), check_reason(fields.get("reason", ""))
            return tx.now, len(correct_runs(tx, actor, found, correction, reason))
        found = _find_seen(tx, visit, query, seen, cast("Deed", deed))
        _do(tx, actor, cast("Deed", deed), found, fields)
        return tx.now, len(found)

    at, count = services.writer.write(actor, apply)
    if deed == "void":
        return redirect(url_of(f"{_HERE}/done", DoneQuery(at=(at - _EPOCH) // timedelta(microseconds=1))))
    if deed == "unvoid":
        return redirect(url_of("/runs", _list_query(query)))
    return redirect(url_of(_HERE, query, done=count))


@router.get(f"{_HERE}/done")
def show_done(
    services: WithServices, visit: WithVisit, query: Annotated[DoneQuery, page_query(DoneQuery)]
) -> Response:
    """What was voided at once, with the way back."""
    check_may_manage(visit.actor, "void runs")
    at = _EPOCH + timedelta(microseconds=query.at)
    with services.database.read_in(visit.actor.organization_id) as scope:
        voided = list_voided_at(scope, at)
    page = DonePage(
        total=count_text(len(voided)),
        reason=next(iter(voided.values()), ""),
        is_one=len(voided) == 1,
        undo_url=url_of(f"{_HERE}/undo", query) if voided else "",
        list_url="/runs?voided=yes",
    )
    return render("runs/bulk_done.html", page, visit)


@router.post(f"{_HERE}/undo")
def submit_undo(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[DoneQuery, page_query(DoneQuery)],
    _fields: WithForm,
) -> Response:
    """Let all runs count again that were voided at once. Raises PermissionDenied and Conflict."""
    actor = check_may_manage(visit.actor, "void runs")
    at = _EPOCH + timedelta(microseconds=query.at)

    def apply(tx: Transaction) -> None:
        run_ids = list(list_voided_at(tx.scope, at))
        if not run_ids:
            raise Conflict("These runs count again already.")
        end_voids(tx, run_ids, "Undone")

    services.writer.write(actor, apply)
    return redirect("/runs")


def _find_seen(
    tx: Transaction, visit: Visit, query: BulkQuery, seen: int | None, deed: Deed | None = None
) -> Sequence[UUID]:
    """The runs to change. seen: how many the reader saw. Raises as `check_seen` does."""
    run_filter = _filter(tx.scope, visit, query)
    if deed is not None:
        run_filter = _changed_by(deed, run_filter)
    found = find_run_ids(tx.scope, run_filter, "started_at", descending=True)
    check_seen("run", len(found), seen)
    return [run_id for some in found.in_chunks(MAX_AT_ONCE) for run_id in some]


def _do(tx: Transaction, actor: UserActor, deed: Deed, run_ids: Sequence[UUID], fields: Fields) -> None:
    match deed:
        case "void":
            void_runs(tx, actor, run_ids, check_reason(fields.get("reason", "")))
        case "unvoid":
            end_voids(tx, run_ids, reason_in(fields))
        case "uncorrect":
            take_back_corrections(tx, run_ids, check_reason(fields.get("reason", "")))


def _correction(fields: Fields) -> RunCorrection:
    names = ("part_number", "revision_number", "batch_number", "operator", "procedure")
    return RunCorrection(**given_in(fields, names))


def _filter(scope: Scope, visit: Visit, query: BulkQuery) -> RunFilter:
    ids = ticked_ids(query)
    return list_filter_of(scope, query, visit, datetime.now(UTC)) if ids is None else RunFilter(ids=ids)


def _changed_by(deed: Deed, run_filter: RunFilter) -> RunFilter:
    """Those of these runs that the deed changes."""
    if deed == "uncorrect":
        is_none = run_filter.corrected is False
        return replace(run_filter, ids=[]) if is_none else replace(run_filter, corrected=True)
    is_voided = deed == "unvoid"
    if run_filter.voided not in (None, is_voided):
        return replace(run_filter, ids=[])
    return replace(run_filter, voided=is_voided)


def _page(scope: Scope, visit: Visit, query: BulkQuery) -> BulkPage:
    run_filter = _filter(scope, visit, query)
    total = count_runs(scope, run_filter, MAX_AT_ONCE + 1)
    is_few = total <= MAX_AT_ONCE
    first = list_latest_runs(scope, run_filter, SHOWN).rows if is_few else ()
    list_url = url_of("/runs", _list_query(query))
    return BulkPage(
        chosen=chosen("run", total, query, query.done, url_of(_HERE, query, done=None), list_url),
        runs=[_line(run, visit) for run in first],
        notes=note_forms(scope),
        correct=correct_runs_form(scope) if is_few and may_manage(visit.actor) else None,
        deeds=_deeds(scope, run_filter) if is_few and may_manage(visit.actor) else (),
        most_reason=MAX_REASON,
        history_url=TRAIL if may_manage(visit.actor) else "",
    )


def _line(run: RunRecord, visit: Visit) -> BulkRun:
    return BulkRun(
        run_url(run.id),
        run.unit.serial_number,
        run.procedure.name,
        run.outcome,
        moment_of(run.started_at, visit.zone),
        run.void is not None,
    )


def _deeds(scope: Scope, run_filter: RunFilter) -> Sequence[DeedForm]:
    counts = {deed: count_runs(scope, _changed_by(deed, run_filter), MAX_AT_ONCE + 1) for deed in _WORDS}
    return [
        DeedForm(deed, label, counts[deed], counted_text(counts[deed], "run"))
        for deed, label in _WORDS.items()
        if counts[deed]
    ]


def _list_query(query: BulkQuery) -> RunsPageQuery:
    """The query of the list that led here."""
    return RunsPageQuery(**{name: getattr(query, name) for name in RunsPageQuery.__struct_fields__})
