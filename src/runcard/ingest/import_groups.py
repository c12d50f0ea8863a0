"""Files of any number of reports, recorded in groups of bounded size.

A file that fits into one group is recorded whole or not at all. For a larger file, the transaction of each group notes
how many reports are recorded by now. So an import that is cut short is known as such, and goes on from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.domain.errors import Conflict, UnreadableReport
from runcard.importers.report.remarks import Remark, Remarks
from runcard.importers.report.stated import StatedReport
from runcard.ingest.earlier_runs import OnEarlier
from runcard.ingest.record_run import PreparedRun, RunClient
from runcard.ingest.told_reports import (
    NO_RUN,
    PreparedReport,
    RecordedReport,
    UnderImport,
    link_report,
    prepare,
    record_reports,
)
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import Attachment
from runcard.store.files.imports import (
    ImportedFile,
    ImportState,
    find_import_state,
    find_state_of,
    note_import,
    note_recorded,
)
from runcard.store.intake.quarantine import release
from runcard.store.intake.taken_back import forget_import, take_back


class GroupLimits(NamedTuple):
    """The limits of a group. size_bytes: of its documents; the last one may go over it."""

    reports: int
    size_bytes: int


# A file within these limits is recorded whole or not at all.
GROUP_LIMITS = GroupLimits(reports=500, size_bytes=8 << 20)


class ReportGroup(NamedTuple):
    """Reports of a file that are recorded together. first: how many come before. is_last: none come after.

    warnings: the importer's remarks on the file since the group before.
    """

    first: int
    reports: Sequence[PreparedReport]
    is_last: bool
    warnings: Sequence[str] = ()

    @property
    def end(self) -> int:
        return self.first + len(self.reports)


def in_groups(
    reports: Iterable[StatedReport | Remark],
    client: RunClient,
    first: int = 0,
    limits: GroupLimits = GROUP_LIMITS,
) -> Iterator[ReportGroup]:
    """The reports of a file without its `first` ones, each checked, in groups as large as one transaction should be.

    Raises InvalidInput, what the reports raise, and UnreadableReport if the file has no report.
    """
    prepared: list[PreparedReport] = []
    size_bytes, before, remarks = 0, first, Remarks()
    for report in reports:
        if isinstance(report, Remark):
            remarks.add(report)
            continue
        if before:
            before -= 1
            continue
        if len(prepared) == limits.reports or size_bytes >= limits.size_bytes:
            yield ReportGroup(first, prepared, is_last=False, warnings=remarks.taken(is_last=False))
            first, prepared, size_bytes = first + len(prepared), [], 0
        added = prepare(report, client)
        prepared.append(added)
        size_bytes += len(added.document.body) if isinstance(added, PreparedRun) else 0
    if not prepared and first == 0:
        raise UnreadableReport(NO_RUN)
    yield ReportGroup(first, prepared, is_last=True, warnings=remarks.taken(is_last=True))


class Imported(NamedTuple):
    """What was recorded of a group, and under which import. first: how many reports of the file came before."""

    import_id: UUID
    first: int
    recorded: RecordedReport


class ImportOptions(NamedTuple):
    """How a file is imported.

    under: the import that the reports belong to, even if this content has another import; None: the import of this
    content. links: whether the attachment becomes the report of the first run. on_earlier: as in `UnderImport`.
    """

    under: UUID | None = None
    links: bool = True
    on_earlier: OnEarlier = "refuse"


_USUAL = ImportOptions()


def import_group(
    tx: Transaction,
    actor: Actor,
    file: ImportedFile,
    attachment: Attachment,
    group: ReportGroup,
    options: ImportOptions = _USUAL,
) -> Imported | None:
    """Record the next reports of a file. None if the whole content was imported before.

    Reports that another process has recorded meanwhile are not recorded again. Raises what `record_reports` raises, and
    Conflict if runs of the file were deleted since the group before.
    """
    under, links, on_earlier = options
    check_may_record(actor)
    tx.lock_imports()
    scope = tx.scope
    state = find_import_state(scope, file.digest) if under is None else find_state_of(scope, under)
    if state is not None and state.recorded_count is None:
        return None
    done = _check_goes_on(state, group)
    import_id = note_import(tx, file, (), Creator.of(actor), under).id if state is None else state.id
    reports = group.reports[done - group.first :]
    of_several = not group.is_last or group.end > 1
    recorded = record_reports(tx, actor, reports, UnderImport(file, import_id, done, of_several, on_earlier))
    if links:
        link_report(tx, attachment, recorded)
    note_recorded(tx, import_id, None if group.is_last else max(done, group.end))
    if group.is_last:
        release(tx, file.digest)
    return Imported(import_id, done, recorded)


def take_back_group(imported: Imported, attachment_id: UUID, tx: Transaction, *, is_new: bool) -> None:
    """Remove the last group that was recorded of a file.

    attachment_id: the file, which stays. is_new: the import is new, so it is removed with its first group.
    """
    recorded = imported.recorded
    take_back(tx, recorded.run_ids, [repair.id for repair in recorded.repairs], attachment_id)
    note_recorded(tx, imported.import_id, imported.first)
    if is_new and imported.first == 0:
        forget_import(tx, imported.import_id)


def rehearse_group(
    tx: Transaction, actor: Actor, file: ImportedFile, group: ReportGroup, on_earlier: OnEarlier = "refuse"
) -> RecordedReport:
    """Record a group, which need not be the first, as if its file were new. The caller undoes it."""
    check_may_record(actor)
    noted = note_import(tx, file, (), Creator.of(actor))
    of_several = not group.is_last or group.end > 1
    under = UnderImport(file, noted.id, group.first, of_several, on_earlier)
    return record_reports(tx, actor, group.reports, under)


def _check_goes_on(state: ImportState | None, group: ReportGroup) -> int:
    """How many reports of the file are recorded. Raises Conflict if these are fewer than come before the group."""
    done = 0 if state is None or state.recorded_count is None else state.recorded_count
    if done < group.first:
        raise Conflict(
            f"Only {done} of the {group.first} recorded reports of this file are left: somebody deleted runs while it "
            "was imported. Import it again."
        )
    return done
