"""Checking the e-mail and password that somebody logs in with."""

import ipaddress
import time
from collections.abc import Callable

from runcard.auth.attempts import Attempts
from runcard.auth.passwords import is_right_password
from runcard.domain.actor import UserActor
from runcard.domain.text import lookup_key
from runcard.store.database import Connection
from runcard.store.users import find_credentials

WINDOW_S = 300
MAX_FAILURES_PER_EMAIL = 10
# More than per e-mail: a whole floor may reach the server through one address.
MAX_FAILURES_PER_ADDRESS = 30


class CredentialCheck:
    """Says whose e-mail and password these are, slowly to those who guess.

    Of one e-mail, MAX_FAILURES_PER_EMAIL failures in WINDOW_S are answered, of one address MAX_FAILURES_PER_ADDRESS
    (IPv6: of one /64 network). So a stranger can keep a member from logging in for as long as the stranger goes on;
    those who are logged in do not notice.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempts = Attempts(WINDOW_S, clock)

    def find_user(self, connection: Connection, email: str, password: str, address: str) -> UserActor | None:
        """Whose they are; None, after the same work, for an unknown e-mail, a wrong password or a suspended user.

        Raises TooManyAttempts.
        """
        by_email, by_address = f"email {lookup_key(email)[:255]}", f"address {_network(address)}"
        self._attempts.count({by_email: MAX_FAILURES_PER_EMAIL, by_address: MAX_FAILURES_PER_ADDRESS})
        # No e-mail has a NUL, and PostgreSQL refuses to look for one.
        found = None if "\0" in email else find_credentials(connection, email)
        if found is not None and found.user.suspended_at is not None:
            found = None
        is_right = is_right_password(password, found.password_hash if found else None)
        if found is None or not is_right:
            return None
        self._attempts.forget(by_email)
        self._attempts.forgive(by_address)
        return UserActor(found.user.id, found.user.organization_id, found.user.role)


def _network(address: str) -> str:
    """What one caller has to itself: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address  # a Unix socket, or a name in a proxy's header
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((int(ip), 64), strict=False))
