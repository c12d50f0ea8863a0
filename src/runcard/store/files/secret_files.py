"""Files that only their owner may read, such as keys in a data directory."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from runcard.store.files.blobs import make_durable


def make_secret(path: Path, content: bytes) -> None:
    """Make a file with this content, and its folder, unless it is there: of several processes, the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _written(path, content)
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    make_durable(path)


def replace_secret(path: Path, content: bytes) -> None:
    """Give a file this content, all at once."""
    _written(path, content).replace(path)
    make_durable(path)


def _written(path: Path, content: bytes) -> Path:
    """Write the content to a new file beside the path, readable by its owner only and synced; return its path."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh
