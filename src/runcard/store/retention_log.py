"""What was deleted for its age, day by day (UTC)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert, or_, select, update

from runcard.domain.retention import Amount
from runcard.store.tables import retention_log
from runcard.store.transaction import Transaction


class RemovedDay(NamedTuple):
    day: datetime
    removed: Amount


def note_removed(tx: Transaction, organization_id: UUID, removed: Amount) -> None:
    """Add to what was deleted today."""
    _add(tx, organization_id, removed, swept_at=None)


def note_swept(tx: Transaction, organization_id: UUID) -> None:
    """Note that a sweep has come to its end."""
    _add(tx, organization_id, Amount(), swept_at=tx.now)


def list_removed_days(connection: Connection, organization_id: UUID, limit: int) -> Sequence[RemovedDay]:
    """The last days on which something was deleted, the last first."""
    g = retention_log.c
    query = (
        select(g.day, g.runs, g.files, g.size_bytes)
        .where(g.organization_id == organization_id, or_(g.runs > 0, g.files > 0))
        .order_by(g.day.desc())
        .limit(limit)
    )
    return [RemovedDay(day, Amount(*counts)) for day, *counts in connection.execute(query)]


def find_swept_at(connection: Connection, organization_id: UUID) -> datetime | None:
    """When the last sweep came to its end; None where none has."""
    g = retention_log.c
    query = select(g.swept_at).where(g.organization_id == organization_id, g.swept_at.is_not(None))
    return connection.execute(query.order_by(g.day.desc()).limit(1)).scalar_one_or_none()


def _add(tx: Transaction, organization_id: UUID, removed: Amount, *, swept_at: datetime | None) -> None:
    g = retention_log.c
    day = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = (g.organization_id == organization_id, g.day == day)
    more = {name: g[name] + getattr(removed, name) for name in Amount._fields}
    ended = {} if swept_at is None else {"swept_at": swept_at}
    if not tx.connection.execute(update(retention_log).where(*today).values(**more, **ended)).rowcount:
        row = {"organization_id": organization_id, "day": day, **removed._asdict(), "swept_at": swept_at}
        tx.connection.execute(insert(retention_log).values(row))
