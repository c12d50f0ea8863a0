"""The page of values of measurements in all runs: finds them by name and value, and each leads to its run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.lists.inside_lists import list_measurements
from runcard.domain.errors import InvalidInput
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.contents.inside_runs import Deadline, Listing
from runcard.store.contents.measurements import FoundMeasurement, MeasurementFilter
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import Choices, list_choices
from runcard.store.lists.pages import Listed, Page
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment
from runcard.web.frame.render import render
from runcard.web.frame.urls import run_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import (
    Field,
    FilterBar,
    FilterQuery,
    choice_field,
    filter_bar,
    page_query,
    run_filter_of,
    text_field,
    url_of,
)
from runcard.web.lists.headings import Direction, Heading, SortColumn, headings
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.run_columns import created_by_name
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.measurements.cells import VALUE_COLUMNS, value_cells
from runcard.web.measurements.rows import measurement_line, short_value

router = APIRouter()

_HERE = "/values"
_COLUMNS = [
    SortColumn("Run of unit", "serial_number"),
    SortColumn("Measurement", "measurement_name"),
    SortColumn("Value", "value", is_number=True),
    SortColumn("Limits"),
    SortColumn("Outcome", "outcome"),
    SortColumn("Station"),
    SortColumn("Started", "started_at"),
]
_SHEET = [
    SheetColumn("Unit"),
    SheetColumn("Procedure"),
    SheetColumn("Phase"),
    SheetColumn("Measurement"),
    *VALUE_COLUMNS,
    SheetColumn("Station"),
    SheetColumn("Started", "moment"),
    SheetColumn("Run ID"),
]
_OUTCOMES = ("PASS", "FAIL", "UNSET")

Name = Annotated[str, Meta(max_length=255)]


class ValuesQuery(FilterQuery, kw_only=True):
    """measurement: its name. at_least, at_most: bounds of the measured number, both included.

    all_attempts: include the values of attempts that were repeated.
    """

    measurement: Name | None = None
    phase: Name | None = None
    at_least: float | None = None
    at_most: float | None = None
    outcome: MeasurementOutcome | None = None
    all_attempts: Literal["yes"] | None = None
    sort: Literal["started_at", "value", "outcome", "serial_number", "measurement_name"] = "started_at"
    order: Direction = "desc"
    cursor: Cursor | None = None


def values_url(query: FilterQuery, name: str, phase: str | None) -> str:
    """The address of the page of a measurement's values in the runs of a page."""
    filters = {field: getattr(query, field) for field in FilterQuery.__struct_fields__}
    return url_of(_HERE, ValuesQuery(**filters, measurement=name, phase=phase or None))


class ValueLine(NamedTuple):
    url: str
    serial_number: str
    name: str
    phase: str
    value: str
    uom: str
    limits: str
    outcome: MeasurementOutcome
    station: str
    started_at: Moment


class ValuesPage(NamedTuple):
    """is_searched: the query names a measurement, a phase, a bound or an outcome. Otherwise nothing is searched."""

    filters: FilterBar
    headings: Sequence[Heading]
    values: Sequence[ValueLine]
    is_searched: bool
    files: TableFiles
    pager: Pager | None


@router.get(_HERE)
def show_values(
    services: WithServices, visit: WithVisit, query: Annotated[ValuesQuery, page_query(ValuesQuery)]
) -> Response:
    organization_id, is_searched = visit.actor.organization_id, _is_searched(query)
    with services.database.read_in(organization_id) as scope:
        choices = list_choices(scope)
        values: Sequence[ValueLine] = ()
        links = None
        if is_searched:
            at = list_page(scope.connection, query.cursor)
            listed = _listed(services, scope, query, at, visit.zone)
            values = [_line(one, start_of(one.run, visit.zone)) for one in listed.rows]
            links = pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor))
    page = ValuesPage(
        filters=_bar(query, choices),
        headings=headings(
            _COLUMNS,
            query.sort,
            query.order,
            lambda sort, order: url_of(_HERE, query, sort=sort, order=order, cursor=None),
        ),
        values=values,
        is_searched=is_searched,
        files=files_of(_HERE, query, "cursor"),
        pager=links,
    )
    return render("measurements/values.html", page, visit)


