"""Reports that come again in other bytes, for example because somebody corrected one: see ADR 42.

Two reports are the same if their format gives them the same id. Reports of WATS are also the same if unit, procedure
and start are, by the rule of WATS itself.
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

# What to do if an earlier run has the same report: refuse the new report, replace the run, or keep both.
OnEarlier = Literal["refuse", "replace", "keep"]

_ID_KEYS: Mapping[str, str] = {known.name: known.id_key for known in FORMATS if known.id_key is not None}
_BY_START = ("WATS", "WSXF")


def report_id_of(run: PreparedRun, importer: str) -> str | None:
    """The id of a run's report in a file of this format, in lower case; None if it has none."""
    key = _ID_KEYS.get(importer)
    report_id = None if key is None else (run.report.metadata or {}).get(key)
    return report_id.lower() if isinstance(report_id, str) else None


def settle_earlier(
    tx: Transaction,
    file: ImportedFile,
    import_id: UUID,
    run_ids: Sequence[UUID],
    on_earlier: OnEarlier,
) -> Sequence[EarlierRun]:
    """Refuse, replace or keep the earlier runs of the same reports as these runs. Returns what was replaced.

    run_ids: recorded under this import of the file. Raises ReportRecorded to refuse; its position is that of the first
    run whose report is recorded already.
    """
    if on_earlier == "keep" or not run_ids or file.importer not in _ID_KEYS:
        return ()
    by_start = _BY_START if file.importer in _BY_START else ()
    earlier = find_earlier(tx.connection, import_id, run_ids, by_start)
    if earlier and on_earlier == "refuse":
        positions = {run_id: position for position, run_id in enumerate(run_ids)}
        first = min(earlier, key=lambda pair: positions[pair.run_id])
        raise ReportRecorded(first.earlier_id, _why(first), positions[first.run_id])
    replace_earlier(tx, earlier, file.attachment_id)
    return earlier


def _why(earlier: EarlierRun) -> str:
    if earlier.report_id is not None:
        return f"its id is {earlier.report_id}"
    return "unit, procedure and start are the same, within 500 ms"
