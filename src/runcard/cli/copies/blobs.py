"""Copy the bytes of attachments from their store to a folder and back. The file names are their keys."""

import os
from collections.abc import Iterable
from pathlib import Path

from runcard.cli.copies.checksums import shown
from runcard.store.files.blobs import Blobs


def copy_blobs(blobs: Blobs, keys: Iterable[str], folder: Path) -> tuple[int, list[str]]:
    """Copy attachments to a folder. Return how many were copied, and the keys that have no file."""
    count, missing = 0, []
    for key in shown(keys, "Copying attachments"):
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


def put_back_blobs(blobs: Blobs, folder: Path, below: str = "") -> int:
    """Write the files of a folder, or of one folder below it, back to the store. Return how many."""
    count = 0
    files = (path for path in sorted((folder / below).rglob("*")) if path.is_file())
    for path in shown(files, "Restoring attachments"):
        with path.open("rb") as content:
            blobs.write(path.relative_to(folder).as_posix(), content)
        count += 1
    return count
