"""The key that signs heads, from the settings or from a file in the data directory, and what it signs.

It is an Ed25519 key in PEM (PKCS 8, without a password), as `openssl genpkey -algorithm ed25519` prints one.
"""

import hashlib
import stat
from datetime import UTC
from pathlib import Path

import rfc8785
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from runcard.domain.proof.head import Head, SignedHead
from runcard.domain.proof.merkle import HASH_BYTES
from runcard.store.files.secret_files import make_secret

KEY_FILE = "signing.key"
HEAD_FORMAT = "runcard-head/1"
# The largest whole number that every reader of JSON takes as it is (RFC 8785, and RFC 7493 that it refers to).
MOST_ENTRIES = 2**53 - 1

_PEM = "-----BEGIN"
# A key takes about 120 bytes.
_MOST_BYTES = 16 * 1024
_MEND = (
    "Give the PEM text of an Ed25519 key, or the path of a file with it, such as `openssl genpkey -algorithm ed25519` "
    f"prints, or leave the setting out: the server then keeps a key in {KEY_FILE} of its data directory."
)
_MEND_FILE = (
    "Restore the file from a backup, or remove it: the next server then makes a new key. Heads signed with the old one "
    "stay valid for those who kept its public key."
)


class SigningKeyUnusable(Exception):
    """The key that signs heads cannot be used. fault: what is wrong; it quotes no key."""

    def __init__(self, fault: str, mend: str) -> None:
        super().__init__(f"{fault} {mend}")
        self.fault = fault
        self.mend = mend


class SigningKey:
    """Signs heads. public_key: its 32 bytes, for everybody to know. key_id: its short name."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public_key)

    def sign(self, head: Head) -> SignedHead:
        """The head with its signature. Raises ValueError for a head that no tree has."""
        return SignedHead(head, self.key_id, self.public_key, self._key.sign(canonical(head)))


def open_signing_key(given: str | None, data_dir: Path) -> SigningKey:
    """The key of the settings, else that of the key file, which is made if it is missing.

    given: the PEM text, or the path of a file with it. Raises SigningKeyUnusable.
    """
    path = data_dir / KEY_FILE
    if given is None and not path.exists():
        make_secret(path, _new_pem())
    key = read_signing_key(given, data_dir)
    assert key is not None
    return key


def read_signing_key(given: str | None, data_dir: Path) -> SigningKey | None:
    """The same key as `open_signing_key`, but None if the key file is missing. Raises SigningKeyUnusable."""
    path = key_path(given, data_dir)
    if path is None:
        return _parsed("signing_key", (given or "").encode(), _MEND)
    if given is None and not path.exists():
        return None
    mend = _MEND_FILE if given is None else _MEND
    return _parsed(str(path), _content(path, mend), mend)


def key_path(given: str | None, data_dir: Path) -> Path | None:
    """The file that holds the key; None if the setting is the key itself."""
    if given is None:
        return data_dir / KEY_FILE
    return None if given.lstrip().startswith(_PEM) or not given.strip() else Path(given)


def is_open_to_others(path: Path) -> bool:
    """Whether others than the owner of a key file, and its group, may read it. False if there is no such file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except FileNotFoundError:
        return False


def key_id(public_key: bytes) -> str:
    """A short name for a key: the first 16 hexadecimal digits of the SHA-256 of its public half."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def canonical(head: Head) -> bytes:
    """The bytes of a head that are signed, as RFC 8785 writes JSON. Raises ValueError for a head of no tree."""
    if not 0 <= head.tree_size <= MOST_ENTRIES:
        raise ValueError(f"tree_size {head.tree_size} is no size of a tree; it is 0 to {MOST_ENTRIES}")
    if len(head.root) != HASH_BYTES:
        raise ValueError(f"root has {len(head.root)} bytes; a root has {HASH_BYTES}")
    if head.signed_at.tzinfo is None:
        raise ValueError(f"signed_at {head.signed_at} has no time zone; give it in UTC")
    moment = head.signed_at.astimezone(UTC).replace(tzinfo=None)
    return rfc8785.dumps(
        {
            "format": HEAD_FORMAT,
            "organization_id": str(head.organization_id),
            "tree_size": head.tree_size,
            "root": head.root.hex(),
            "signed_at": moment.isoformat(timespec="microseconds") + "Z",
        }
    )


def is_signed(signed: SignedHead) -> bool:
    """Whether the signature is that of the head's own public key. Whose key that is, is for the caller to know."""
    if key_id(signed.public_key) != signed.key_id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(signed.public_key).verify(signed.signature, canonical(signed.head))
    except (InvalidSignature, ValueError):
        return False
    return True


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _content(path: Path, mend: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise SigningKeyUnusable(f"{path} cannot be read: {error}.", mend) from error


def _parsed(source: str, pem: bytes, mend: str) -> SigningKey:
    if not pem.strip():
        raise SigningKeyUnusable(f"{source} is empty.", mend)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise SigningKeyUnusable(
            f"{source} has a key with a password; it needs one without.", mend
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyUnusable(
            f"{source} holds something other than a private key in PEM.", mend
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnusable(f"{source} has a key of another kind; it needs an Ed25519 key.", mend)
    return SigningKey(key)
