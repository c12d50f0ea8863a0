"""The page of one multi-dimensional measurement of a run: every series against the first, and all values."""

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.errors import NotFound, RunNotFound
from runcard.domain.runs.inside import Measured, measured_in
from runcard.domain.runs.measurement import effective_limits
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.exports.spreadsheets import Sheet, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.runs.records import RunRecord, find_run, read_documents
from runcard.web.charts.chart import Chart, DrawnSeries, series_lines
from runcard.web.frame.formats import count_text, number_text
from runcard.web.frame.render import render
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.table_files import TableFiles, WithFormat, files_of, table_file
from runcard.web.measurements.rows import analysis_url, limits_text, series_url
from runcard.web.measurements.series_line import column_names, thinned

router = APIRouter()

_HERE = "/runs/{run_id}/series/{position}"
_ROWS = 200


class SeriesQuery(Struct, kw_only=True):
    """first: how many rows of the table stand before the page."""

    first: Annotated[int, Meta(ge=0, lt=1 << 53)] = 0


class SeriesPage(NamedTuple):
    """shown_text: which rows stand in the table. earlier_url, later_url: may be empty."""

    name: str
    phase: str
    serial_number: str
    run_url: str
    analysis_url: str
    outcome: MeasurementOutcome
    docstring: str | None
    limits: str
    chart: Chart
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    files: TableFiles
    shown_text: str
    earlier_url: str
    later_url: str


@router.get(f"{_HERE}/values.{{file_format}}")
def export_series(
    services: WithServices,
    visit: WithVisit,
    run_id: str,
    position: str,
    file_format: WithFormat,
    _query: Annotated[SeriesQuery, page_query(SeriesQuery)],
) -> Response:
    """The file with all rows of the table."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        _, measured = _find(scope, run_id, position)
    series = measured.measurement.series
    columns = [SheetColumn(name, "number") for name in column_names(series)]
    return table_file(Sheet("Series", columns, [_rows(measured)], visit.zone), file_format)


@router.get(_HERE)
def show_series(
    services: WithServices,
    visit: WithVisit,
    run_id: str,
    position: str,
    query: Annotated[SeriesQuery, page_query(SeriesQuery)],
) -> Response:
    with services.database.read_in(visit.actor.organization_id) as scope:
        record, measured = _find(scope, run_id, position)
    return render("runs/series.html", _page(record, measured, query), visit)


def _find(scope: Scope, run_id: str, position: str) -> tuple[RunRecord, Measured]:
    """A run and its measurement at a position. Raises RunNotFound, and NotFound if it has no series there."""
    run_uuid = id_of(run_id, RunNotFound)
    record = find_run(scope, run_uuid)
    if record is None:
        raise RunNotFound(run_id)
    document = read_documents(scope, [run_uuid])[run_uuid]
    for measured in measured_in(document):
        if str(measured.position) == position and measured.measurement.series:
            return record, measured
    raise NotFound(f"Measurement {position} of this run is not a series of values.")


def _page(record: RunRecord, measured: Measured, query: SeriesQuery) -> SeriesPage:
    measurement, phase = measured.measurement, measured.attempt.phase.name
    rows = _rows(measured)
    shown = rows[query.first : query.first + _ROWS]
    last, earlier = query.first + len(shown), max(query.first - _ROWS, 0)
    here = series_url(record.id, measured.position)
    return SeriesPage(
        name=measurement.name,
        phase=phase,
        serial_number=record.unit.serial_number,
        run_url=f"/runs/{record.id}#measurement-{measured.position}",
        analysis_url=analysis_url(record.procedure.id, phase, measurement.name),
        outcome=measurement.outcome,
        docstring=measurement.docstring,
        limits=limits_text(effective_limits(measurement)),
        chart=_chart(measured),
        columns=column_names(measurement.series),
        rows=[["" if cell is None else number_text(cell) for cell in row] for row in shown],
        files=files_of(f"{here}/values", query, "first"),
        shown_text=f"Rows {count_text(query.first + 1)} to {count_text(last)} of {count_text(len(rows))}"
        if shown
        else f"{count_text(len(rows))} rows",
        earlier_url=url_of(here, query, first=earlier) if query.first else "",
        later_url=url_of(here, query, first=last) if last < len(rows) else "",
    )


def _rows(measured: Measured) -> Sequence[Sequence[float | None]]:
    """The rows of the table: a value of each series; None where a series is shorter than others."""
    return list(zip_longest(*(one.data for one in measured.measurement.series), fillvalue=None))


def _chart(measured: Measured) -> Chart:
    """A chart of each further series against the first; of a single series, against the numbers of its rows."""
    measurement = measured.measurement
    names = column_names(measurement.series)
    columns = [[float(value) for value in one.data] for one in measurement.series]
    if len(columns) == 1:
        names, columns = ["row", *names], [[float(n + 1) for n in range(len(columns[0]))], *columns]
    x, *others = columns
    lines = [
        DrawnSeries(name, [_drawn(point) for point in thinned(list(zip(x, y, strict=False)))])
        for name, y in zip(names[1:], others, strict=True)
    ]
    limits = effective_limits(measurement).bounds
    return series_lines("series", measurement.name, names[0], lines, limits)


def _drawn(point: tuple[float, float]) -> tuple[float | None, float | None]:
    """A point with None in place of each number that cannot be drawn, which leaves a gap."""
    x, y = point
    return (x if math.isfinite(x) else None, y if math.isfinite(y) else None)
