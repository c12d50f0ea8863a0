"""Reports that come again in other bytes, as when somebody corrected one: see ADR 42.

Two reports are the same where their format gives them the same id; those of WATS also where unit, procedure and start
are the same, as WATS itself has it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from runcard.domain.errors import ReportRecorded
from runcard.importers.formats import FORMATS
from runcard.ingest.record_run import PreparedRun
from runcard.store.commit.transaction import Transaction
from runcard.store.files.imports import ImportedFile
from runcard.store.intake.earlier_runs import EarlierRun, find_earlier, replace_earlier

# What is done about an earlier run: the new report is refused, the run is replaced, or both are kept.
Deed = Literal["refuse", "replace", "keep"]

_ID_KEYS: Mapping[str, str] = {one.name: one.id_key for one in FORMATS if one.id_key is not None}
_BY_START = ("WATS", "WSXF")


def report_id_of(run: PreparedRun, importer: str) -> str | None:
    """What a file of this format knows a run by, in lower case; None where it says nothing."""
    key = _ID_KEYS.get(importer)
    said = None if key is None else (run.report.metadata or {}).get(key)
    return said.lower() if isinstance(said, str) else None


def settle_earlier(
    tx: Transaction,
    file: ImportedFile,
    import_id: UUID,
    run_ids: Sequence[UUID],
    deed: Deed,
) -> Sequence[EarlierRun]:
    """Return the runs that were replaced by these, which were recorded under an import of the file.

    Raises ReportRecorded where there are some and they are to stay; position: of the first such run among these.
    """
    if deed == "keep" or not run_ids or file.importer not in _ID_KEYS:
        return ()
    by_start = _BY_START if file.importer in _BY_START else ()
    earlier = find_earlier(tx.connection, import_id, run_ids, by_start)
    if earlier and deed == "refuse":
        positions = {run_id: position for position, run_id in enumerate(run_ids)}
        first = min(earlier, key=lambda one: positions[one.run_id])
        raise ReportRecorded(first.earlier_id, _why(first), positions[first.run_id])
    replace_earlier(tx, earlier, file.attachment_id)
    return earlier


def _why(earlier: EarlierRun) -> str:
    if earlier.report_id is not None:
        return f"its id is {earlier.report_id}"
    return "unit, procedure and start are the same, within 500 ms"
