"""Sessions of people, and the one-time set-up links that make the first admin. Only digests are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from runcard.domain.actor import UserActor
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.engine.tables import sessions, setup_links, users
from runcard.store.trail.watching import note_event

# Unscoped: a session is found by its secret, and belongs to one user.

_DAY = timedelta(days=1)


class LoggedIn(NamedTuple):
    """Who is logged in. confirmed_at: when they last gave their password in this session; None: not known."""

    actor: UserActor
    confirmed_at: datetime | None


class Session(NamedTuple):
    """user_agent: the browser's own name for itself; None if it sent none."""

    digest: bytes
    created_at: datetime
    expires_at: datetime
    user_agent: str | None


def create_session(
    tx: Transaction, actor: UserActor, digest: bytes, expires_at: datetime, user_agent: str | None = None
) -> None:
    """Keep a session until it expires, and delete the sessions that have expired."""
    tx.connection.execute(delete(sessions).where(sessions.c.expires_at < tx.now))
    row = {
        "digest": digest,
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "created_at": tx.now,
        "expires_at": expires_at,
        "user_agent": user_agent,
        "confirmed_at": tx.now,
    }
    tx.connection.execute(insert(sessions).values(row))
    note_event(tx, "user_logged_in", actor.user_id, what={"browser": user_agent})


def find_session(connection: Connection, digest: bytes, now: datetime) -> LoggedIn | None:
    """Who is logged in with this session; None if it is unknown or expired, or its user is suspended."""
    s, u = sessions.c, users.c
    query = (
        select(u.id, u.organization_id, u.role, s.confirmed_at)
        .join_from(sessions, users, u.id == s.user_id)
        .where(s.digest == digest, s.expires_at > now, u.suspended_at.is_(None))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else LoggedIn(UserActor(*row[:-1]), row.confirmed_at)


def confirm_session(tx: Transaction, digest: bytes) -> None:
    """Note that the user of a session has just given their password in it."""
    tx.connection.execute(update(sessions).where(sessions.c.digest == digest).values(confirmed_at=tx.now))


def list_sessions(connection: Connection, user_id: UUID, now: datetime) -> Sequence[Session]:
    """The open sessions of a user, newest first."""
    s = sessions.c
    query = select(*(s[name] for name in Session._fields)).where(s.user_id == user_id, s.expires_at > now)
    return [Session(*row) for row in connection.execute(query.order_by(s.created_at.desc()))]


def end_session(tx: Transaction, digest: bytes) -> None:
    s = sessions.c
    ended = delete(sessions).where(s.digest == digest).returning(s.user_id)
    for user_id in tx.connection.execute(ended).scalars().all():
        note_event(tx, "user_logged_out", user_id)


def end_other_sessions(tx: Transaction, user_id: UUID, kept: bytes, ended: bytes | None = None) -> None:
    """End a user's sessions except `kept`. ended: end only this one; None: all."""
    s = sessions.c
    others = [s.user_id == user_id, s.digest != kept]
    if ended is not None:
        others.append(s.digest == ended)
    count = tx.connection.execute(delete(sessions).where(*others)).rowcount
    if count:
        note_event(tx, "user_sessions_ended", user_id, what={"count": count})


def create_setup_link(shared: SharedTransaction, digest: bytes) -> None:
    """Keep a new set-up link, and close those that are a day old.

    Younger ones stay open: several servers of one installation print a link each.
    """
    shared.connection.execute(delete(setup_links).where(setup_links.c.created_at < shared.now - _DAY))
    shared.connection.execute(insert(setup_links).values(digest=digest, created_at=shared.now))


def close_setup_links(shared: SharedTransaction) -> None:
    """Delete every set-up link, so that none works any more."""
    shared.connection.execute(delete(setup_links))


def is_setup_link_open(connection: Connection, digest: bytes) -> bool:
    link = setup_links.c
    query = select(link.digest).where(link.digest == digest, link.used_at.is_(None))
    return connection.execute(query).first() is not None


def use_setup_link(shared: SharedTransaction, digest: bytes) -> bool:
    """Use up a set-up link. Returns False if it is unknown or used up already."""
    link = setup_links.c
    used = update(setup_links).where(link.digest == digest, link.used_at.is_(None)).values(used_at=shared.now)
    return bool(shared.connection.execute(used).rowcount)
