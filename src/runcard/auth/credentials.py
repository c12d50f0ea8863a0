"""Check the e-mail and password that somebody logs in with."""

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from runcard.auth.attempts import AttemptCounts
from runcard.auth.passwords import is_right_password
from runcard.domain.actor import UserActor
from runcard.domain.text import lookup_key
from runcard.store.engine.database import Connection
from runcard.store.people.users import find_credentials

WINDOW_S = 300
MAX_FAILURES = 10
# A whole floor may reach the server through one address. The limit bounds the hashes that an address can cause.
MAX_FAILURES_PER_ADDRESS = 100
# After this many failures, from any address, an e-mail counts as being guessed at.
GUESSED_AT = 30
MAX_FAILURES_OF_GUESSED = 2


class LogInCaller(NamedTuple):
    """Who logs in. browser: identifies a browser that has logged in with this e-mail before; None: it has not."""

    address: str
    browser: str | None = None


class CredentialCheck:
    """Finds the user of an e-mail and password, and slows down guesses.

    Within WINDOW_S, an e-mail may fail MAX_FAILURES times from one address (IPv6: one /64 network), and an address
    MAX_FAILURES_PER_ADDRESS times in all. An e-mail that is guessed at from many addresses may fail
    MAX_FAILURES_OF_GUESSED times from each, so that guesses from elsewhere do not keep its owner out. A browser that
    has logged in with this e-mail before has MAX_FAILURES of its own, whatever others do behind the same proxy.

    attempts: counts them within WINDOW_S.
    """

    def __init__(self, attempts: AttemptCounts) -> None:
        self._attempts = attempts

    def find_user(
        self, connection: Connection, email: str, password: str, caller: LogInCaller
    ) -> UserActor | None:
        """The user; None, after the same work, for an unknown e-mail, a wrong password or a suspended user.

        Raises TooManyAttempts.
        """
        counted = self._count(lookup_key(email)[:255], caller)
        # No e-mail has a NUL, and PostgreSQL refuses to look for one.
        found = None if "\0" in email else find_credentials(connection, email)
        if found is not None and found.user.suspended_at is not None:
            found = None
        is_right = is_right_password(password, found.password_hash if found else None)
        if found is None or not is_right:
            return None
        own, *shared = counted
        self._attempts.forget(own)
        for key in shared:
            self._attempts.forgive(key)
        return UserActor(found.user.id, found.user.organization_id, found.user.role)

    def _count(self, email: str, caller: LogInCaller) -> Sequence[str]:
        """Count an attempt and return its keys, the caller's own first. Raises TooManyAttempts."""
        if caller.browser is not None:
            own = f"browser {caller.browser}"
            self._attempts.count({own: MAX_FAILURES})
            return (own,)
        network = _network(caller.address)
        own, by_email, by_address = f"{email} from {network}", f"email {email}", f"address {network}"
        is_guessed = self._attempts.has(by_email, GUESSED_AT)
        limit = MAX_FAILURES_OF_GUESSED if is_guessed else MAX_FAILURES
        self._attempts.count({own: limit, by_address: MAX_FAILURES_PER_ADDRESS})
        self._attempts.note(by_email, GUESSED_AT)
        return own, by_email, by_address


def _network(address: str) -> str:
    """The addresses that belong to one caller: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address  # a Unix socket, or a name in a proxy's header
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((int(ip), 64), strict=False))
