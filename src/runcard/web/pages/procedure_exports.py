"""The table of a procedure's measurements as a file."""

from typing import Annotated

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.asking import Snapshot
from runcard.analytics.questions.capabilities import capabilities
from runcard.edge.deps import WithParts
from runcard.edge.spreadsheets import Sheet
from runcard.store.procedures import get_procedure
from runcard.web.capability_table import CAPABILITY_SHEET, capability_cells, sorted_rows
from runcard.web.filters import page_query
from runcard.web.pages.procedure import ProcedureQuery, selection_within
from runcard.web.table_files import WithFormat, table_file
from runcard.web.visit import WithVisit

router = APIRouter()


@router.get("/procedures/{procedure_id}/capability.{file_format}")
def export_capability(
    parts: WithParts,
    visit: WithVisit,
    procedure_id: str,
    file_format: WithFormat,
    asked: Annotated[ProcedureQuery, page_query(ProcedureQuery)],
) -> Response:
    """All measurements that the table of the procedure's page has, in its order."""
    home = visit.actor.organization_id
    with parts.database.read() as connection, Snapshot(parts.copy, connection, home) as snapshot:
        procedure = get_procedure(connection, home, procedure_id)
        selection = selection_within(procedure, replace(asked, procedure=None), visit.zone)
        answer = capabilities(snapshot, selection, procedure.id)
    rows = [capability_cells(row) for row in sorted_rows(answer.rows, asked.sort, asked.order)]
    return table_file(Sheet("Capability", CAPABILITY_SHEET, [rows], visit.zone), file_format)
