"""Who may read a data directory: its owner, and its group where somebody has chosen that.

Somebody has, where the directory is open to its group and not to everybody: what the usual umask of 022 makes is open
to both, and nobody chose it.
"""

import logging
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from runcard.auth.secret_keys import KEY_FILE

_log = logging.getLogger(__name__)

# All that Runcard keeps in a data directory, and what a file system does.
_OURS = (
    "runcard.sqlite3*",
    "activity.sqlite3*",
    "analytics.duckdb*",
    "attachments",
    f"{KEY_FILE}*",
    "runcard.toml",
    "serve.lock",
    "demo-access.json",
)
_OF_THE_DISK = ("lost+found",)
_GROUP, _OTHERS = 0o070, 0o007


def keep_private(data_dir: Path) -> None:
    """Close what this process makes from now on to others, and what is open to everybody by now, which is logged.

    A directory that holds more than Runcard's own files stays as it is, as others may need it.
    """
    closed = [path for path in open_to_all(data_dir) if _is_ours(path, data_dir) and _close(path)]
    if closed:
        _log.warning(
            "everybody on this machine could read %s: closed to all but the owner. To let a group read, see 'Who may "
            "read it' in docs/guide/operations.md",
            ", ".join(map(str, closed)),
        )
    os.umask(_OTHERS | (_GROUP & ~_chosen_for_group(data_dir)))


def open_to_all(data_dir: Path) -> Iterator[Path]:
    """A directory that everybody on the machine may enter, and what they may read or enter of Runcard's in it."""
    if not data_dir.is_dir() or not _mode(data_dir) & _OTHERS:
        return
    for path in (data_dir, *sorted(path for path in data_dir.iterdir() if _matches(path, _OURS))):
        if _mode(path) & _OTHERS:
            yield path


def _is_ours(path: Path, data_dir: Path) -> bool:
    if path != data_dir:
        return True
    is_shared = bool(_mode(path) & stat.S_ISVTX)
    return not is_shared and all(_matches(one, (*_OURS, *_OF_THE_DISK)) for one in data_dir.iterdir())


def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def _chosen_for_group(data_dir: Path) -> int:
    mode = _mode(data_dir) if data_dir.is_dir() else 0
    return 0 if mode & _OTHERS else mode & _GROUP


def _close(path: Path) -> bool:
    """Whether it is closed now: another owner's file is not, and is found by `doctor`."""
    try:
        path.chmod(_mode(path) & ~(_GROUP | _OTHERS))
    except (FileNotFoundError, PermissionError):
        return False
    return True


def _mode(path: Path) -> int:
    """None of it where the file has gone meanwhile, as those beside a SQLite file do."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return 0
