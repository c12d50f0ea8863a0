"""The list of units that several pages show."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.domain.runs.outcome import RunOutcome
from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.units.lists import LastRun, UnitFilter, list_last_runs, list_units
from runcard.store.units.records import UnitRecord
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import run_url, unit_url
from runcard.web.lists.filters import FilterQuery
from runcard.web.lists.headings import Direction, Heading, SortColumn, headings
from runcard.web.lists.pager import PAGE_SIZE, Cursor, Pager, list_page, pager
from runcard.web.lists.period import Period
from runcard.web.lists.table_files import TableFiles
from runcard.web.notes.cells import NOTE_SHEET, NOTHING_NOTED, NotedCell, noted_cells

UnitOrder = Literal["created_at", "serial_number", "part_number"]

_COLUMNS = [
    SortColumn("Unit", "serial_number"),
    SortColumn("Part", "part_number"),
    SortColumn("Batch"),
    SortColumn("Part of"),
    SortColumn("Last run"),
    SortColumn("Created", "created_at"),
]
UNIT_SHEET = [
    SheetColumn("Unit"),
    SheetColumn("Formerly"),
    SheetColumn("Unit class"),
    SheetColumn("Part"),
    SheetColumn("Revision"),
    SheetColumn("Batch"),
    SheetColumn("Part of"),
    SheetColumn("Last run: outcome"),
    SheetColumn("Last run: procedure"),
    SheetColumn("Last run: started", "moment"),
    SheetColumn("Created", "moment"),
    *NOTE_SHEET,
]


class UnitsQuery(FilterQuery, kw_only=True):
    """search: part of the serial number. The period is when the units were created."""

    period: Period = "all"
    search: str | None = None
    sort: UnitOrder = "created_at"
    order: Direction = "desc"
    cursor: Cursor | None = None


class Sorting(NamedTuple):
    order: UnitOrder
    direction: Direction


class LastRunCell(NamedTuple):
    url: str
    outcome: RunOutcome
    procedure: str
    started_at: Moment


class UnitLine(NamedTuple):
    """formerly: its former serial numbers. sample: empty for a unit of production. parent: empty if it is part of no
    unit.
    """

    id: UUID
    url: str
    serial_number: str
    formerly: str
    sample: str
    part_number: str
    revision: str
    batch: str
    parent: str
    parent_url: str
    last_run: LastRunCell | None
    created_at: Moment
    noted: NotedCell


class BesideUnits(NamedTuple):
    """What lists show beside units, by their ids."""

    last_runs: Mapping[UUID, LastRun]
    noted: Mapping[UUID, NotedCell] = MappingProxyType({})
    former: Mapping[UUID, Sequence[str]] = MappingProxyType({})


class UnitList(NamedTuple):
    """files: None if the page links to them elsewhere."""

    headings: Sequence[Heading]
    units: Sequence[UnitLine]
    pager: Pager
    files: TableFiles | None = None


class UnitListQuery(NamedTuple):
    """Which units to list and in which order. cursor: where the page begins. zone: of the reader's clock."""

    unit_filter: UnitFilter
    sorting: Sorting
    cursor: int | None
    zone: ZoneInfo
    size: int = PAGE_SIZE


def unit_list(scope: Scope, query: UnitListQuery, url_of_list: Callable[..., str]) -> UnitList:
    """A page of units. url_of_list: makes the address of the list with another `sort`, `order` or `cursor`."""
    page, (order, direction) = list_page(scope.connection, query.cursor, query.size), query.sorting
    listed = list_units(scope, query.unit_filter, order, page, descending=direction == "desc")
    return UnitList(
        headings(_COLUMNS, order, direction, lambda by, way: url_of_list(sort=by, order=way, cursor=None)),
        unit_lines(listed.rows, _beside(scope, listed.rows), query.zone),
        pager(page, listed, lambda cursor: url_of_list(cursor=cursor)),
    )


def unit_cells(scope: Scope, units: Sequence[UnitRecord]) -> Sequence[Sequence[Cell]]:
    """The rows of units below `UNIT_SHEET`."""
    beside = _beside(scope, units)
    return [
        [
            *_cells(unit, beside.last_runs.get(unit.id), beside.former.get(unit.id, ())),
            *beside.noted.get(unit.id, NOTHING_NOTED).cells,
        ]
        for unit in units
    ]


def unit_lines(units: Sequence[UnitRecord], beside: BesideUnits, zone: ZoneInfo) -> Sequence[UnitLine]:
    return [_line(unit, beside, zone) for unit in units]


def _beside(scope: Scope, units: Sequence[UnitRecord]) -> BesideUnits:
    ids = [unit.id for unit in units]
    return BesideUnits(
        list_last_runs(scope, ids),
        noted_cells(scope, "unit", ids),
        list_former_serial_numbers(scope, ids),
    )


def _cells(unit: UnitRecord, last_run: LastRun | None, former: Sequence[str]) -> Sequence[Cell]:
    return [
        unit.serial_number,
        ", ".join(former) or None,
        unit.sample,
        unit.part.number,
        unit.revision.number,
        unit.batch.number if unit.batch else None,
        unit.parent.serial_number if unit.parent else None,
        *(
            (None, None, None)
            if last_run is None
            else (last_run.outcome, last_run.procedure.name, last_run.started_at)
        ),
        unit.created_at,
    ]


def _line(unit: UnitRecord, beside: BesideUnits, zone: ZoneInfo) -> UnitLine:
    last_run = beside.last_runs.get(unit.id)
    return UnitLine(
        id=unit.id,
        url=unit_url(unit.serial_number),
        serial_number=unit.serial_number,
        formerly=", ".join(beside.former.get(unit.id, ())),
        sample=unit.sample or "",
        part_number=unit.part.number,
        revision=unit.revision.number,
        batch=unit.batch.number if unit.batch else "",
        parent=unit.parent.serial_number if unit.parent else "",
        parent_url=unit_url(unit.parent.serial_number) if unit.parent else "",
        last_run=None if last_run is None else last_run_cell(last_run, zone),
        created_at=moment_of(unit.created_at, zone),
        noted=beside.noted.get(unit.id, NOTHING_NOTED),
    )


def last_run_cell(run: LastRun, zone: ZoneInfo) -> LastRunCell:
    return LastRunCell(run_url(run.id), run.outcome, run.procedure.name, start_of(run, zone))
