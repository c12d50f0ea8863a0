"""A signed head: how many entries an organization's record had at a time, and the root of the tree of them all."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runcard_verify.errors import DoesNotFit
from runcard_verify.fields import Fields

FORMAT = "runcard-head/1"
MEMBERS = ("organization_id", "tree_size", "root", "signed_at", "key_id", "public_key", "signature")

_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z")
_KEY_ID = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Head:
    """signed_at: in UTC, as it is spelled in JSON. public_key: that of the signature, which anybody can have made."""

    organization_id: str
    tree_size: int
    root: bytes
    signed_at: str
    key_id: str
    public_key: bytes
    signature: bytes

    @property
    def name(self) -> str:
        return f"the head of {self.tree_size} entries, signed at {self.signed_at}"

    def is_of_same_tree(self, other: Head) -> bool:
        """Whether both say the same about the record. When they say so may differ."""
        return (self.organization_id, self.tree_size, self.root) == (
            other.organization_id,
            other.tree_size,
            other.root,
        )


def head_of(fields: Fields) -> Head:
    """The head that the members say. Raises Unreadable for a member that is not spelled as the server does."""
    return Head(
        fields.spelled("organization_id", _UUID, "01980000-0000-7000-8000-000000000000"),
        fields.whole_number("tree_size"),
        fields.hash("root"),
        fields.spelled("signed_at", _MOMENT, "2026-11-27T00:00:00.000000Z"),
        fields.spelled("key_id", _KEY_ID, "16 hexadecimal digits in lower case"),
        fields.bytes_of("public_key", _KEY_BYTES),
        fields.bytes_of("signature", _SIGNATURE_BYTES),
    )


def check_signature(head: Head) -> None:
    """Raise DoesNotFit if the head is not signed by its own public key."""
    if hashlib.sha256(head.public_key).hexdigest()[:16] != head.key_id:
        raise DoesNotFit(f"{head.name}: its key_id {head.key_id} is not that of its public_key")
    try:
        Ed25519PublicKey.from_public_bytes(head.public_key).verify(head.signature, _canonical(head))
    except (InvalidSignature, ValueError) as error:
        raise DoesNotFit(
            f"{head.name}: the signature is not that of key {head.key_id}; somebody changed the head "
            "or signed another one"
        ) from error


def _canonical(head: Head) -> bytes:
    """The bytes that are signed. All members are ASCII, so this is what RFC 8785 asks for."""
    members = {
        "format": FORMAT,
        "organization_id": head.organization_id,
        "tree_size": head.tree_size,
        "root": head.root.hex(),
        "signed_at": head.signed_at,
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")
