"""The tables of a measurement's page as files: control limits, broken run rules, and capability."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import APIRouter

from runcard.analytics.questions.values.capability import CapabilityRow
from runcard.analytics.questions.values.control_points import ChartSegment
from runcard.analytics.snapshot import Snapshot
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.procedures.rows import get_procedure
from runcard.web.lists.table_files import FileAsk, file_route
from runcard.web.measurements.measurement import (
    MeasurementAsk,
    MeasurementPageQuery,
    broken_rules,
    measurement_ask,
)
from runcard.web.measurements.rows import limits_text

router = APIRouter()

T = TypeVar("T")

_HERE = "/procedures/{procedure_id}/measurements"
_SPECIFIED = [
    SheetColumn("Phase"),
    SheetColumn("Limits"),
    SheetColumn("Lower limit", "number"),
    SheetColumn("Upper limit", "number"),
    SheetColumn("Unit of measure"),
]
_SEGMENTS = [
    *_SPECIFIED,
    SheetColumn("n", "number"),
    SheetColumn("Centre", "number"),
    SheetColumn("Sigma", "number"),
    SheetColumn("Lower control limit", "number"),
    SheetColumn("Upper control limit", "number"),
]
_RULES = [SheetColumn("Broken run rule"), SheetColumn("Points", "number")]
_CAPABILITY = [
    *_SPECIFIED,
    SheetColumn("n", "number"),
    SheetColumn("Failed", "number"),
    SheetColumn("Mean", "number"),
    SheetColumn("s", "number"),
    SheetColumn("Cp", "number"),
    SheetColumn("Cpk", "number"),
    SheetColumn("Pp", "number"),
    SheetColumn("Ppk", "number"),
    SheetColumn("Ppk, 95 % from", "number"),
    SheetColumn("Ppk, 95 % to", "number"),
    SheetColumn("ppm outside, expected", "number"),
    SheetColumn("ppm outside, observed", "number"),
    SheetColumn("Normal, p", "number"),
]


@file_route(router, f"{_HERE}/control-limits", MeasurementPageQuery, "Control limits", _SEGMENTS)
def list_control_limits(ask: FileAsk[MeasurementPageQuery]) -> Rows:
    """The stretches of the control chart, in the order of the page."""
    return [[_segment_cells(one) for one in _answer(ask, MeasurementAsk.control_chart).segments]]


@file_route(router, f"{_HERE}/run-rules", MeasurementPageQuery, "Run rules", _RULES)
def list_broken_rules(ask: FileAsk[MeasurementPageQuery]) -> Rows:
    chart = _answer(ask, MeasurementAsk.control_chart)
    return [[[one.says, len(one.points)] for one in broken_rules(chart, ask.query)]]


@file_route(router, f"{_HERE}/capability", MeasurementPageQuery, "Capability", _CAPABILITY)
def list_capability(ask: FileAsk[MeasurementPageQuery]) -> Rows:
    """The rows of the page. Raises InvalidInput if they are too many; the page then shows none."""
    return [[_capability_cells(one) for one in _answer(ask, MeasurementAsk.capability).rows]]


def _answer(ask: FileAsk[MeasurementPageQuery], question: Callable[[MeasurementAsk], T]) -> T:
    """The answer to a question of the page. Raises ProcedureNotFound."""
    organization_id, database = ask.organization_id, ask.services.database
    with database.read_in(organization_id) as scope, Snapshot(ask.services.copy, scope) as snapshot:
        procedure = get_procedure(scope, ask.names["procedure_id"])
        return question(measurement_ask(snapshot, ask.visit, procedure.id, ask.query))


def _segment_cells(segment: ChartSegment) -> Sequence[Cell]:
    spec, bounds = segment.spec, segment.control[-1] if segment.control else None
    return [
        spec.phase,
        limits_text(spec.limits),
        spec.lower,
        spec.upper,
        spec.uom,
        segment.n,
        segment.centre,
        segment.sigma,
        None if bounds is None else bounds.lower,
        None if bounds is None else bounds.upper,
    ]


def _capability_cells(row: CapabilityRow) -> Sequence[Cell]:
    """A row below `_CAPABILITY`, its figures with all their digits."""
    spec = row.spec
    return [
        spec.phase,
        limits_text(spec.limits),
        spec.lower,
        spec.upper,
        spec.uom,
        row.n,
        row.failed,
        row.mean,
        row.sigma_overall,
        row.cp.value,
        row.cpk.value,
        row.pp.value,
        row.ppk.value,
        row.ppk.low,
        row.ppk.high,
        row.expected.total,
        row.observed.total,
        None if row.normality is None else row.normality.p_value,
    ]
