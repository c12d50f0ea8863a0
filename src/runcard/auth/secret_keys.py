"""The keys that sign links and forms: from the settings, or from a file in the data directory, one per line.

The newest key comes first and signs. All keys are accepted, so that links signed before a key change still work.
"""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from runcard.store.files.secret_files import make_secret, replace_secret

KEY_FILE = "secret.key"
LEAST_CHARACTERS = 32

_MEND = (
    f"Use a key of at least {LEAST_CHARACTERS} characters, such as `openssl rand -hex 32` prints, or leave secret_key "
    f"out: the server then keeps a key in {KEY_FILE} of its data directory."
)
_MEND_FILE = (
    "Restore the file from a backup, or remove it: the next server then makes a new key, and links and forms signed "
    "with the old one stop working."
)


class SecretKeyUnusable(Exception):
    """A secret key is unusable: if it can be guessed, links can be forged. fault: what is wrong; it quotes no key."""

    def __init__(self, fault: str, mend: str) -> None:
        super().__init__(f"{fault} {mend}")
        self.fault = fault
        self.mend = mend


def open_keys(given: str | None, data_dir: Path) -> Sequence[str]:
    """The keys of the settings, else those of the key file, which is made if it is missing.

    Raises SecretKeyUnusable.
    """
    path = data_dir / KEY_FILE
    if given is None and not path.exists():
        make_secret(path, _lines([new_key()]))
    return read_keys(given, data_dir)


def read_keys(given: str | None, data_dir: Path) -> Sequence[str]:
    """The same keys as `open_keys`, but empty if the key file is missing. Raises SecretKeyUnusable."""
    if given is not None:
        return _checked("secret_key", given.split(","), _MEND)
    path = data_dir / KEY_FILE
    if not path.exists():
        return ()
    try:
        return _checked(str(path), path.read_text("ascii").splitlines(), _MEND_FILE)
    except UnicodeDecodeError as error:
        raise SecretKeyUnusable(f"{path} holds something other than keys.", _MEND_FILE) from error


def key_id(key: str) -> str:
    """A short name for a key, the same on every host. It reveals nothing of the key."""
    return hashlib.sha256(b"runcard key id:" + key.encode()).hexdigest()[:8]


def new_key() -> str:
    return secrets.token_urlsafe(48)


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Replace the keys in a key file by these."""
    replace_secret(path, _lines(keys))


def _lines(keys: Sequence[str]) -> bytes:
    return "".join(f"{key}\n" for key in keys).encode("ascii")


def _checked(source: str, lines: Sequence[str], mend: str) -> Sequence[str]:
    keys = [line.strip() for line in lines if line.strip()]
    if not keys:
        raise SecretKeyUnusable(f"{source} is empty.", mend)
    shortest = min(map(len, keys))
    if shortest < LEAST_CHARACTERS:
        raise SecretKeyUnusable(
            f"{source} has a key of {shortest} characters; it needs at least {LEAST_CHARACTERS}.", mend
        )
    return keys
