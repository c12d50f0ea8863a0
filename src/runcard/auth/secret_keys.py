"""The keys that sign links and forms: those of the settings, or those of a file in the data directory, one a line.

The newest comes first and signs. All are believed, so that what was signed before a key is replaced works on.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runcard.store.files.blobs import make_durable

KEY_FILE = "secret.key"
LEAST_CHARACTERS = 32

_MEND = (
    f"Use one of at least {LEAST_CHARACTERS} characters, such as `openssl rand -hex 32` prints, or leave it out: then "
    f"a server keeps one in {KEY_FILE} of its data directory."
)
_MEND_FILE = (
    "Restore it from a backup, or remove it: the next server makes a new one, and links and forms that are out stop "
    "working."
)


class SecretKeyUnusable(Exception):
    """Whoever can guess a key can forge links. fault: what is wrong, never with the key itself."""

    def __init__(self, fault: str, mend: str) -> None:
        super().__init__(f"{fault} {mend}")
        self.fault = fault
        self.mend = mend


def open_keys(given: str | None, data_dir: Path) -> Sequence[str]:
    """The keys that the settings give, else those of the key file, which is made where there is none.

    Raises SecretKeyUnusable.
    """
    path = data_dir / KEY_FILE
    if given is None and not path.exists():
        _make(path)
    return read_keys(given, data_dir)


def read_keys(given: str | None, data_dir: Path) -> Sequence[str]:
    """As `open_keys`; none where there is no key file. Raises SecretKeyUnusable."""
    if given is not None:
        return _checked("secret_key", given.split(","), _MEND)
    path = data_dir / KEY_FILE
    if not path.exists():
        return ()
    try:
        return _checked(str(path), path.read_text("ascii").splitlines(), _MEND_FILE)
    except UnicodeDecodeError as error:
        raise SecretKeyUnusable(f"{path} holds something else than keys.", _MEND_FILE) from error


def key_id(key: str) -> str:
    """What people tell a key by, on several hosts too. It tells nothing of the key."""
    return hashlib.sha256(b"runcard key id:" + key.encode()).hexdigest()[:8]


def new_key() -> str:
    return secrets.token_urlsafe(48)


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Put these keys in place of those of a key file."""
    _written(path, keys).replace(path)
    make_durable(path)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _written(path, [new_key()])
    # Of several processes that start at once, one names its key and all read that.
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    make_durable(path)


def _written(path: Path, keys: Sequence[str]) -> Path:
    """A file beside that one with these keys, readable by its owner only, and on the disk."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as file:
        file.writelines(f"{key}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _checked(source: str, lines: Sequence[str], mend: str) -> Sequence[str]:
    keys = [line.strip() for line in lines if line.strip()]
    if not keys:
        raise SecretKeyUnusable(f"{source} is empty.", mend)
    shortest = min(map(len, keys))
    if shortest < LEAST_CHARACTERS:
        raise SecretKeyUnusable(
            f"{source} has a key of {shortest} characters; {LEAST_CHARACTERS} are the least.", mend
        )
    return keys
