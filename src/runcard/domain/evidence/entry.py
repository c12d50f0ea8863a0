"""An entry of the audit trail, and the bytes of it that are proven.

The bytes are canonical JSON (RFC 8785), so that anybody can make them again from what the entry says.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import rfc8785
from msgspec import UNSET, Raw, Struct, UnsetType

# JSON keeps whole numbers exactly up to here (RFC 8785).
_LARGEST = 2**53 - 1
# Longer texts are cut in an entry. The digest of the record covers the whole text.
MAX_SHOWN = 1000
# Stands for a value that is a secret.
SECRET = "(secret)"  # noqa: S105 (says that a secret is not shown)


class By(Struct, frozen=True, omit_defaults=True):
    """Who made a change, by the name that they had then. id: None if Runcard itself did."""

    kind: Literal["user", "station", "system"]
    name: str
    id: UUID | None = None


class Entry(Struct, frozen=True, omit_defaults=True):
    """What a person, a key or Runcard did to a thing.

    door, address, key, request_id: see `Origin`. name: of the thing, as it was then. why: the reason that was given.
    what: the fields that changed, each with its old and its new value. A reference is {"id": ..., "name": ...}.
    """

    by: By
    door: str | None = None
    address: str | None = None
    key: str | None = None
    request_id: str | None = None
    name: str | None = None
    why: str | None = None
    what: Mapping[str, tuple[Any, Any]] = {}


class _Leaf(Struct, omit_defaults=True):
    """The members of a leaf, in the order of RFC 8785."""

    at: datetime
    kind: str
    organization_id: UUID
    thing_id: UUID
    actor_id: UUID | None = None
    entry: Raw | UnsetType = UNSET
    state: str | None = None


_LEAF_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical_json(value: Any) -> bytes:
    """The canonical JSON of a value (RFC 8785). Whole numbers that JSON cannot keep exactly become texts."""
    return rfc8785.dumps(_exact(msgspec.to_builtins(value)))


def encode_entry(entry: Entry) -> str:
    """The text of an entry as it is kept, hashed and exported: canonical JSON."""
    return canonical_json(entry).decode()


def decode_entry(text: str) -> Entry:
    """The entry that `encode_entry` has encoded."""
    return msgspec.json.decode(text, type=Entry)


def leaf_text(
    organization_id: UUID,
    change: tuple[str, UUID, datetime],
    *,
    actor_id: UUID | None,
    entry: str | None,
    state: bytes | None,
) -> bytes:
    """The leaf of a change in the proof: canonical JSON of all that is kept of it.

    change: its kind, its thing and its moment. state: SHA-256 of the record after the change.
    """
    kind, thing_id, at = change
    return _LEAF_ENCODER.encode(
        _Leaf(
            at,
            kind,
            organization_id,
            thing_id,
            actor_id,
            UNSET if entry is None else Raw(entry.encode()),
            None if state is None else state.hex(),
        )
    )


def shown_value(value: Any) -> Any:
    """A value as an entry shows it: bytes as hexadecimal digits, and no text longer than MAX_SHOWN characters."""
    if isinstance(value, bytes):
        return value.hex()[:MAX_SHOWN]
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return value[: MAX_SHOWN - 1] + "…"
    return value


def _exact(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return value
