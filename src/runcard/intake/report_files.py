"""The import of report files: the format is found from the content, reports are recorded in groups, and refused files
go to quarantine.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import BinaryIO, Literal, NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import (
    AttachmentNotFound,
    InvalidInput,
    Outage,
    PayloadTooLarge,
    RuncardError,
    UnreadableReport,
)
from runcard.domain.floor.statement import FIELDS, StatedField
from runcard.domain.ids import new_id
from runcard.domain.runs.outcome import RunOutcome
from runcard.importers.formats import TABULAR
from runcard.ingest.file_content import packed_digest
from runcard.ingest.import_file import import_upload
from runcard.ingest.import_groups import (
    GROUP_LIMITS,
    Imported,
    ImportOptions,
    ReportGroup,
    import_group,
    rehearse_group,
    take_back_group,
)
from runcard.ingest.quarantine_file import quarantine_file
from runcard.ingest.record_run import PreparedRun, RunClient
from runcard.ingest.told_reports import RecordedReport, link_report
from runcard.intake.arrived_files import Arrived, NewFile, Stores, Upload, opened_upload
from runcard.intake.choices import NO_FORMAT, ImportChoice, reading_of
from runcard.intake.lacking import lacking
from runcard.intake.parsing.opened_file import OpenedFile, Reading
from runcard.intake.repeated_units import Rehearsed, RepeatedUnits
from runcard.store.commit.transaction import Transaction
from runcard.store.files.imports import (
    FileImport,
    ImportedFile,
    ImportState,
    count_imported,
    find_import_state,
    find_unfinished,
)
from runcard.store.intake.earlier_runs import EarlierRun
from runcard.store.intake.quarantine import Refusal, RefusedFile
from runcard.store.runs.records import read_runs

# How many runs of a rehearsed file are shown.
_MOST_SHOWN = 10


class RehearsedRun(NamedTuple):
    """A run as it would be recorded. stated: its fields that the sender stated."""

    serial_number: str
    part_number: str
    procedure: str
    outcome: RunOutcome
    started_at: datetime
    stated: tuple[StatedField, ...]


class Fate(NamedTuple):
    """What became of a file.

    status: known: its content was imported before; refused: all of it, or what comes after `recorded_count` reports;
        strange: it is of no known format.
    run_count, repair_count: what was recorded of it now; of a known file, the runs that still exist.
    recorded_count: how many of its reports are recorded by now, if not all are.
    import_id: the import of its reports, of now or before. quarantined_id: its id in quarantine.
    warnings: remarks on what was recorded, such as what was left out.
    lacks: the field of a run that must be stated to mend a refused file. stated: the fields that were stated, and for
    how many runs. rehearsed: the first runs as they would be recorded, if the file was only rehearsed.
    """

    status: Literal["recorded", "known", "refused", "strange"]
    importer: str | None = None
    run_count: int = 0
    repair_count: int = 0
    recorded_count: int = 0
    reason: str | None = None
    import_id: UUID | None = None
    quarantined_id: UUID | None = None
    warnings: Sequence[str] = ()
    lacks: str | None = None
    stated: tuple[tuple[str, int], ...] = ()
    rehearsed: tuple[RehearsedRun, ...] = ()


class _Rehearsed(Exception):
    """Undoes the transaction of a rehearsal."""


class ReportFiles:
    """Imports files of one person or station. client: the program that sends them, which is noted in the runs."""

    def __init__(self, stores: Stores, actor: Actor, client: RunClient, choice: ImportChoice) -> None:
        self._stores = stores
        self._actor = actor
        self._client = client
        self._choice = choice
        self._rehearsed: Rehearsed | None = {} if choice.rehearses else None

    def bring_in(
        self,
        name: str,
        file: BinaryIO,
        tell: Callable[[int], None] = lambda _: None,
        *,
        place: str | None = None,
    ) -> Fate:
        """Import a file, and return what became of it. The file must be able to seek.

        tell: is called after each group with its number of reports. place: the name of the file with its folder; None:
        the folder is not known. Raises StorageUnavailable, and PermissionDenied for a viewer.
        """
        return self._bring_in(NewFile(self._stores, self._actor, name, file), file, tell, place or name)

    def bring_in_upload(self, upload: Upload) -> Fate:
        """Import a file whose bytes are uploaded already. Raises what `opened_upload` and `bring_in` raise."""
        with opened_upload(self._stores.blobs, upload) as file:
            return self._bring_in(upload, file, lambda _: None, upload.name)

    def _bring_in(self, arrived: Arrived, file: BinaryIO, tell: Callable[[int], None], place: str) -> Fate:
        try:
            with self._stores.open_file(file) as opened:
                return self._import(arrived, opened, tell, place)
        except (PayloadTooLarge, UnreadableReport) as error:
            return self._refuse(arrived, packed_digest(file), Refusal(self._choice.importer, error.summary))

    def _import(self, arrived: Arrived, opened: OpenedFile, tell: Callable[[int], None], place: str) -> Fate:
        try:
            reading = self._reading(opened, place)
        except RuncardError as error:
            return self._refuse(arrived, opened.digest, Refusal(TABULAR, error.summary))
        if reading is None:
            if not self._choice.keeps_strange:
                return Fate("strange", reason=NO_FORMAT)
            return self._refuse(arrived, opened.digest, Refusal(None, NO_FORMAT))
        state = self._state(opened.digest)
        if state is not None and state.recorded_count is None:
            return self._known_as(arrived, opened, reading, state)
        file = _OpenFile(arrived, opened, reading, state)
        recording = _Recording(self._stores, self._actor, self._choice, file, self._rehearsed)
        try:
            for group in opened.groups(reading, recording.fate.recorded_count):
                began_at = time.monotonic()
                if not recording.record(group):
                    return self._known(reading, self._state(opened.digest))
                tell(len(group.reports))
                self._stores.rest(time.monotonic() - began_at)
        except Outage:
            raise
        except RuncardError as error:
            if self._choice.is_whole:
                recording.take_back()
            reason, lacks = lacking(error)
            refusal = Refusal(reading.name, reason, recording.fate.recorded_count)
            progress = recording.fate._replace(lacks=lacks)
            return self._refuse(arrived, opened.digest, refusal, progress)
        return recording.fate._replace(recorded_count=0)

    def _reading(self, opened: OpenedFile, place: str) -> Reading | None:
        with self._stores.database.read_in(self._actor.organization_id) as scope:
            return reading_of(
                scope,
                self._choice,
                opened.importer,
                self._client,
                place,
            )

    def _state(self, digest: bytes) -> ImportState | None:
        find = find_unfinished if self._choice.is_again else find_import_state
        with self._stores.database.read_in(self._actor.organization_id) as scope:
            return find(scope, digest)

    def _known_as(self, arrived: Arrived, opened: OpenedFile, reading: Reading, state: ImportState) -> Fate:
        """What becomes of a known file. If it must be whole, it is read, and refused if the chosen format cannot."""
        if self._choice.is_whole:
            try:
                next(opened.groups(reading))
            except RuncardError as error:
                return self._refuse(arrived, opened.digest, Refusal(reading.name, error.summary))
        return self._known(reading, state)

    def _known(self, reading: Reading, state: ImportState | None) -> Fate:
        if state is None:
            return Fate("known", reading.name)
        with self._stores.database.read() as connection:
            run_count = count_imported(connection, state.id)
        return Fate("known", reading.name, run_count, import_id=state.id)

    def _refuse(
        self, arrived: Arrived, digest: bytes, refusal: Refusal, progress: Fate | None = None
    ) -> Fate:
        before = progress or Fate("refused", refusal.importer)
        refused = before._replace(
            status="refused",
            recorded_count=refusal.recorded_count,
            reason=refusal.reason,
            import_id=before.import_id if refusal.recorded_count else None,
        )
        if self._choice.rehearses:
            return refused
        arrived.find_place(digest)

        def apply(tx: Transaction) -> UUID:
            attachment_id = arrived.keep(tx).id
            file = RefusedFile(digest, attachment_id, refusal, self._choice.kept, self._client.name)
            return quarantine_file(tx, self._actor, file)

        # If somebody has deleted the upload since it was read, there is nothing to keep.
        with suppress(AttachmentNotFound):
            refused = refused._replace(quarantined_id=self._stores.writer.write(self._actor, apply))
        return refused


def record_upload(
    stores: Stores, actor: Actor, upload: Upload, reading: Reading
) -> tuple[FileImport, Sequence[str]]:
    """Record all runs and repairs of an uploaded file or none, even if its content was imported before.

    Returns the import and its warnings; see `Fate`. Raises what `opened_upload` and `import_upload` raise, and what is
    wrong with the file.
    """
    with opened_upload(stores.blobs, upload) as file, stores.open_file(file) as opened:
        groups = list(opened.groups(reading))
        reports = [report for group in groups for report in group.reports]
        imported = ImportedFile(opened.digest, reading.name, upload.attachment_id)
    made = stores.writer.write(actor, lambda tx: import_upload(tx, actor, imported, upload.keep(tx), reports))
    return made, [warning for group in groups for warning in group.warnings]


class _OpenFile(NamedTuple):
    """A file that is being imported. state: None if nothing of its content was imported before."""

    arrived: Arrived
    opened: OpenedFile
    reading: Reading
    state: ImportState | None


class _Recording:
    """Records the groups of one file. fate: what became of the file so far."""

    def __init__(
        self,
        stores: Stores,
        actor: Actor,
        choice: ImportChoice,
        file: _OpenFile,
        rehearsed: Rehearsed | None,
    ) -> None:
        arrived, opened, reading, state = file
        self._stores = stores
        self._actor = actor
        self._choice = choice
        self._arrived = arrived
        self._digest = opened.digest
        self._importer = reading.name
        # A second import of known content has its own id from the start.
        self._under = (new_id() if state is None else state.id) if choice.is_again else None
        self._is_new = state is None
        self._imported: list[Imported] = []
        self._warnings: list[str] = []
        done = 0 if state is None else state.recorded_count or 0
        import_id = None if state is None else state.id
        self._repeated = RepeatedUnits(
            stores.database, actor.organization_id, self._file, reading.stating.place, rehearsed
        )
        self.fate = Fate("recorded", reading.name, recorded_count=done, import_id=import_id)

    def record(self, group: ReportGroup) -> bool:
        """Record a group. Returns False if the whole content was imported before. Raises what `import_group` raises."""
        self._repeated.look_at(group)
        if self._choice.rehearses:
            self._go_on(group, self._rehearse(group))
            return True
        # The bytes are stored before any report of them is recorded.
        self._arrived.find_place(self._digest)
        self._check_replaces(group)
        writer = self._stores.writer
        write = writer.write_catalog if self._choice.replaces else writer.write
        imported = write(self._actor, partial(self._apply, group))
        if imported is None:
            return False
        self._go_on(group, imported.recorded)
        self.fate = self.fate._replace(import_id=imported.import_id)
        if self._choice.is_whole:
            self._imported.append(imported)
        return True

    def _check_replaces(self, group: ReportGroup) -> None:
        """Check that a file that must be whole replaces runs in one transaction only. Raises InvalidInput.

        A replaced run cannot be brought back.
        """
        if self._choice.is_whole and self._choice.replaces and not (group.is_last and group.first == 0):
            raise InvalidInput.at(
                "replace",
                f"the file holds more than {GROUP_LIMITS.reports} reports and must be recorded whole; split it",
            )

    def take_back(self) -> None:
        """Remove what was recorded, last group first. If this is cut short, it is known how much is still recorded."""
        for imported in reversed(self._imported):
            take_back = partial(take_back_group, imported, self._arrived.attachment_id, is_new=self._is_new)
            self._stores.writer.write_catalog(self._actor, take_back)
        if self._imported:
            done = self._imported[0].first
            self.fate = self.fate._replace(run_count=0, repair_count=0, recorded_count=done, stated=())

    def _apply(self, group: ReportGroup, tx: Transaction) -> Imported | None:
        attachment, is_whole = self._arrived.keep(tx), self._choice.is_whole
        imported = import_group(
            tx,
            self._actor,
            self._file,
            attachment,
            group,
            ImportOptions(self._under, not is_whole, self._choice.on_earlier),
        )
        if imported is not None and is_whole and group.is_last:
            link_report(tx, attachment, [*self._imported, imported][0].recorded)
        return imported

    def _rehearse(self, group: ReportGroup) -> RecordedReport:
        outcome: list[RecordedReport] = []

        def apply(tx: Transaction) -> None:
            recorded = rehearse_group(tx, self._actor, self._file, group, self._choice.on_earlier)
            outcome.append(recorded)
            if not self.fate.rehearsed:
                runs = _rehearsed_runs(tx, group, recorded)
                self.fate = self.fate._replace(rehearsed=runs)
            raise _Rehearsed

        with suppress(_Rehearsed):
            self._stores.writer.write(self._actor, apply)
        return outcome[-1]

    @property
    def _file(self) -> ImportedFile:
        return ImportedFile(self._digest, self._importer, self._arrived.attachment_id)

    def _go_on(self, group: ReportGroup, recorded: RecordedReport) -> None:
        self._warnings += [*group.warnings, *map(_replaced, recorded.replaced)]
        self.fate = self.fate._replace(
            run_count=self.fate.run_count + len(recorded.run_ids),
            repair_count=self.fate.repair_count + len(recorded.repairs),
            recorded_count=group.end,
            stated=_counted(self.fate.stated, group),
            warnings=(*self._warnings, *self._repeated.warnings),
        )


def _replaced(earlier: EarlierRun) -> str:
    return f"Run {earlier.run_id} replaced run {earlier.earlier_id}, which has the same report."


def _counted(before: Sequence[tuple[str, int]], group: ReportGroup) -> tuple[tuple[str, int], ...]:
    """For how many runs each field was stated, with the runs of this group."""
    counts: Counter[str] = Counter(dict(before))
    for report in group.reports:
        if isinstance(report, PreparedRun):
            counts.update(report.stated)
    return tuple((field, counts[field]) for field in FIELDS if counts[field])


def _rehearsed_runs(
    tx: Transaction, group: ReportGroup, recorded: RecordedReport
) -> tuple[RehearsedRun, ...]:
    prepared = [report for report in group.reports if isinstance(report, PreparedRun)][:_MOST_SHOWN]
    found = read_runs(tx.scope, recorded.run_ids[:_MOST_SHOWN])
    return tuple(
        RehearsedRun(
            run.unit.serial_number,
            run.part.number,
            run.procedure.name,
            run.outcome,
            run.started_at,
            report.stated,
        )
        for run, report in zip(found, prepared, strict=True)
    )
