"""The page that compares two runs: what each of them measured, and where they differ."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.errors import NotFound, RunNotFound
from runcard.domain.runs.comparison import Pair, pairs_of
from runcard.domain.runs.inside import Measured
from runcard.domain.runs.measurement import effective_limits
from runcard.domain.runs.outcome import MeasurementOutcome, RunOutcome
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.runs.records import RunRecord, find_run, read_documents
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment, count_text, figure_text
from runcard.web.frame.render import render
from runcard.web.frame.urls import comparison_url, run_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.slices import MAX_PAGE, Slice, slice_of
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.measurements.cells import VALUE_COLUMNS, value_cells
from runcard.web.measurements.rows import limits_text, measurement_anchor, measurement_line, short_value
from runcard.web.runs.compared_with import ComparedWith, compared_with, nothing_text

router = APIRouter()

Show = Literal["all", "different", "outcome"]
_SHOWN = {"all": "All", "different": "Differences", "outcome": "Other outcome"}
_SHEET = [
    SheetColumn("Phase"),
    SheetColumn("Measurement"),
    *(
        SheetColumn(f"{run}: {one.label.lower()}", one.kind)
        for run in ("This run", "Compared with")
        for one in VALUE_COLUMNS
    ),
    SheetColumn("Difference"),
]


class ComparisonQuery(Struct, kw_only=True):
    """show: all measurements, those that differ in anything, or those with another outcome."""

    show: Show = "all"
    page: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 1


class ComparedRun(NamedTuple):
    url: str
    serial_number: str
    unit_url: str
    outcome: RunOutcome
    started_at: Moment


class ComparedValue(NamedTuple):
    """value: what one run measured; a long value is cut. url: of the measurement on the page of that run."""

    url: str
    value: str
    uom: str
    outcome: MeasurementOutcome
    limits: str


class ComparedLine(NamedTuple):
    """this, other: None if a run does not have the measurement. difference: empty if there is none.

    is_other_outcome: the measurement passed in only one of the two runs, or only one run has it.
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
    """other: None if there is nothing to compare with. text: which run the other is, or why there is none."""

    this: ComparedRun
    other: ComparedRun | None
    text: str
    choices: Sequence[ShowChoice]
    lines: Slice[ComparedLine] | None
    files: TableFiles


class _Compared(NamedTuple):
    """pairs: the measurements of both runs, for each choice of what to show."""

    this: RunRecord
    other: RunRecord
    pairs: Mapping[Show, Sequence[Pair]]


@router.get("/runs/{run_id}/comparison")
def show_comparison(
    services: WithServices,
    visit: WithVisit,
    run_id: str,
    query: Annotated[ComparisonQuery, page_query(ComparisonQuery)],
) -> Response:
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = _page(scope, visit, id_of(run_id, RunNotFound), query)
    return render("runs/comparison.html", page, visit)


@file_route(router, "/runs/{run_id}/comparison", ComparisonQuery, "Comparison", _SHEET)
def list_all_compared(ask: FileAsk[ComparisonQuery]) -> Rows:
    """All measurements that the query shows, in the order of the page.

    Raises RunNotFound, and NotFound if there is nothing to compare the run with.
    """
    organization_id = ask.organization_id
    with ask.services.database.read_in(organization_id) as scope:
        record = _find(scope, id_of(ask.names["run_id"], RunNotFound))
        compared = _compare(scope, record, compared_with(scope, record))
    if compared is None:
        raise NotFound(nothing_text(record))
    return [[_cells(pair, record, compared.other) for pair in compared.pairs[ask.query.show]]]


def _find(scope: Scope, run_id: UUID) -> RunRecord:
    """The run with this id. Raises RunNotFound."""
    record = find_run(scope, run_id)
    if record is None:
        raise RunNotFound(str(run_id))
    return record


def _compare(scope: Scope, record: RunRecord, found: ComparedWith | None) -> _Compared | None:
    """A run and the one found to compare it with; None if there is none."""
    other = None if found is None else find_run(scope, found.run.id)
    if other is None:
        return None
    documents = read_documents(scope, [record.id, other.id])
    pairs = pairs_of(documents[record.id], documents[other.id])
    by_show: Mapping[Show, Sequence[Pair]] = {
        "all": pairs,
        "different": [one for one in pairs if one.is_different],
        "outcome": [one for one in pairs if not one.has_same_outcome],
    }
    return _Compared(record, other, by_show)


def _page(scope: Scope, visit: Visit, run_id: UUID, query: ComparisonQuery) -> ComparisonPage:
    """The page of a comparison. Raises RunNotFound."""
    record = _find(scope, run_id)
    here = comparison_url(record.id)
    files = files_of(here, query, "page")
    found = compared_with(scope, record)
    compared = _compare(scope, record, found)
    if found is None or compared is None:
        return ComparisonPage(_run(record, visit), None, nothing_text(record), [], None, files)
    other = compared.other
    some = slice_of(compared.pairs[query.show], query.page, lambda page: url_of(here, query, page=page))
    return ComparisonPage(
        this=_run(record, visit),
        other=_run(other, visit),
        text=found.text,
        choices=[
            ShowChoice(
                _SHOWN[show],
                count_text(len(of)),
                url_of(here, query, show=show, page=None),
                show == query.show,
            )
            for show, of in compared.pairs.items()
        ],
        lines=Slice([_line(pair, record, other) for pair in some.rows], some.pager),
        files=files,
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


def _cells(pair: Pair, record: RunRecord, other: RunRecord) -> Sequence[Cell]:
    line = _line(pair, record, other)
    return [
        line.phase,
        line.name,
        *_value_cells(pair.this),
        *_value_cells(pair.other),
        line.difference,
    ]


def _value_cells(measured: Measured | None) -> Sequence[Cell]:
    return [None] * len(VALUE_COLUMNS) if measured is None else value_cells(measured)


def _difference(pair: Pair) -> str:
    """What differs, in words; for numbers, how much more this run measured."""
    if pair.this is None:
        return "only in the other run"
    if pair.other is None:
        return "only in this run"
    differences = [] if pair.has_same_value else [_value_difference(pair.this, pair.other)]
    if pair.has_same_value and not pair.has_same_outcome:
        differences.append("another outcome")
    if not pair.has_same_limits:
        differences.append(f"limits were {limits_text(effective_limits(pair.other.measurement)) or 'none'}")
    return "; ".join(differences)


def _value_difference(this: Measured, other: Measured) -> str:
    ours, theirs = this.number, other.number
    uoms = {this.measurement.uom, other.measurement.uom}
    if ours is None or theirs is None or len(uoms) > 1:
        return "another value"
    more = float(ours) - float(theirs)
    return f"{'+' if more > 0 else ''}{figure_text(more, this.measurement.uom)}"
