"""The checks of `runcard doctor`. Each yields its findings: what is wrong and how to mend it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import NamedTuple

from runcard.analytics.copy.engines.duckdb import CopyLocked, look_at
from runcard.auth.secret_keys import KEY_FILE, SecretKeyUnusable, read_keys
from runcard.cli.installation.private_files import open_to_all
from runcard.domain.actor import SystemActor
from runcard.intake.arrived_files import Stores
from runcard.intake.byte_removal import remove_noted
from runcard.opening import columns_address
from runcard.settings import Settings
from runcard.store.bin.check import check_bin
from runcard.store.commit.changes import last_seq
from runcard.store.commit.writer import Writer
from runcard.store.documents.document_store import PACK_ENDING
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import is_newest_schema
from runcard.store.engine.partitions import missing_months
from runcard.store.files.attachments import Attachment
from runcard.store.files.blobs import BlobEntry, Blobs
from runcard.store.files.bytes_to_remove import list_removals
from runcard.store.files.removal import KeptFile, delete_unneeded, is_abandoned, list_page
from runcard.store.installation.integrity import inspect_documents, list_faults
from runcard.store.moving.journal import is_closed
from runcard.store.people.organizations import list_organizations
from runcard.store.restoring.files import list_files_in_bin
from runcard.store.trail.check import check_records

_MIN_FREE_BYTES = 1 << 30
_OTHERS = 0o077
_PAGE = 500
# How long an upload may take.
GRACE = timedelta(days=1)


class Finding(NamedTuple):
    """A fault: the check that found it, what is wrong, and the mend."""

    check: str
    message: str
    mend: str


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    """Check that the data directory is writable, is private, and has room."""
    check, folder = "data directory", settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding(
            check,
            f"{folder} cannot be written to: {error.strerror}.",
            "Create it, or make it writable for the user that runs the server.",
        )
        return
    try:
        read_keys(settings.secret_key, folder)
    except SecretKeyUnusable as error:
        yield Finding(check, error.fault, error.mend)
    key = folder / KEY_FILE
    if key.exists() and key.stat().st_mode & _OTHERS:
        mode = key.stat().st_mode & 0o777
        yield Finding(check, f"Others may read {key}: its mode is {mode:04o}.", f"Run: chmod 600 '{key}'")
    for path in open_to_all(folder):
        if path == key:
            continue
        mode = path.stat().st_mode & 0o777
        yield Finding(
            check,
            f"Everybody on this machine may read {path}: its mode is {mode:04o}.",
            f"Run: chmod go= '{path}'. The next server does so too, unless the directory has files of other programs.",
        )
    free = shutil.disk_usage(folder).free
    if free < _MIN_FREE_BYTES:
        yield Finding(
            check,
            f"The disk of {folder} has {free // (1 << 20)} MiB left.",
            "Make room: on a full disk no run can be recorded.",
        )


def check_schema(database: Database) -> Iterator[Finding]:
    """Check that the database can be reached and has the tables of this version of Runcard."""
    if is_closed(database):
        yield Finding(
            "schema",
            "The SQLite file has moved to PostgreSQL, and database_url is not set.",
            "Set database_url to the URL of that database.",
        )
        return
    with database.read() as connection:
        if not is_newest_schema(connection):
            yield Finding(
                "schema",
                "The database has the schema of another version of Runcard.",
                "Back up, then start `runcard serve` of the newest version, which brings the schema up to date.",
            )


def check_database(database: Database) -> Iterator[Finding]:
    """Check that the database is sound."""
    mend = "Stop the server, keep a copy of the database as it is, and restore the last good backup."
    for fault in list_faults(database):
        yield Finding("database", f"{fault}.", mend)


def check_months(database: Database, now: datetime | None = None) -> Iterator[Finding]:
    """Check that PostgreSQL has a partition for the documents of this month."""
    if not database.is_postgresql:
        return
    with database.read() as connection:
        for month in missing_months(connection, now or datetime.now(UTC), ahead=0):
            yield Finding(
                "months",
                f"The documents of runs of {month:%Y-%m} have no partition, and lie in run_documents_default.",
                "Start a server, which makes it within the hour. If it does not, its log says why.",
            )


def check_documents(database: Database, tell: Callable[[int], None]) -> Iterator[Finding]:
    """Check that every run has a readable document. tell: called with the number of runs just checked."""
    for state in inspect_documents(database):
        tell(1)
        if not state.is_whole:
            what = "is damaged" if state.is_there else "is missing"
            yield Finding(
                "documents",
                f"The document of run {state.run_id} {what}.",
                "Restore it from a backup (table run_documents), or delete the run and report it again.",
            )


def check_trail(database: Database, tell: Callable[[int], None]) -> Iterator[Finding]:
    """Check that every record is what the audit trail says. tell: called with the number of records just checked."""
    with database.read() as connection:
        ids = [organization.id for organization in list_organizations(connection)]
    for organization_id in ids:
        with database.read_in(organization_id) as scope:
            for page in chain(check_records(scope), check_bin(scope)):
                tell(page.compared)
                for misfit in page.misfits:
                    yield Finding(
                        "records",
                        f"{misfit.noun.capitalize()} {misfit.thing_id}: {misfit.problem}.",
                        "Somebody changed the database past Runcard. Compare it with a backup, and run: runcard verify",
                    )


def state_of_copy(settings: Settings, database: Database) -> str:
    """The state of the columnar copy, as the end of a sentence about it. No state is a fault: the copy is rebuilt."""
    if not settings.columnar_copy:
        return "is turned off by `columnar_copy`"
    if settings.columns_url is not None:
        return f"is in {columns_address(settings.columns_url).place}, which was not asked"
    try:
        seen = look_at(settings.copy_path)
    except CopyLocked:
        return "belongs to a running server, which keeps it up to date"
    if seen is None:
        return "is missing or of another version; the next server builds it, or `runcard rebuild analytics`"
    with database.read() as connection:
        missing = last_seq(connection) - seen
    return f"lacks {missing} changes, which the next server adds" if missing else "is up to date"


class AttachmentCheck:
    """Compares the files of all attachments with their records."""

    def __init__(self, database: Database, blobs: Blobs, now: datetime | None = None) -> None:
        self._database = database
        self._blobs = blobs
        self._before = (now or datetime.now(UTC)) - GRACE
        # The files are listed before the rows are read, so every listed file of an attachment has its row.
        # Documents of old runs may be in the same store.
        self._unclaimed = {entry.key: entry for entry in blobs.list() if not entry.key.endswith(PACK_ENDING)}
        self.abandoned: list[Attachment] = []

    def check(self) -> Iterator[Finding]:
        """Check that every stored attachment has a file of the right size, and every file belongs to an attachment.

        Afterwards `abandoned` has the uploads that no run or unit uses, which is no fault.
        """
        for file in self._files():
            attachment = file.attachment
            entry = self._unclaimed.pop(attachment.blob_key, None)
            if is_abandoned(file, self._before):
                self.abandoned.append(attachment)
            elif attachment.stored_at is not None:
                yield from self._compare(attachment, entry)
        with self._database.read() as connection:
            for attachment in list_files_in_bin(connection):
                entry = self._unclaimed.pop(attachment.blob_key, None)
                if attachment.stored_at is not None:
                    yield from self._compare(attachment, entry)
            # The next sweep removes them.
            for _, key in list_removals(connection):
                self._unclaimed.pop(key, None)
        for orphan in self.orphans:
            if self._blobs.find(orphan.key) is None:
                # A running server has removed it since it was listed.
                del self._unclaimed[orphan.key]
                continue
            yield Finding(
                "attachments",
                f"File {orphan.key} ({orphan.size_bytes} bytes) belongs to no attachment.",
                "Run: runcard doctor --mend",
            )

    @property
    def orphans(self) -> list[BlobEntry]:
        """The files that belong to nothing and are too old to be part of a running upload."""
        return [entry for entry in self._unclaimed.values() if entry.modified_at < self._before]

    def clear(self, writer: Writer) -> int:
        """Remove the files and uploads that `check` found to belong to nothing. Return how many."""
        orphans = self.orphans
        for orphan in orphans:
            self._blobs.delete(orphan.key)
            del self._unclaimed[orphan.key]
        removed = len(orphans)
        for attachment in self.abandoned:
            forget = partial(delete_unneeded, attachment_ids=[attachment.id])
            removed += len(
                writer.write(SystemActor(attachment.organization_id, "runcard doctor --mend"), forget)
            )
        for organization_id in {attachment.organization_id for attachment in self.abandoned}:
            remove_noted(Stores(self._database, writer, self._blobs), organization_id)
        self.abandoned = []
        return removed

    def _files(self) -> Iterator[KeptFile]:
        page: list[KeptFile] = []
        while True:
            with self._database.read() as connection:
                page = list(list_page(connection, page[-1].attachment.id if page else None, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return

    def _compare(self, attachment: Attachment, entry: BlobEntry | None) -> Iterator[Finding]:
        stored = entry or self._blobs.find(attachment.blob_key)
        owners = (("run", attachment.run_id), ("unit", attachment.unit_id))
        owner = next((f" of {noun} {owner_id}" for noun, owner_id in owners if owner_id), "")
        name = f"{attachment.name!r}{owner}"
        mend = f"Restore {attachment.blob_key} from a backup, or attach the file again."
        if stored is None:
            yield Finding("attachments", f"The file of attachment {name} is missing.", mend)
        elif stored.size_bytes != attachment.size_bytes:
            yield Finding(
                "attachments",
                f"The file of attachment {name} has {stored.size_bytes} bytes but should have {attachment.size_bytes}.",
                mend,
            )
