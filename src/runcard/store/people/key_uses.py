"""When API keys were last used. It changes all the time, so it is no part of what is proven of a key."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.tables import api_keys, key_uses


class KeyUse(NamedTuple):
    key_id: UUID
    organization_id: UUID
    used_at: datetime


def keep_uses(tx: Transaction, uses: Sequence[KeyUse]) -> None:
    """Keep when keys of the organization were last used. A later use stays. Keys that are gone are left out."""
    k, u = api_keys.c, key_uses.c
    there: set[UUID] = set()
    kept: set[UUID] = set()
    for some in in_chunks([use.key_id for use in uses]):
        there |= set(tx.connection.execute(select(k.id).where(tx.owns(k), k.id.in_(some))).scalars())
        kept |= set(tx.connection.execute(select(u.key_id).where(tx.owns(u), u.key_id.in_(some))).scalars())
    for use in uses:
        if use.key_id in kept:
            later = (tx.owns(u), u.key_id == use.key_id, u.used_at < use.used_at)
            tx.connection.execute(update(key_uses).where(*later).values(used_at=use.used_at))
        elif use.key_id in there:
            tx.connection.execute(insert(key_uses).values(use._asdict()))
