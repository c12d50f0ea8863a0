"""Report files on their way in: their format is told from their content, they are recorded in groups, and those that
are refused go to quarantine.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from os import SEEK_END
from typing import BinaryIO, Literal, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.domain.actor import Actor
from runcard.domain.errors import (
    InvalidInput,
    Outage,
    PayloadTooLarge,
    RuncardError,
    UnreadableReport,
)
from runcard.domain.ids import new_id
from runcard.domain.repair import RepairReport
from runcard.domain.report import RunReport
from runcard.edge.file_choices import NO_FORMAT, Choice, Reading, reading_of
from runcard.importers.formats import TABULAR
from runcard.ingest.file_content import Content, open_content, packed_digest
from runcard.ingest.import_groups import Group, import_group, in_groups, rehearse_group
from runcard.ingest.quarantine_file import quarantine_file
from runcard.ingest.record_run import RunClient
from runcard.ingest.told_reports import Recorded
from runcard.store.attachments import Attachment, create_attachment, find_attachments, mark_stored
from runcard.store.blobs import BlobMeta, Blobs, blob_key
from runcard.store.creator import Creator
from runcard.store.database import Database
from runcard.store.file_imports import ImportedFile, ImportState, count_imported, find_import_state
from runcard.store.quarantine import Refusal, find_quarantined
from runcard.store.transaction import Transaction
from runcard.store.writer import Writer

Report = RunReport | RepairReport


class Stores(NamedTuple):
    database: Database
    writer: Writer
    blobs: Blobs


class Fate(NamedTuple):
    """What has become of a file.

    status: known: its content had been imported before; refused: all of it, or what comes after `recorded_count`
        reports; strange: it is of no format that is read.
    run_count, repair_count: what was recorded of it now; of a known one, the runs that there are.
    recorded_count: how many of its reports are recorded by now, where not all are.
    import_id: of what is recorded of it, by now or before. quarantined_id: what it is known by in quarantine.
    """

    status: Literal["recorded", "known", "refused", "strange"]
    importer: str | None = None
    run_count: int = 0
    repair_count: int = 0
    recorded_count: int = 0
    reason: str | None = None
    import_id: UUID | None = None
    quarantined_id: UUID | None = None


class _Rehearsed(Exception):
    """Undoes what was only tried."""


class ReportFiles:
    """Brings in files of one person or station. client: the program that does, noted in the runs."""

    def __init__(self, stores: Stores, actor: Actor, client: RunClient, choice: Choice) -> None:
        self._stores = stores
        self._actor = actor
        self._client = client
        self._choice = choice

    def bring_in(self, name: str, file: BinaryIO, tell: Callable[[int], None] = lambda _: None) -> Fate:
        """What becomes of a file, which must be able to seek. tell: hears of each group how many reports it had.

        Raises StorageUnavailable, and PermissionDenied for a viewer.
        """
        arrival = _Arrival(self._stores, self._actor, name, file)
        try:
            with open_content(file) as content:
                return self._import(arrival, content, tell)
        except (PayloadTooLarge, UnreadableReport) as error:
            return self._refuse(arrival, packed_digest(file), Refusal(None, error.summary))

    def _import(self, arrival: "_Arrival", content: Content, tell: Callable[[int], None]) -> Fate:
        try:
            found = self._reading(content)
        except RuncardError as error:
            return self._refuse(arrival, content.digest, Refusal(TABULAR, error.summary))
        if found is None:
            if not self._choice.keeps_strange:
                return Fate("strange", reason=NO_FORMAT)
            return self._refuse(arrival, content.digest, Refusal(None, NO_FORMAT))
        state = self._state(content.digest)
        if state is not None and state.recorded_count is None:
            return self._known(found, state)
        done = 0 if state is None else state.recorded_count or 0
        progress = Fate("recorded", found.name, recorded_count=done)
        try:
            for group in self._groups(arrival, found, content, done):
                recorded = self._record(arrival, content, found, group)
                if recorded is None:
                    return self._known(found, self._state(content.digest))
                tell(len(group.told))
                progress = _after(progress, group, recorded)
        except Outage:
            raise
        except RuncardError as error:
            refusal = Refusal(found.name, error.summary, progress.recorded_count)
            return self._refuse(arrival, content.digest, refusal, progress)
        return progress._replace(recorded_count=0, import_id=self._import_id(content.digest))

    def _record(self, arrival: "_Arrival", content: Content, found: Reading, group: Group) -> Recorded | None:
        file = ImportedFile(content.digest, found.name, arrival.attachment_id)
        if self._choice.rehearses:
            return self._rehearse(file, group)
        return self._stores.writer.run(
            lambda tx: import_group(tx, self._actor, file, arrival.keep(tx), group), changes_catalog=False
        )

    def _rehearse(self, file: ImportedFile, group: Group) -> Recorded:
        outcome: list[Recorded] = []

        def apply(tx: Transaction) -> None:
            outcome.append(rehearse_group(tx, self._actor, file, group))
            raise _Rehearsed

        with suppress(_Rehearsed):
            self._stores.writer.run(apply, changes_catalog=False)
        return outcome[-1]

    def _reading(self, content: Content) -> Reading | None:
        with self._stores.database.read() as connection:
            return reading_of(connection, self._actor.organization_id, self._choice, content.file)

    def _state(self, digest: bytes) -> ImportState | None:
        with self._stores.database.read() as connection:
            return find_import_state(connection, self._actor.organization_id, digest)

    def _import_id(self, digest: bytes) -> UUID | None:
        state = None if self._choice.rehearses else self._state(digest)
        return None if state is None else state.id

    def _known(self, found: Reading, state: ImportState | None) -> Fate:
        if state is None:
            return Fate("known", found.name)
        with self._stores.database.read() as connection:
            run_count = count_imported(connection, state.id)
        return Fate("known", found.name, run_count, import_id=state.id)

    def _groups(self, arrival: "_Arrival", found: Reading, content: Content, first: int) -> Iterable[Group]:
        """The groups of a file, whose bytes are kept by then.

        One that is larger than a group is read to its end before the first is told, so that all that can be said
        against it without the record is said before any of it is recorded.
        """
        groups = self._told(found, content, first)
        group = next(groups)
        for _ in groups:
            pass
        if not self._choice.rehearses:
            # Between two readings: it moves the file.
            arrival.find_place(content.digest)
        return [group] if group.is_last else self._told(found, content, first)

    def _told(self, found: Reading, content: Content, first: int) -> Iterator[Group]:
        content.file.seek(0)
        return in_groups(map(self._chosen, found.parse(content.file)), self._client, first)

    def _chosen(self, report: Report) -> Report:
        if isinstance(report, RepairReport):
            return report
        if self._choice.procedure is None and not report.procedure:
            raise InvalidInput.at("procedure", "the file names none; name the one that its runs are of")
        if self._choice.procedure is not None:
            report = replace(report, procedure=self._choice.procedure, procedure_is_name=False)
        if report.part_number is None and self._choice.part_number is not None:
            report = replace(report, part_number=self._choice.part_number)
        return report

    def _refuse(
        self, arrival: "_Arrival", digest: bytes, refusal: Refusal, progress: Fate | None = None
    ) -> Fate:
        before = progress or Fate("refused", refusal.importer)
        refused = before._replace(
            status="refused",
            recorded_count=refusal.recorded_count,
            reason=refusal.reason,
            import_id=self._import_id(digest) if refusal.recorded_count else None,
        )
        if self._choice.rehearses:
            return refused
        arrival.find_place(digest)

        def apply(tx: Transaction) -> UUID:
            kept, said = arrival.keep(tx).id, self._choice.said
            return quarantine_file(
                tx, self._actor, digest, kept, refusal, client=self._client.name, said=said
            )

        return refused._replace(quarantined_id=self._stores.writer.run(apply, changes_catalog=False))


class _Arrival:
    """One file, and where its bytes are kept once something needs them."""

    def __init__(self, stores: Stores, actor: Actor, name: str, file: BinaryIO) -> None:
        self._stores = stores
        self._actor = actor
        self._name = name
        self._file = file
        self._meta: BlobMeta | None = None
        self._is_placed = False
        self.attachment_id = new_id()

    def find_place(self, digest: bytes) -> None:
        """Find the attachment that holds the content already, or put the bytes where a new one will."""
        if self._is_placed:
            return
        self._is_placed = True
        home = self._actor.organization_id
        with self._stores.database.read() as connection:
            state = find_import_state(connection, home, digest)
            kept = (state and state.attachment_id) or find_quarantined(connection, home, digest)
        if kept is not None:
            self.attachment_id = kept
            return
        size_bytes = self._file.seek(0, SEEK_END)
        self._file.seek(0)
        self._stores.blobs.write(blob_key(home, self.attachment_id), self._file)
        self._meta = BlobMeta(size_bytes, None)

    def keep(self, tx: Transaction) -> Attachment:
        """The attachment, made where it is not there yet."""
        home = self._actor.organization_id
        known = find_attachments(tx.connection, home, [self.attachment_id]).get(self.attachment_id)
        if known is not None:
            return known
        made = create_attachment(
            tx,
            home,
            self._name,
            content_type=None,
            declared_bytes=None,
            creator=Creator.of(self._actor),
            attachment_id=self.attachment_id,
        )
        return made if self._meta is None else mark_stored(tx, made, self._meta)


def _after(progress: Fate, group: Group, recorded: Recorded) -> Fate:
    return progress._replace(
        run_count=progress.run_count + len(recorded.run_ids),
        repair_count=progress.repair_count + len(recorded.repairs),
        recorded_count=group.end,
    )
