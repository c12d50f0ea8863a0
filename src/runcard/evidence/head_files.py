"""Signed heads outside of the database: a file of JSON lines, which `runcard-verify` and `runcard verify` read."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from runcard.domain.proof.head import Head, SignedHead

# Where a server keeps them in its data directory, unless a setting names another file.
HEADS_FILE = "heads.jsonl"


class HeadBody(Struct, frozen=True):
    """A signed head as JSON. root: in hexadecimal digits. public_key, signature: in base64."""

    organization_id: UUID
    tree_size: int
    root: str
    signed_at: str
    key_id: str
    public_key: str
    signature: str


class KeptHead(HeadBody, frozen=True, kw_only=True):
    """A signed head that stands alone in a file."""

    format: Literal["runcard-head/1"] = "runcard-head/1"


class HeadUnreadable(Exception):
    """A line of a file of heads is no head; the message names the file, the line and the mend."""


def head_body(signed: SignedHead) -> HeadBody:
    """The head as JSON says it."""
    head = signed.head
    moment = head.signed_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return HeadBody(
        head.organization_id,
        head.tree_size,
        head.root.hex(),
        f"{moment}Z",
        signed.key_id,
        b64encode(signed.public_key).decode(),
        b64encode(signed.signature).decode(),
    )


def kept_head(signed: SignedHead) -> KeptHead:
    """The head as JSON says it where it stands alone."""
    return KeptHead(**asdict(head_body(signed)))


def head_line(signed: SignedHead) -> bytes:
    """The head as a line of a file."""
    return msgspec.json.encode(kept_head(signed)) + b"\n"


def append_head(path: Path, signed: SignedHead) -> None:
    """Add a head to the end of a file, which is made if it is missing."""
    with path.open("ab") as file:
        file.write(head_line(signed))


def read_heads(path: Path) -> Iterator[SignedHead]:
    """The heads of a file, in its order. Their signatures are not checked. Raises HeadUnreadable."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise HeadUnreadable(f"{path} cannot be read: {error}. Name a file of signed heads.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _signed(msgspec.json.decode(line, type=KeptHead))
        except (msgspec.MsgspecError, ValueError) as error:
            raise HeadUnreadable(
                f"{path}, line {number}: {error}. Each line is a signed head, as the server writes it."
            ) from error


def _signed(body: HeadBody) -> SignedHead:
    moment = datetime.fromisoformat(body.signed_at).astimezone(UTC)
    head = Head(body.organization_id, body.tree_size, bytes.fromhex(body.root), moment)
    return SignedHead(head, body.key_id, _bytes(body.public_key), _bytes(body.signature))


def _bytes(text: str) -> bytes:
    return msgspec.convert(text, bytes)
