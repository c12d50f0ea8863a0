"""Keep a data directory private: readable for its owner, and for its group only if somebody has chosen that.

A directory that is open to its group but not to everybody was chosen to be so. One that is open to both was not: that
is what the usual umask of 022 makes.
"""

import logging
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from runcard.auth.secret_keys import KEY_FILE
from runcard.evidence.head_files import HEADS_FILE
from runcard.evidence.signing import KEY_FILE as SIGNING_KEY_FILE

_log = logging.getLogger(__name__)

# Everything that Runcard keeps in a data directory; and below, what a file system keeps there.
_OURS = (
    "runcard.sqlite3*",
    "activity.sqlite3*",
    "analytics.duckdb*",
    "attachments",
    f"{KEY_FILE}*",
    f"{SIGNING_KEY_FILE}*",
    HEADS_FILE,
    "runcard.toml",
    "serve.lock",
    "demo-access.json",
)
_OF_THE_DISK = ("lost+found",)
_GROUP, _OTHERS = 0o070, 0o007


def keep_private(data_dir: Path) -> None:
    """Make the files private that everybody can read now, which is logged, and all files that this process creates.

    A directory with files of other programs stays as it is, because these programs may need it.
    """
    closed = [path for path in open_to_all(data_dir) if _is_ours(path, data_dir) and _close(path)]
    if closed:
        _log.warning(
            "everybody on this machine could read %s: now only the owner can. To let a group read, see 'Who may read "
            "it' in docs/guide/operations.md",
            ", ".join(map(str, closed)),
        )
    os.umask(_OTHERS | (_GROUP & ~_chosen_for_group(data_dir)))


def open_to_all(data_dir: Path) -> Iterator[Path]:
    """The data directory, if everybody on the machine may enter it, and those of Runcard's files that they may read."""
    if not data_dir.is_dir() or not _mode(data_dir) & _OTHERS:
        return
    for path in (data_dir, *sorted(path for path in data_dir.iterdir() if _matches(path, _OURS))):
        if _mode(path) & _OTHERS:
            yield path


def _is_ours(path: Path, data_dir: Path) -> bool:
    if path != data_dir:
        return True
    is_shared = bool(_mode(path) & stat.S_ISVTX)
    return not is_shared and all(_matches(file, (*_OURS, *_OF_THE_DISK)) for file in data_dir.iterdir())


def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def _chosen_for_group(data_dir: Path) -> int:
    mode = _mode(data_dir) if data_dir.is_dir() else 0
    return 0 if mode & _OTHERS else mode & _GROUP


def _close(path: Path) -> bool:
    """Make a path private, and return whether that worked. Another owner's file stays open, and `doctor` finds it."""
    try:
        path.chmod(_mode(path) & ~(_GROUP | _OTHERS))
    except (FileNotFoundError, PermissionError):
        return False
    return True


def _mode(path: Path) -> int:
    """The permissions of a path; 0 where the file is gone, as files beside a SQLite file may be."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return 0
