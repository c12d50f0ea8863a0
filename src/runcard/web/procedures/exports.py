"""The tables of a procedure as files: its measurements, its yield by station, and what fails."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from msgspec.structs import replace

from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, ParetoKind, pareto
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.exports.spreadsheets import MAX_ROWS, Cell, Rows, SheetColumn
from runcard.store.procedures.rows import Procedure, get_procedure
from runcard.web.lists.table_files import FileAsk, file_route
from runcard.web.procedures.capability_table import CAPABILITY_SHEET, capability_cells, sorted_rows
from runcard.web.procedures.procedure import ProcedureQuery, selection_within

router = APIRouter()

_HERE = "/procedures/{procedure_id}"
_YIELD = [
    SheetColumn("Station"),
    SheetColumn("First-pass yield", "ratio"),
    SheetColumn("95 % confidence interval, from", "ratio"),
    SheetColumn("95 % confidence interval, to", "ratio"),
    SheetColumn("Final yield", "ratio"),
    SheetColumn("First runs", "number"),
]
_FAILURES = [
    SheetColumn("Failures", "number"),
    SheetColumn("Runs", "number"),
    SheetColumn("Share", "ratio"),
    SheetColumn("So far", "ratio"),
]
_PHASES = [SheetColumn("Phase"), *_FAILURES]
_MEASUREMENTS = [SheetColumn("Measurement"), SheetColumn("Phase"), *_FAILURES]


@file_route(router, f"{_HERE}/capability", ProcedureQuery, "Capability", CAPABILITY_SHEET)
def list_all_capability(ask: FileAsk[ProcedureQuery]) -> Rows:
    """All measurements of the table on the procedure's page, in its order."""

    def rows(snapshot: Snapshot, selection: Selection, procedure: Procedure) -> list[Sequence[Cell]]:
        answer = capabilities(snapshot, selection, procedure.id)
        return [capability_cells(row) for row in sorted_rows(answer.rows, ask.query.sort, ask.query.order)]

    return [_answer(ask, rows)]


@file_route(router, f"{_HERE}/yield-by-station", ProcedureQuery, "Yield by station", _YIELD)
def list_yield_by_station(ask: FileAsk[ProcedureQuery]) -> Rows:
    def rows(snapshot: Snapshot, selection: Selection, _procedure: Procedure) -> list[Sequence[Cell]]:
        found = first_pass_yield(snapshot, selection, ask.visit.zone, "station").rows
        return [
            [
                one.group.name or "none",
                one.first_pass.ratio,
                one.first_pass.low,
                one.first_pass.high,
                one.final.ratio,
                one.units,
            ]
            for one in found
        ]

    return [_answer(ask, rows)]


@file_route(router, f"{_HERE}/failing-phases", ProcedureQuery, "Phases that fail", _PHASES)
def list_failing_phases(ask: FileAsk[ProcedureQuery]) -> Rows:
    return [_failing(ask, "phases")]


@file_route(router, f"{_HERE}/failing-measurements", ProcedureQuery, "Measurements that fail", _MEASUREMENTS)
def list_failing_measurements(ask: FileAsk[ProcedureQuery]) -> Rows:
    return [_failing(ask, "measurements")]


def _answer(
    ask: FileAsk[ProcedureQuery],
    rows_of: Callable[[Snapshot, Selection, Procedure], Sequence[Sequence[Cell]]],
) -> Sequence[Sequence[Cell]]:
    """The rows that `rows_of` makes for the procedure and its runs. Raises ProcedureNotFound."""
    organization_id, database = ask.organization_id, ask.services.database
    with database.read_in(organization_id) as scope, Snapshot(ask.services.copy, scope) as snapshot:
        procedure = get_procedure(scope, ask.names["procedure_id"])
        query = replace(ask.query, procedure=None)
        return rows_of(snapshot, selection_within(procedure, query, ask.visit.zone), procedure)


def _failing(ask: FileAsk[ProcedureQuery], kind: ParetoKind) -> Sequence[Sequence[Cell]]:
    """Everything that fails, not only what fails most; the most frequent first."""

    def rows(snapshot: Snapshot, selection: Selection, _procedure: Procedure) -> list[Sequence[Cell]]:
        found = pareto(snapshot, selection, Failing(kind, top=MAX_ROWS)).rows
        return [
            [
                *([] if one.measurement is None else [one.measurement]),
                one.phase,
                one.failures,
                one.runs,
                one.share,
                one.cumulated_share,
            ]
            for one in found
        ]

    return _answer(ask, rows)
