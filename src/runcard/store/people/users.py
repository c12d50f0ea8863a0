"""Users: the members of an organization. A user is found by their e-mail."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from runcard.domain.actor import Role
from runcard.domain.errors import AlreadyExists, InvalidInput, NotFound
from runcard.domain.ids import new_id
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import sessions, users
from runcard.store.trail.watching import note_event, watch, watch_new


class User(NamedTuple):
    id: UUID
    organization_id: UUID
    email: str
    name: str
    role: Role
    suspended_at: datetime | None
    created_at: datetime


class Credentials(NamedTuple):
    """A user and the hash of their password. password_hash: None if no password was ever set."""

    user: User
    password_hash: str | None


_COLUMNS = [users.c[name] for name in User._fields]


def create_user(
    tx: Transaction,
    email: str,
    *,
    name: str,
    role: Role,
    password_hash: str | None,
) -> User:
    """Add a member, and return them. name: blank: their e-mail.

    Raises InvalidInput, and AlreadyExists if any user of this installation has the e-mail.
    """
    email = email.strip()
    check_free_email(tx.connection, email)
    user = User(new_id(), tx.organization_id, email, _checked_name(name.strip() or email), role, None, tx.now)
    row = {**user._asdict(), "email_key": lookup_key(email), "password_hash": password_hash}
    tx.connection.execute(insert(users).values(row))
    watch_new(tx, users, user.id)
    return user


def check_free_email(connection: Connection, email: str, organization_id: UUID | None = None) -> None:
    """Check that a new user may have this e-mail. Raises InvalidInput, and AlreadyExists if a user has it.

    organization_id: only users of this organization count; None: users of every organization count.
    """
    if "@" not in email or "\0" in email or len(email) > 255:
        raise InvalidInput.at("email", f"{email!r} is no e-mail address; use one like name@example.com")
    taken = select(users.c.id).where(users.c.email_key == lookup_key(email))
    if organization_id is not None:
        taken = taken.where(owned_by(organization_id, users.c))
    if connection.execute(taken).first():
        raise AlreadyExists("User", email)


def list_users(scope: Scope) -> Sequence[User]:
    """All members of the organization, oldest first."""
    u = users.c
    query = select(*_COLUMNS).where(scope.owns(u)).order_by(u.created_at, u.id)
    return [User(*row) for row in scope.connection.execute(query)]


def get_user(scope: Scope, reference: str) -> User:
    """The member with this e-mail or id. Raises NotFound."""
    u = users.c
    named = [u.email_key == lookup_key(reference)]
    with suppress(ValueError):  # not an id: an e-mail, then
        named.append(u.id == UUID(reference))
    mine = select(*_COLUMNS).where(scope.owns(u), or_(*named))
    row = scope.connection.execute(mine).one_or_none()
    if row is None:
        raise NotFound(f"User not found: {reference}. `runcard user list` shows those that exist.")
    return User(*row)


# Unscoped: an e-mail belongs to one user of the installation.
def find_credentials(connection: Connection, email: str) -> Credentials | None:
    """The user with this e-mail, in any organization, with their password hash; None if there is none."""
    row = connection.execute(
        select(*_COLUMNS, users.c.password_hash).where(users.c.email_key == lookup_key(email))
    ).one_or_none()
    return None if row is None else Credentials(User(*row[:-1]), row[-1])


def suspend_user(tx: Transaction, user_id: UUID) -> None:
    """Shut a member out: their keys stop working and their sessions end; their records stay. Raises NotFound."""
    _update(tx, user_id, suspended_at=tx.now)
    _end_sessions(tx, user_id)


def reinstate_user(tx: Transaction, user_id: UUID) -> None:
    """Let a suspended member in again; keys that were not revoked work again. Raises NotFound."""
    _update(tx, user_id, suspended_at=None)


def set_password(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Replace a member's password; their sessions end, their keys stay. Raises NotFound."""
    _update(tx, user_id, password_hash=password_hash)
    _end_sessions(tx, user_id)


def rename_user(tx: Transaction, user_id: UUID, name: str) -> None:
    """Give a member another name. Raises InvalidInput and NotFound."""
    _update(tx, user_id, name=_checked_name(name.strip()))


def set_role(tx: Transaction, user_id: UUID, role: Role) -> None:
    """Give a member another role. Raises NotFound."""
    _update(tx, user_id, role=role)


def count_admins(scope: Scope) -> int:
    """How many admins of the organization are not suspended."""
    u = users.c
    query = select(func.count()).where(scope.owns(u), u.role == "admin", u.suspended_at.is_(None))
    return scope.connection.execute(query).scalar_one()


def end_sessions(tx: Transaction, user_id: UUID) -> None:
    """End all log-ins of a member; keys stay. Raises NotFound."""
    u = users.c
    if tx.connection.execute(select(u.id).where(tx.owns(u), u.id == user_id)).first() is None:
        raise _not_found(user_id)
    _end_sessions(tx, user_id)


def _not_found(user_id: UUID) -> NotFound:
    return NotFound(f"User not found: {user_id}")


def _update(tx: Transaction, user_id: UUID, **values: Any) -> None:
    u = users.c
    mine = (tx.owns(u), u.id == user_id)
    watch(tx, users, [user_id])
    if not tx.connection.execute(update(users).where(*mine).values(**values)).rowcount:
        raise _not_found(user_id)


# Unscoped: the user was found in the scope.
def _end_sessions(tx: Transaction, user_id: UUID) -> None:
    count = tx.connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount
    if count:
        note_event(tx, "user_sessions_ended", user_id, what={"count": count})


def _checked_name(name: str) -> str:
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInput.at("name", f"{name!r} is no name; use 1 to {MAX_NAME_LENGTH} characters")
    return name
