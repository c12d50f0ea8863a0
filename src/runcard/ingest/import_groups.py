"""Files of any number of reports, recorded in groups of bounded size.

A file that fits one group is recorded whole or not at all. Of a larger one it is noted, in the transaction of each
group, how many of its reports are recorded by now: an import that is cut short says so, and goes on from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.domain.errors import Conflict, UnreadableReport
from runcard.importers.report.remarks import Remark, Remarks
from runcard.importers.report.stated import StatedReport
from runcard.ingest.earlier_runs import Deed
from runcard.ingest.record_run import PreparedRun, RunClient
from runcard.ingest.told_reports import (
    NO_RUN,
    RecordedReport,
    Told,
    UnderImport,
    link_report,
    prepare,
    record_told,
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


class Most(NamedTuple):
    """What a group holds at most; of documents it may be more by the last one."""

    reports: int
    size_bytes: int


# A file that fits this is recorded whole or not at all.
MOST = Most(reports=500, size_bytes=8 << 20)


class ReportGroup(NamedTuple):
    """Reports of a file that are recorded together. first: how many come before. is_last: none come after.

    warnings: what the importer remarked on the file since the group before.
    """

    first: int
    told: Sequence[Told]
    is_last: bool
    warnings: Sequence[str] = ()

    @property
    def end(self) -> int:
        return self.first + len(self.told)


def in_groups(
    reports: Iterable[StatedReport | Remark], client: RunClient, first: int = 0, most: Most = MOST
) -> Iterator[ReportGroup]:
    """The reports of a file but the `first`, each checked, in groups as large as one transaction should be.

    Raises InvalidInput, what the reports raise, and UnreadableReport where there is none at all.
    """
    told: list[Told] = []
    size_bytes, before, remarks = 0, first, Remarks()
    for report in reports:
        if isinstance(report, Remark):
            remarks.add(report)
            continue
        if before:
            before -= 1
            continue
        if len(told) == most.reports or size_bytes >= most.size_bytes:
            yield ReportGroup(first, told, is_last=False, warnings=remarks.taken(is_last=False))
            first, told, size_bytes = first + len(told), [], 0
        one = prepare(report, client)
        told.append(one)
        size_bytes += len(one.document) if isinstance(one, PreparedRun) else 0
    if not told and first == 0:
        raise UnreadableReport(NO_RUN)
    yield ReportGroup(first, told, is_last=True, warnings=remarks.taken(is_last=True))


class Imported(NamedTuple):
    """What of a group was recorded, and under which import. first: how many reports of the file came before."""

    import_id: UUID
    first: int
    recorded: RecordedReport


class ImportOptions(NamedTuple):
    """How a file is imported.

    under: the import that the reports belong to, whatever else was imported of this content; None: the one of this
    content. links: whether the attachment becomes the report of the first run. earlier: as of `UnderImport`.
    """

    under: UUID | None = None
    links: bool = True
    earlier: Deed = "refuse"


_USUAL = ImportOptions()


def import_group(
    tx: Transaction,
    actor: Actor,
    file: ImportedFile,
    attachment: Attachment,
    group: ReportGroup,
    options: ImportOptions = _USUAL,
) -> Imported | None:
    """Record the next reports of a file; None where its content had been imported to the end before.

    Of those that another process has recorded meanwhile, none is recorded again. Raises what `record_told` raises, and
    Conflict where runs of the file that had been recorded are gone.
    """
    under, links, earlier = options
    check_may_record(actor)
    tx.lock_imports()
    scope = tx.scope
    state = find_import_state(scope, file.digest) if under is None else find_state_of(scope, under)
    if state is not None and state.recorded_count is None:
        return None
    done = _check_goes_on(state, group)
    import_id = note_import(tx, file, (), Creator.of(actor), under).id if state is None else state.id
    told = group.told[done - group.first :]
    of_several = not group.is_last or group.end > 1
    recorded = record_told(tx, actor, told, UnderImport(file, import_id, done, of_several, earlier))
    if links:
        link_report(tx, attachment, recorded)
    note_recorded(tx, import_id, None if group.is_last else max(done, group.end))
    if group.is_last:
        release(tx, file.digest)
    return Imported(import_id, done, recorded)


def take_back_group(imported: Imported, attachment_id: UUID, tx: Transaction, *, is_new: bool) -> None:
    """Remove the last group that was recorded of a file; with the first one what notes the import, where it is new.

    attachment_id: the file, which stays.
    """
    recorded = imported.recorded
    take_back(tx, recorded.run_ids, [one.id for one in recorded.repairs], attachment_id)
    note_recorded(tx, imported.import_id, imported.first)
    if is_new and imported.first == 0:
        forget_import(tx, imported.import_id)


def rehearse_group(
    tx: Transaction, actor: Actor, file: ImportedFile, group: ReportGroup, earlier: Deed = "refuse"
) -> RecordedReport:
    """As `import_group` for a file that is new, whatever group it is; the caller undoes it."""
    check_may_record(actor)
    noted = note_import(tx, file, (), Creator.of(actor))
    of_several = not group.is_last or group.end > 1
    under = UnderImport(file, noted.id, group.first, of_several, earlier)
    return record_told(tx, actor, group.told, under)


def _check_goes_on(state: ImportState | None, group: ReportGroup) -> int:
    """How many reports of the file are recorded. Raises Conflict where fewer are than come before the group."""
    done = 0 if state is None or state.recorded_count is None else state.recorded_count
    if done < group.first:
        raise Conflict(
            f"Of the {group.first} reports of this file that had been recorded, {done} are left: somebody deleted runs "
            "while it was imported. Import it again."
        )
    return done
