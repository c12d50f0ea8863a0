"""What was deleted for its age, day by day (UTC)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, insert, or_, select, update

from runcard.domain.floor.retention import Amount
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import changes, retention_log

# A later moment was noted by a clock that was ahead, and counts for nothing. Clocks of hosts may differ by this much.
_TOLERANCE = timedelta(days=1)


class RemovedDay(NamedTuple):
    day: datetime
    removed: Amount


def note_removed(tx: Transaction, removed: Amount) -> None:
    """Add this to what was deleted today."""
    _add(tx, removed)


def note_swept(tx: Transaction) -> None:
    """Note that a sweep ended now."""
    _add(tx, Amount(), swept_at=tx.now)


def note_set(tx: Transaction) -> None:
    """Note that a person set the retention now, and so trusts the clock as it is."""
    _add(tx, Amount(), set_at=tx.now)


def list_removed_days(scope: Scope, limit: int) -> Sequence[RemovedDay]:
    """The last days on which something was deleted, newest first."""
    g = retention_log.c
    query = (
        select(g.day, g.runs, g.files, g.size_bytes)
        .where(scope.owns(g), or_(g.runs > 0, g.files > 0))
        .order_by(g.day.desc())
        .limit(limit)
    )
    return [RemovedDay(day, Amount(*counts)) for day, *counts in scope.connection.execute(query)]


def removed_on(scope: Scope, now: datetime) -> Amount:
    """What was deleted on the day (UTC) of this moment."""
    g = retention_log.c
    query = select(g.runs, g.files, g.size_bytes).where(scope.owns(g), g.day == _day_of(now))
    row = scope.connection.execute(query).one_or_none()
    return Amount() if row is None else Amount(*row)


def last_known(scope: Scope, now: datetime) -> datetime | None:
    """When, up to now, a sweep last ended or a person last set the retention; None if nothing has ever happened.

    If neither ever happened, the moment of the newest change. Changes count for nothing otherwise: stations would
    record by a wrong clock before anybody looks at it.
    """
    g, c = retention_log.c, changes.c
    latest = now + _TOLERANCE
    moments: list[datetime | None] = [
        scope.connection.execute(select(func.max(column)).where(scope.owns(g), column <= latest)).scalar_one()
        for column in (g.swept_at, g.set_at)
    ]
    known = [moment for moment in moments if moment is not None]
    if known:
        return max(known)
    newest = select(c.changed_at).where(c.changed_at <= latest).order_by(c.seq.desc()).limit(1)
    found: datetime | None = scope.connection.execute(newest).scalar_one_or_none()
    return found


def find_swept_at(scope: Scope) -> datetime | None:
    """When the last sweep ended; None if none has ended yet."""
    g = retention_log.c
    query = select(g.swept_at).where(scope.owns(g), g.swept_at.is_not(None))
    return scope.connection.execute(query.order_by(g.day.desc()).limit(1)).scalar_one_or_none()


def _add(tx: Transaction, removed: Amount, **moments: datetime) -> None:
    """Add to the row of today. moments: values of the row's columns `swept_at` and `set_at`."""
    g = retention_log.c
    day = _day_of(tx.now)
    today = (tx.owns(g), g.day == day)
    more = {name: g[name] + getattr(removed, name) for name in Amount._fields}
    if not tx.connection.execute(update(retention_log).where(*today).values(**more, **moments)).rowcount:
        row = {"organization_id": tx.organization_id, "day": day, **removed._asdict(), **moments}
        tx.connection.execute(insert(retention_log).values(row))


def _day_of(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
