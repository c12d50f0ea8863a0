"""The reports in a file, of runs and repairs: each is checked, then recorded in the order of the file."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import ReportRecorded, ReportRefused, RuncardError
from runcard.domain.floor.repair import RepairReport
from runcard.importers.report.stated import StatedReport
from runcard.ingest.earlier_runs import OnEarlier, report_id_of, settle_earlier
from runcard.ingest.record_repair import check_repair, record_repair
from runcard.ingest.record_run import PreparedRun, RunClient, prepare_run, record_run
from runcard.store.commit.transaction import Transaction
from runcard.store.files.attachments import Attachment, Owner, link_attachment, link_upload
from runcard.store.files.imports import ImportedFile, NotedRun, note_runs
from runcard.store.intake.earlier_runs import EarlierRun
from runcard.store.units.repairs import RepairRow

NO_RUN = "The file holds no report of a run. Upload a file that does."

PreparedReport = PreparedRun | RepairReport


class RecordedReport(NamedTuple):
    """What was recorded. replaced: the runs of earlier files that these runs replaced."""

    run_ids: Sequence[UUID]
    repairs: Sequence[RepairRow]
    replaced: Sequence[EarlierRun] = ()


def prepare(claimed: StatedReport, client: RunClient) -> PreparedReport:
    """The report, checked as far as possible without the record. Raises InvalidInput."""
    if isinstance(claimed.report, RepairReport):
        check_repair(claimed.report)
        return claimed.report
    return prepare_run(
        claimed.report, client=client.name, client_version=client.version, stated=claimed.stated
    )


class UnderImport(NamedTuple):
    """The import of a file that reports are recorded under.

    first: how many reports of the file come before. of_several: whether the file has more than one report. on_earlier:
    what to do about runs that an earlier file recorded from the same reports.
    """

    file: ImportedFile
    import_id: UUID
    first: int = 0
    of_several: bool = False
    on_earlier: OnEarlier = "refuse"


def record_reports(
    tx: Transaction, actor: Actor, reports: Sequence[PreparedReport], under: UnderImport
) -> RecordedReport:
    """Record reports under the import of their file.

    Raises what `record_run`, `record_repair` and `settle_earlier` raise; if the file has several reports, as
    ReportRefused, which says which report it is.
    """
    file, import_id, first, of_several, on_earlier = under
    noted: list[NotedRun] = []
    repairs = []
    runs: list[tuple[int, PreparedReport]] = []
    organization_id = actor.organization_id
    tx.catalog.fetch_units(
        [key for run in reports if isinstance(run, PreparedRun) for key in run.unit_keys(organization_id)]
    )
    for position, report in enumerate(reports, first + 1):
        try:
            if isinstance(report, RepairReport):
                repairs.append(record_repair(tx, actor, report, import_id))
            else:
                run_id = record_run(tx, actor, report)
                report_id = report_id_of(report, file.importer)
                noted.append(NotedRun(run_id, report.stated, report_id))
                runs.append((position, report))
        except RuncardError as error:
            if not of_several:
                raise
            raise ReportRefused(position, _serial_number(report), error) from error
    note_runs(tx, import_id, noted, first=first)
    run_ids = [run.run_id for run in noted]
    try:
        replaced = settle_earlier(tx, file, import_id, run_ids, on_earlier)
    except ReportRecorded as error:
        if not of_several:
            raise
        position, report = runs[error.position]
        raise ReportRefused(position, _serial_number(report), error) from error
    return RecordedReport(run_ids, repairs, replaced)


def link_report(tx: Transaction, attachment: Attachment, recorded: RecordedReport) -> None:
    """Make a file that is part of nothing yet part of its first run, or else of the unit of its first repair."""
    # The same upload once more is the report of other runs already. The new runs find it through their import.
    if attachment.is_linked:
        return
    if recorded.run_ids:
        link_attachment(tx, attachment, recorded.run_ids[0], is_report=True)
    elif recorded.repairs:
        link_upload(tx, attachment.id, Owner(unit_id=recorded.repairs[0].unit_id))


def _serial_number(report: PreparedReport) -> str:
    return report.serial_number if isinstance(report, RepairReport) else report.report.serial_number
