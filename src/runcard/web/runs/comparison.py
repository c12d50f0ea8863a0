"""A run beside another one: what each of them measured, and where they differ."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.errors import RunNotFound
from runcard.domain.runs.comparison import Pair, pairs_of
from runcard.domain.runs.inside import Measured
from runcard.domain.runs.measurement import effective_limits
from runcard.domain.runs.outcome import MeasurementOutcome, RunOutcome
from runcard.edge.requests.deps import WithParts
from runcard.edge.requests.ids import id_of
from runcard.store.engine.database import Connection
from runcard.store.engine.scope import Scope
from runcard.store.runs.records import RunRecord, find_run, read_documents
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment, count_text, figure_text
from runcard.web.frame.render import render
from runcard.web.frame.urls import comparison_url, run_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.slices import MAX_PAGE, Slice, slice_of
from runcard.web.measurements.rows import limits_text, measurement_anchor, measurement_line, short_value
from runcard.web.runs.compared_with import compared_with, nothing_text

router = APIRouter()

Show = Literal["all", "different", "outcome"]
_SHOWN = {"all": "All", "different": "Differences", "outcome": "Other outcome"}


class ComparisonQuery(Struct, kw_only=True):
    """show: which measurements: all, those that differ in anything, or those that have another outcome."""

    show: Show = "all"
    page: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 1


class ComparedRun(NamedTuple):
    url: str
    serial_number: str
    unit_url: str
    outcome: RunOutcome
    started_at: Moment


class ComparedValue(NamedTuple):
    """value: what one run measured; a longer one is cut. url: where it stands on the page of that run."""

    url: str
    value: str
    uom: str
    outcome: MeasurementOutcome
    limits: str


class ComparedLine(NamedTuple):
    """this, other: None where a run does not have the measurement. difference: empty where there is none.

    is_other_outcome: one of both passed and the other did not, or only one has it.
    """

    phase: str
    name: str
    this: ComparedValue | None
    other: ComparedValue | None
    difference: str
    is_other_outcome: bool


class ShowChoice(NamedTuple):
    name: str
    measurements: str
    url: str
    is_chosen: bool


class ComparisonPage(NamedTuple):
    """other: None where there is nothing to compare with; `text` then says so, else which run it is."""

    this: ComparedRun
    other: ComparedRun | None
    text: str
    choices: Sequence[ShowChoice]
    lines: Slice[ComparedLine] | None


@router.get("/runs/{run_id}/comparison")
def show_comparison(
    parts: WithParts,
    visit: WithVisit,
    run_id: str,
    asked: Annotated[ComparisonQuery, page_query(ComparisonQuery)],
) -> Response:
    with parts.database.read() as connection:
        page = _page(connection, visit, id_of(run_id, RunNotFound), asked)
    return render("runs/comparison.html", page, visit)


def _page(connection: Connection, visit: Visit, run_id: UUID, asked: ComparisonQuery) -> ComparisonPage:
    """Raises RunNotFound."""
    home = visit.actor.organization_id
    record = find_run(Scope(connection, home), run_id)
    if record is None:
        raise RunNotFound(str(run_id))
    found = compared_with(Scope(connection, home), record)
    other = None if found is None else find_run(Scope(connection, home), found.run.id)
    if found is None or other is None:
        return ComparisonPage(_run(record, visit), None, nothing_text(record), [], None)
    documents = read_documents(Scope(connection, home), [record.id, other.id])
    pairs = pairs_of(documents[record.id], documents[other.id])
    by_show: dict[Show, Sequence[Pair]] = {
        "all": pairs,
        "different": [one for one in pairs if one.is_different],
        "outcome": [one for one in pairs if not one.has_same_outcome],
    }
    here = comparison_url(record.id)
    some = slice_of(by_show[asked.show], asked.page, lambda page: url_of(here, asked, page=page))
    return ComparisonPage(
        this=_run(record, visit),
        other=_run(other, visit),
        text=found.text,
        choices=[
            ShowChoice(
                _SHOWN[show],
                count_text(len(of)),
                url_of(here, asked, show=show, page=None),
                show == asked.show,
            )
            for show, of in by_show.items()
        ],
        lines=Slice([_line(pair, record, other) for pair in some.rows], some.pager),
    )


def _run(record: RunRecord, visit: Visit) -> ComparedRun:
    serial_number = record.unit.serial_number
    return ComparedRun(
        run_url(record.id),
        serial_number,
        unit_url(serial_number),
        record.outcome,
        start_of(record, visit.zone),
    )


def _line(pair: Pair, record: RunRecord, other: RunRecord) -> ComparedLine:
    measured = pair.this or pair.other
    assert measured is not None
    return ComparedLine(
        phase=measured.attempt.phase.name,
        name=measured.measurement.name,
        this=None if pair.this is None else _value(pair.this, record),
        other=None if pair.other is None else _value(pair.other, other),
        difference=_difference(pair),
        is_other_outcome=not pair.has_same_outcome,
    )


def _value(measured: Measured, record: RunRecord) -> ComparedValue:
    line = measurement_line(measured, record.id, record.procedure.id)
    return ComparedValue(
        url=f"{run_url(record.id)}#{measurement_anchor(measured.position)}",
        value=short_value(line),
        uom=line.uom,
        outcome=line.outcome,
        limits=line.limits,
    )


def _difference(pair: Pair) -> str:
    """What differs, in words; of numbers how much more this run measured."""
    if pair.this is None:
        return "only in the other run"
    if pair.other is None:
        return "only in this run"
    told = [] if pair.has_same_value else [_value_difference(pair.this, pair.other)]
    if pair.has_same_value and not pair.has_same_outcome:
        told.append("another outcome")
    if not pair.has_same_limits:
        told.append(f"limits were {limits_text(effective_limits(pair.other.measurement)) or 'none'}")
    return "; ".join(told)


def _value_difference(this: Measured, other: Measured) -> str:
    ours, theirs = this.number, other.number
    uoms = {this.measurement.uom, other.measurement.uom}
    if ours is None or theirs is None or len(uoms) > 1:
        return "another value"
    more = float(ours) - float(theirs)
    return f"{'+' if more > 0 else ''}{figure_text(more, this.measurement.uom)}"
