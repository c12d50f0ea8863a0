"""The public keys that whoever checks trusts: given with --key, or none."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from runcard_verify.errors import DoesNotFit, Unreadable, shown
from runcard_verify.fields import from_base64
from runcard_verify.head import Head
from runcard_verify.strict_json import read_bytes

_KEY_BYTES = 32
_MOST_BYTES = 64 * 1024
_MEND = "give the server's public key in Base64, or a file with it in Base64 or PEM"


def trusted_keys(given: Sequence[str]) -> frozenset[bytes]:
    """The keys that are given, each in Base64 or as the path of a file. Raises Unreadable."""
    return frozenset(key for one in given for key in _keys_of(one))


def check_trust(head: Head, trusted: frozenset[bytes]) -> None:
    """Raise DoesNotFit if the head is signed by another key than those trusted. With none, every key is let pass."""
    if trusted and head.public_key not in trusted:
        raise DoesNotFit(
            f"{head.name}: it is signed by key {head.key_id}, which is none of those given with --key"
        )


def _keys_of(given: str) -> Sequence[bytes]:
    key = from_base64(given)
    if key is not None and len(key) == _KEY_BYTES:
        return [key]
    if not given or not os.path.lexists(given.replace("\0", "")):
        raise Unreadable(f"--key {shown(given)!r} is neither a key nor a file; {_MEND}")
    content = read_bytes(given, _MOST_BYTES)
    if content.lstrip().startswith(b"-----BEGIN"):
        return [_key_of_pem(content, given)]
    keys = [from_base64(line.decode("ascii", "replace")) for line in content.split()]
    found = [one for one in keys if one is not None and len(one) == _KEY_BYTES]
    if not found or len(found) < len(keys):
        raise Unreadable(f"--key: {shown(given)} holds something other than Ed25519 keys; {_MEND}")
    return found


def _key_of_pem(content: bytes, path: str) -> bytes:
    if b"PRIVATE KEY" in content:
        raise Unreadable(
            f"--key: {shown(path)} holds a private key, which must not leave its server; {_MEND}"
        )
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unreadable(f"--key: {shown(path)} holds no public key that can be read; {_MEND}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Unreadable(f"--key: {shown(path)} holds a key of another kind than Ed25519; {_MEND}")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
