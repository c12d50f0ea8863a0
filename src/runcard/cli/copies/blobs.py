"""Copy attachments and packs of documents from their stores to a folder and back. The file names are their keys."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from runcard.cli.copies.checksums import shown
from runcard.store.documents.document_store import DocumentStore
from runcard.store.documents.moving import list_packs
from runcard.store.engine.database import Connection
from runcard.store.files.blobs import Blobs

# In a backup, and in an exported organization.
ATTACHMENTS = "attachments"
DOCUMENTS = "documents"


def copy_blobs(
    blobs: Blobs, keys: Iterable[str], folder: Path, what: str = ATTACHMENTS
) -> tuple[int, list[str]]:
    """Copy blobs to a folder. Return how many were copied, and the keys that have no file. what: they are."""
    count, missing = 0, []
    for key in shown(keys, f"Copying {what}"):
        pieces = blobs.stream(key)
        if pieces is None:
            missing.append(key)
            continue
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            os.fsync(file.fileno())
        count += 1
    return count, missing


def copy_documents(
    store: DocumentStore, connection: Connection, folder: Path, organization_id: UUID | None = None
) -> list[str]:
    """Copy the packs of documents to a folder, if there are any. Return the keys of those that have no file.

    organization_id: None: those of all organizations.
    """
    keys = [key for key, _ in list_packs(connection, organization_id)]
    return copy_blobs(store.blobs, keys, folder, DOCUMENTS)[1] if keys else []


def put_back_documents(store: DocumentStore, folder: Path, below: str = "") -> None:
    """Write the packs in a folder, or in one folder below it, back to the store, if there are any."""
    if folder.exists():
        put_back_blobs(store.blobs, folder, below)


def put_back_blobs(blobs: Blobs, folder: Path, below: str = "") -> int:
    """Write the files of a folder, or of one folder below it, back to the store. Return how many."""
    count = 0
    files = (path for path in sorted((folder / below).rglob("*")) if path.is_file())
    for path in shown(files, f"Restoring {folder.name}"):
        with path.open("rb") as content:
            blobs.write(path.relative_to(folder).as_posix(), content)
        count += 1
    return count
