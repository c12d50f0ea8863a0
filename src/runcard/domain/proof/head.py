"""A head of an organization's tree: how many entries it had at a time, and the root of them all."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Head(Struct, frozen=True):
    """tree_size: how many leaves. root: 32 bytes. signed_at: in UTC."""

    organization_id: UUID
    tree_size: int
    root: bytes
    signed_at: datetime


class SignedHead(Struct, frozen=True):
    """public_key: the 32 bytes of the Ed25519 key that made the signature. key_id: its short name."""

    head: Head
    key_id: str
    public_key: bytes
    signature: bytes
