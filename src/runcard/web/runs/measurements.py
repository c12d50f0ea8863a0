"""The measurements of a run as a file."""

from collections.abc import Sequence

from fastapi import APIRouter

from runcard.domain.errors import RunNotFound
from runcard.domain.runs.inside import Measured
from runcard.domain.runs.measurement import effective_limits
from runcard.edge.requests.ids import id_of
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.runs.records import find_run, read_documents
from runcard.web.lists.table_files import FileAsk, file_route
from runcard.web.measurements.cells import VALUE_COLUMNS, value_cells
from runcard.web.measurements.rows import Check, checks_of
from runcard.web.runs.phases import measured_shown
from runcard.web.runs.view import RunQuery

router = APIRouter()

_SHEET = [
    SheetColumn("Phase"),
    SheetColumn("Sequence"),
    SheetColumn("Retry", "number"),
    SheetColumn("Outcome of the phase"),
    SheetColumn("Phase started", "moment"),
    SheetColumn("Measurement"),
    *VALUE_COLUMNS,
    SheetColumn("Lower limit", "number"),
    SheetColumn("Upper limit", "number"),
    SheetColumn("Checks"),
    SheetColumn("Note"),
]


@file_route(router, "/runs/{run_id}/measurements", RunQuery, "Measurements", _SHEET)
def list_measurements_of_run(ask: FileAsk[RunQuery]) -> Rows:
    """All measurements of a run that the query shows, in the order of its page. Raises RunNotFound."""
    organization_id, run_id = ask.organization_id, id_of(ask.names["run_id"], RunNotFound)
    with ask.services.database.read_in(organization_id) as scope:
        if find_run(scope, run_id) is None:
            raise RunNotFound(str(run_id))
        document = read_documents(scope, [run_id])[run_id]
    return [[_cells(one) for one in measured_shown(document, ask.query)]]


def _cells(measured: Measured) -> Sequence[Cell]:
    phase, limits = measured.attempt.phase, effective_limits(measured.measurement)
    return [
        phase.name,
        phase.sequence_path,
        phase.retry_count,
        phase.outcome,
        phase.started_at,
        measured.measurement.name,
        *value_cells(measured),
        limits.lower,
        limits.upper,
        "; ".join(map(_check_text, checks_of(measured.measurement))),
        measured.measurement.docstring,
    ]


def _check_text(check: Check) -> str:
    return f"{check.text}: {check.outcome}{' (marginal)' if check.is_marginal else ''}"
