"""The tables of a procedure as files: its measurements, its yield by station, and what fails."""

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.asking import Selection, Snapshot
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, ParetoKind, pareto
from runcard.edge.requests.deps import Parts, WithParts
from runcard.exports.spreadsheets import MAX_ROWS, Cell, Sheet, SheetColumn
from runcard.store.procedures.rows import Procedure, get_procedure
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query
from runcard.web.lists.table_files import WithFormat, table_file
from runcard.web.procedures.capability_table import CAPABILITY_SHEET, capability_cells, sorted_rows
from runcard.web.procedures.procedure import ProcedureQuery, selection_within

router = APIRouter()

WithQuery = Annotated[ProcedureQuery, page_query(ProcedureQuery)]
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


class _Ask(NamedTuple):
    """What a table of the procedure's page is asked for."""

    parts: Parts
    visit: Visit
    procedure_id: str
    asked: ProcedureQuery

    def answer(
        self, rows_of: Callable[[Snapshot, Selection, Procedure], Sequence[Sequence[Cell]]]
    ) -> Sequence[Sequence[Cell]]:
        home = self.visit.actor.organization_id
        with (
            self.parts.database.read_in(home) as scope,
            Snapshot(self.parts.copy, scope) as snapshot,
        ):
            procedure = get_procedure(scope, self.procedure_id)
            asked = replace(self.asked, procedure=None)
            return rows_of(snapshot, selection_within(procedure, asked, self.visit.zone), procedure)

    def sheet(self, name: str, columns: Sequence[SheetColumn], rows: Sequence[Sequence[Cell]]) -> Sheet:
        return Sheet(name, columns, [rows], self.visit.zone)


def _ask(parts: WithParts, visit: WithVisit, procedure_id: str, asked: WithQuery) -> _Ask:
    return _Ask(parts, visit, procedure_id, asked)


WithAsk = Annotated[_Ask, Depends(_ask)]


@router.get(f"{_HERE}/capability.{{file_format}}")
def export_capability(ask: WithAsk, file_format: WithFormat) -> Response:
    """All measurements that the table of the procedure's page has, in its order."""

    def rows(snapshot: Snapshot, selection: Selection, procedure: Procedure) -> list[Sequence[Cell]]:
        answer = capabilities(snapshot, selection, procedure.id)
        return [capability_cells(row) for row in sorted_rows(answer.rows, ask.asked.sort, ask.asked.order)]

    return table_file(ask.sheet("Capability", CAPABILITY_SHEET, ask.answer(rows)), file_format)


@router.get(f"{_HERE}/yield-by-station.{{file_format}}")
def export_yield(ask: WithAsk, file_format: WithFormat) -> Response:
    def rows(snapshot: Snapshot, selection: Selection, _procedure: Procedure) -> list[Sequence[Cell]]:
        found = first_pass_yield(snapshot, selection, ask.visit.zone, "station").rows
        return [
            [
                one.group.name or "without",
                one.first_pass.ratio,
                one.first_pass.low,
                one.first_pass.high,
                one.final.ratio,
                one.units,
            ]
            for one in found
        ]

    return table_file(ask.sheet("Yield by station", _YIELD, ask.answer(rows)), file_format)


@router.get(f"{_HERE}/failing-phases.{{file_format}}")
def export_phases(ask: WithAsk, file_format: WithFormat) -> Response:
    sheet = ask.sheet("Phases that fail", [SheetColumn("Phase"), *_FAILURES], _failing(ask, "phases"))
    return table_file(sheet, file_format)


@router.get(f"{_HERE}/failing-measurements.{{file_format}}")
def export_measurements(ask: WithAsk, file_format: WithFormat) -> Response:
    columns = [SheetColumn("Measurement"), SheetColumn("Phase"), *_FAILURES]
    sheet = ask.sheet("Measurements that fail", columns, _failing(ask, "measurements"))
    return table_file(sheet, file_format)


def _failing(ask: _Ask, kind: ParetoKind) -> Sequence[Sequence[Cell]]:
    """All that fails, not only what fails most; the most frequent first."""

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

    return ask.answer(rows)
