"""Log-in sessions: a cookie holds a secret, the store its digest."""

from datetime import UTC, datetime, timedelta

from runcard.auth.tokens import digest_of, new_token
from runcard.domain.actor import UserActor
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Connection
from runcard.store.people.sessions import create_session, end_session, find_session

SESSION_LIFETIME = timedelta(days=14)
_MAX_USER_AGENT_LENGTH = 300
# What the secrets of sessions begin with, by whether they were made by TLS: it is part of what is kept the digest of.
_PLAIN, _TLS = "rs", "rst"


def log_in(tx: Transaction, actor: UserActor, user_agent: str | None = None, *, by_tls: bool = False) -> str:
    """The secret of a new session, which lasts for SESSION_LIFETIME. user_agent: what its browser says it is."""
    token, said = (
        new_token(_TLS if by_tls else _PLAIN),
        (user_agent or "").replace("\0", "")[:_MAX_USER_AGENT_LENGTH],
    )
    create_session(tx, actor, digest_of(token), tx.now + SESSION_LIFETIME, said or None)
    return token


def is_for_tls(token: str) -> bool:
    """Whether this is the secret of a session that was made by TLS, and is worth nothing without it."""
    return token.startswith(f"{_TLS}_")


def find_logged_in(connection: Connection, token: str) -> UserActor | None:
    """Who is logged in with this secret; None where it is unknown or expired, or its user suspended."""
    return find_session(connection, digest_of(token), datetime.now(UTC))


def log_out(tx: Transaction, token: str) -> None:
    """End the session of this secret; an unknown one is no error."""
    end_session(tx, digest_of(token))
