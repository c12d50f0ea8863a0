"""Log-in sessions: a cookie holds a secret, the store its digest."""

from datetime import UTC, datetime, timedelta

from runcard.auth.tokens import digest_of, new_token
from runcard.domain.actor import UserActor
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Connection
from runcard.store.people.sessions import LoggedIn, confirm_session, create_session, end_session, find_session

SESSION_LIFETIME = timedelta(days=14)
# For how long after a password was given nobody asks for it again.
CONFIRMED_FOR = timedelta(minutes=10)
_MAX_USER_AGENT_LENGTH = 300
# Prefixes of session secrets, without and with TLS. The prefix is part of the text whose digest is kept.
_PLAIN, _TLS = "rs", "rst"


def log_in(tx: Transaction, actor: UserActor, user_agent: str | None = None, *, by_tls: bool = False) -> str:
    """Begin a session for SESSION_LIFETIME and return its secret. user_agent: how the browser names itself."""
    token = new_token(_TLS if by_tls else _PLAIN)
    browser_name = (user_agent or "").replace("\0", "")[:_MAX_USER_AGENT_LENGTH]
    create_session(tx, actor, digest_of(token), tx.now + SESSION_LIFETIME, browser_name or None)
    return token


def is_for_tls(token: str) -> bool:
    """Whether this is the secret of a session that began over TLS, and is accepted over TLS only."""
    return token.startswith(f"{_TLS}_")


def find_logged_in(connection: Connection, token: str) -> LoggedIn | None:
    """The user who is logged in with this secret; None if it is unknown or expired, or the user is suspended."""
    return find_session(connection, digest_of(token), datetime.now(UTC))


def is_confirmed(confirmed_at: datetime | None, now: datetime) -> bool:
    """Whether the password was given lately. confirmed_at: when it was given last; None: not known."""
    return confirmed_at is not None and now - confirmed_at < CONFIRMED_FOR


def confirm(tx: Transaction, token: str) -> None:
    """Note that the password was just given in the session of this secret."""
    confirm_session(tx, digest_of(token))


def log_out(tx: Transaction, token: str) -> None:
    """End the session of this secret. An unknown secret is no error."""
    end_session(tx, digest_of(token))
