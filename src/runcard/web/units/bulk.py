"""Changing many units at once: their class, place, tags, causes and comments."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, get_args
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.actor import check_may_record
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.at_once import MAX_AT_ONCE
from runcard.domain.floor.reason import check_reason
from runcard.domain.floor.sample import SampleClass
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Page
from runcard.store.units.classes import Classified, classify_units
from runcard.store.units.lists import UnitFilter, list_units
from runcard.store.units.records import UnitRecord
from runcard.web.corrections.at_once import CORRECT, CorrectForm, given_in
from runcard.web.evidence.lines import PATH as TRAIL
from runcard.web.frame.formats import Moment, counted_text, moment_of
from runcard.web.frame.forms import Fields, WithTextForm, one_of, whole_number
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.chosen import SHOWN, Chosen, Done, OnlyTicked, Ticked, check_seen, chosen, ticked_ids
from runcard.web.lists.filters import Choice, page_query, url_of
from runcard.web.notes.at_once import NoteForms, Noting, is_noting, note_at_once, note_forms
from runcard.web.units.rows import UnitsQuery
from runcard.web.units.units import unit_filter_of

router = APIRouter()

_HERE = "/bulk/units"
_CLASS = "class"
_SAMPLES: Mapping[str, SampleClass | None] = {
    "production": None,
    "golden": "golden",
    "failing": "failing",
    "ignored": "ignored",
}
# Whether the runs so far get the class too.
_RUNS = {"stay": False, "follow": True}


class BulkUnitsQuery(UnitsQuery, kw_only=True):
    """runs: how many runs just got another class along with their units."""

    ids: Ticked = None
    ticked: OnlyTicked = None
    done: Done = None
    runs: Done = None


class BulkUnit(NamedTuple):
    """sample: empty for a unit of production."""

    url: str
    serial_number: str
    sample: str
    part_number: str
    created_at: Moment


class BulkUnitsPage(NamedTuple):
    """units: the first ones; none if there are too many. correct: None if the reader may not correct units."""

    chosen: Chosen
    units: Sequence[BulkUnit]
    notes: NoteForms
    correct: CorrectForm | None
    samples: Sequence[Choice]
    history_url: str


@router.get(_HERE)
def show_bulk(
    services: WithServices, visit: WithVisit, query: Annotated[BulkUnitsQuery, page_query(BulkUnitsQuery)]
) -> Response:
    """What would be changed: how many units, and the first of them."""
    check_may_record(visit.actor)
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = _page(scope, visit, query)
    return render("units/bulk.html", page, visit)


@router.post(_HERE)
def submit_bulk(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[BulkUnitsQuery, page_query(BulkUnitsQuery)],
    fields: WithTextForm,
) -> Response:
    """Do it to all of the units, or to none. Raises PermissionDenied, InvalidInput and Conflict."""
    check_may_record(visit.actor)
    deed, seen = fields.get("deed", ""), whole_number(fields, "count", "units")
    if is_noting(deed):
        changed = services.writer.write(
            visit.actor,
            lambda tx: note_at_once(tx, visit.actor, deed, _find_seen(tx, visit, query, seen), fields),
        )
        return redirect(_url(query, done=changed))
    if deed == CORRECT:
        return _correct(services, visit, query, fields, seen)
    if deed != _CLASS:
        known = ", ".join((*get_args(Noting), _CLASS, CORRECT))
        raise InvalidInput.at("deed", f"{deed[:60]!r} is nothing to do to units; choose one of {known}")
    sample, with_runs = one_of(fields, "sample", _SAMPLES), one_of(fields, "runs", _RUNS)

    def apply(tx: Transaction) -> Classified:
        return classify_units(tx, _find_seen(tx, visit, query, seen), sample, with_runs=with_runs)

    found = services.writer.write_catalog(visit.actor, apply)
    return redirect(_url(query, done=len(found.unit_ids), runs=len(found.run_ids) or None))


def _correct(
    services: Services, visit: Visit, query: BulkUnitsQuery, fields: Fields, seen: int | None
) -> Response:
    """Correct part, revision and batch of all of the units. Raises as `submit_bulk` does."""
    actor = check_may_manage(visit.actor, "correct units")
    names = ("part_number", "revision_number", "batch_number")
    correction = UnitCorrection(**given_in(fields, names), runs_follow="runs_follow" in fields)

    def apply(tx: Transaction) -> int:
        found, reason = _find_seen(tx, visit, query, seen), check_reason(fields.get("reason", ""))
        return len(correct_units(tx, actor, found, correction, reason))

    corrected = services.writer.write_catalog(actor, apply)
    return redirect(_url(query, done=corrected))


def _find_seen(tx: Transaction, visit: Visit, query: BulkUnitsQuery, seen: int | None) -> Sequence[UUID]:
    """The units to change. seen: how many the reader saw. Raises as `check_seen` does."""
    found = _find(tx.scope, visit, query, MAX_AT_ONCE + 1)
    check_seen("unit", len(found), seen)
    return [unit.id for unit in found]


def _find(scope: Scope, visit: Visit, query: BulkUnitsQuery, at_most: int) -> Sequence[UnitRecord]:
    ids = ticked_ids(query)
    unit_filter = unit_filter_of(query, visit.zone) if ids is None else UnitFilter(ids=ids)
    return list_units(scope, unit_filter, query.sort, Page(at_most), descending=query.order == "desc").rows


def _page(scope: Scope, visit: Visit, query: BulkUnitsQuery) -> BulkUnitsPage:
    found = _find(scope, visit, query, MAX_AT_ONCE + 1)
    about = chosen("unit", len(found), query, query.done, _url(query), url_of("/units", _list_query(query)))
    if query.runs is not None:
        about = about._replace(done=f"{about.done} {counted_text(query.runs, 'run')} of theirs too.")
    return BulkUnitsPage(
        chosen=about,
        units=() if about.too_many else [_line(unit, visit) for unit in found[:SHOWN]],
        notes=note_forms(scope),
        correct=CorrectForm() if may_manage(visit.actor) else None,
        samples=[Choice(name, name.capitalize(), is_chosen=False) for name in _SAMPLES],
        history_url=TRAIL if may_manage(visit.actor) else "",
    )


def _line(unit: UnitRecord, visit: Visit) -> BulkUnit:
    created_at = moment_of(unit.created_at, visit.zone)
    return BulkUnit(
        unit_url(unit.serial_number), unit.serial_number, unit.sample or "", unit.part.number, created_at
    )


def _url(query: BulkUnitsQuery, **done: int | None) -> str:
    """The address of this page about the same units. done: what was just done."""
    return url_of(_HERE, query, **{"done": None, "runs": None, **done})


def _list_query(query: BulkUnitsQuery) -> UnitsQuery:
    """The query of the list that led here."""
    return UnitsQuery(**{name: getattr(query, name) for name in UnitsQuery.__struct_fields__})
