"""The bytes of attachments, out of their store into a folder and back, under their keys."""

import os
from collections.abc import Iterable
from pathlib import Path

from runcard.cli.copies.checksums import shown
from runcard.store.files.blobs import Blobs


def copy_blobs(blobs: Blobs, keys: Iterable[str], folder: Path) -> tuple[int, list[str]]:
    """How many were copied, and the keys of those that are not there."""
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
    """How many files of a folder were put back, or of one folder below it."""
    count = 0
    files = (path for path in sorted((folder / below).rglob("*")) if path.is_file())
    for path in shown(files, "Restoring attachments"):
        with path.open("rb") as content:
            blobs.write(path.relative_to(folder).as_posix(), content)
        count += 1
    return count