@file_route(router, _HERE, ValuesQuery, "Values", _SHEET)
def list_all_values(ask: FileAsk[ValuesQuery]) -> Rows:
    """All values that the filter finds, in the order of the page. Raises InvalidInput if it names no values."""
    if not _is_searched(ask.query):
        raise InvalidInput.at("measurement", "name a measurement, a phase, a bound or an outcome")
    return ask.whole_list(
        lambda scope, page: _listed(ask.services, scope, ask.query, page, ask.visit.zone),
        lambda _scope, found: [_cells(one) for one in found],
    )


def _is_searched(query: ValuesQuery) -> bool:
    """Whether the query names which values to find. Raises InvalidInput for bounds in the wrong order."""
    if query.at_least is not None and query.at_most is not None and query.at_least > query.at_most:
        raise InvalidInput.at(
            "at_least", f"{query.at_least:g} is more than at_most, {query.at_most:g}; swap them"
        )
    conditions = (query.measurement, query.phase, query.at_least, query.at_most, query.outcome)
    return any(one is not None for one in conditions)


def _listed(
    services: Services, scope: Scope, query: ValuesQuery, page: Page, zone: ZoneInfo
) -> Listed[FoundMeasurement]:
    return list_measurements(
        services.copy,
        scope,
        run_filter_of(query, zone, datetime.now(UTC)),
        _filter(query),
        Listing(query.sort, page, Deadline(services.list_timeout_s), descending=query.order == "desc"),
    )


def _cells(found: FoundMeasurement) -> Sequence[Cell]:
    return [
        found.run.unit.serial_number,
        found.run.procedure.name,
        found.item.attempt.phase.name,
        found.item.measurement.name,
        *value_cells(found.item),
        created_by_name(found.run),
        found.run.started_at,
        str(found.run.id),
    ]


def _filter(query: ValuesQuery) -> MeasurementFilter:
    return MeasurementFilter(
        names=None if query.measurement is None else [query.measurement],
        phase_names=None if query.phase is None else [query.phase],
        outcomes=None if query.outcome is None else [query.outcome],
        value_min=query.at_least,
        value_max=query.at_most,
        only_final=query.all_attempts is None,
    )


def _bar(query: ValuesQuery, choices: Choices) -> FilterBar:
    """The filter bar, with the fields of values before the fields of runs."""
    own = _fields(query)
    bar = filter_bar(_HERE, query, choices, more=own, left=("cursor",))
    return bar._replace(fields=[*own, *bar.fields[: -len(own)]])


def _fields(query: ValuesQuery) -> Sequence[Field]:
    return [
        text_field("measurement", "Measurement", query.measurement),
        text_field("phase", "Phase", query.phase),
        text_field("at_least", "At least", _text(query.at_least)),
        text_field("at_most", "At most", _text(query.at_most)),
        choice_field("outcome", "Outcome", query.outcome, [("", "All"), *((one, one) for one in _OUTCOMES)]),
        choice_field(
            "all_attempts", "Repeated attempts", query.all_attempts, [("", "Left out"), ("yes", "Shown too")]
        ),
    ]


def _line(found: FoundMeasurement, started_at: Moment) -> ValueLine:
    run: UUID = found.run.id
    line = measurement_line(found.item, run, found.run.procedure.id)
    return ValueLine(
        f"{run_url(run)}#{line.anchor}",
        found.run.unit.serial_number,
        line.name,
        found.item.attempt.phase.name,
        short_value(line),
        line.uom,
        line.limits,
        found.item.measurement.outcome,
        created_by_name(found.run),
        started_at,
    )


def _text(bound: float | None) -> str | None:
    return None if bound is None else f"{bound:.12g}"
