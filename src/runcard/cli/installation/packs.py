"""Whether the document store has all that left the database, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

from runcard.cli.installation.checkup import GRACE, Finding
from runcard.store.documents.document_store import DocumentStore
from runcard.store.documents.moving import list_emptied_keys, list_packs
from runcard.store.documents.reading import check_moved
from runcard.store.engine.database import Database
from runcard.store.files.blobs import BlobEntry
from runcard.store.people.organizations import list_organizations

_CHECK = "document store"
_RESTORE = (
    "Check `documents_url`, or bring the file back from a backup; else delete the run and report it again."
)


class PackCheck:
    """Compares the packs in the document store with what the database says of them."""

    def __init__(self, database: Database, documents: DocumentStore, now: datetime | None = None) -> None:
        self._database = database
        self._documents = documents
        self._before = (now or datetime.now(UTC)) - GRACE
        self.orphans: list[BlobEntry] = []

    def check(self) -> Iterator[Finding]:
        """Check that every moved document can be read, and that every pack belongs to something.

        Where nothing has moved, no store is looked at, unless the settings name one.
        """
        with self._database.read() as connection:
            packs = list_packs(connection)
            ids = [organization.id for organization in list_organizations(connection)]
        for organization_id in ids if packs else ():
            with self._database.read_in(organization_id) as scope:
                for page in check_moved(scope):
                    for misfit in page.misfits:
                        yield Finding(_CHECK, f"Run {misfit.thing_id}: {misfit.problem}.", _RESTORE)
        self._find_orphans()
        for orphan in self.orphans:
            yield Finding(
                _CHECK,
                f"File {orphan.key} ({orphan.size_bytes} bytes) belongs to no run.",
                "Run: runcard doctor --mend",
            )

    def clear(self) -> int:
        """Remove the packs that belong to nothing and are too old to be just being moved. Return how many."""
        self._find_orphans()
        for orphan in self.orphans:
            self._documents.blobs.delete(orphan.key)
        return len(self.orphans)

    def _find_orphans(self) -> None:
        # The files are listed before the rows are read, so that each file of a row is among these.
        old = [entry for entry in self._documents.list_packs() if entry.modified_at < self._before]
        with self._database.read() as connection:
            known = {key for key, _ in list_packs(connection)} | {*list_emptied_keys(connection)}
        self.orphans = [entry for entry in old if entry.key not in known]
