"""Receipts and heads as a server gives them, made with the server's own tree and key."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runcard.domain.proof.head import Head, SignedHead
from runcard.domain.proof.merkle import leaf_hash
from runcard.domain.proof.tiles import TiledTree, appended
from runcard.evidence.signing import SigningKey

ORGANIZATION = UUID("01980000-0000-7000-8000-000000000001")
SERVER, STRANGER = (SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32)) for one in (1, 2))
START = datetime(2026, 11, 27, tzinfo=UTC)
DOCUMENT = bytes(range(0, 256, 4))
HEADER = json.dumps(
    {
        "document": hashlib.sha256(DOCUMENT).hexdigest(),
        "id": "01980000-0000-7000-8000-0000000000aa",
        "serial_number": "PCB01-0001",
        "started_at": "2026-11-26T09:00:00.000000Z",
    },
    separators=(",", ":"),
)


def entry(number: int, **members: Any) -> str:
    """The text of an entry: of run number 5, and of something else for each other number."""
    if number == 5:
        members = {
            "state": hashlib.sha256(HEADER.encode()).hexdigest(),
            "thing_id": json.loads(HEADER)["id"],
            **members,
        }
    return json.dumps({"sequence": number, **members}, sort_keys=True, separators=(",", ":"))


def entries(count: int) -> list[str]:
    return [entry(number) for number in range(count)]


def tree(texts: Sequence[str]) -> TiledTree:
    tiles = appended(0, lambda _level, _number: b"", [leaf_hash(text.encode()) for text in texts])
    return TiledTree(len(texts), lambda level, number: tiles[level, number])


def signed(
    texts: Sequence[str], key: SigningKey = SERVER, organization_id: UUID = ORGANIZATION
) -> dict[str, Any]:
    """The signed head of a record, one second an entry after it began."""
    signed_at = START + timedelta(seconds=len(texts))
    return head_body(key.sign(Head(organization_id, len(texts), tree(texts).root(), signed_at)))


def head_body(head: SignedHead) -> dict[str, Any]:
    return {
        "organization_id": str(head.head.organization_id),
        "tree_size": head.head.tree_size,
        "root": head.head.root.hex(),
        "signed_at": head.head.signed_at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "key_id": head.key_id,
        "public_key": base64.b64encode(head.public_key).decode(),
        "signature": base64.b64encode(head.signature).decode(),
    }


def receipt(texts: Sequence[str], index: int = 5, key: SigningKey = SERVER) -> dict[str, Any]:
    """The receipt of an entry, without its run."""
    return {
        "format": "runcard-receipt/1",
        "leaf": texts[index],
        "index": index,
        "path": [one.hex() for one in tree(texts).inclusion_path(index)],
        "head": signed(texts, key),
    }


def run_receipt(texts: Sequence[str], key: SigningKey = SERVER) -> dict[str, Any]:
    """The receipt of entry 5, with its run."""
    run = {"header": HEADER, "document": base64.b64encode(DOCUMENT).decode()}
    return {**receipt(texts, 5, key), "run": run}


def kept(head: dict[str, Any]) -> dict[str, Any]:
    """A signed head, as somebody keeps it."""
    return {"format": "runcard-head/1", **head}


def consistency(first: Sequence[str], second: Sequence[str]) -> dict[str, Any]:
    """What a server says that has the second record, honest or not, of how it grew from the first."""
    return {
        "format": "runcard-consistency/1",
        "first": signed(first),
        "second": signed(second),
        "path": [one.hex() for one in tree(second).consistency_path(len(first))],
    }


def public_key(key: SigningKey = SERVER) -> str:
    return base64.b64encode(key.public_key).decode()
