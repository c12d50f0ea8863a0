"""The host names that may stand in links to this server if no public URL is set."""

import ipaddress
import re
import socket
from collections.abc import Sequence

from runcard.domain.errors import HostNotAllowed

_NETLOC = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?", re.IGNORECASE)
# No stranger on the internet can own these: RFC 6761, 6762 and 8375, and .internal, which is reserved for private use.
_PRIVATE = (".localhost", ".local", ".test", ".internal", ".home.arpa")
ANY = "*"


class AllowedHosts:
    """Decides which Host headers to trust, since the sender chooses the header, and a link can mislead a browser.

    Allowed are addresses, names without a dot, names that only a local network has, the name of this machine, and the
    names in `named`. There, a name that begins with a dot allows all names below it, and `*` allows all names.
    """

    def __init__(self, named: Sequence[str]) -> None:
        names = [name.lower() for name in named]
        self._are_all = ANY in names
        self._names = frozenset([*names, socket.gethostname().lower()])
        self._endings = (*_PRIVATE, *(name for name in names if name.startswith(".")))

    def check(self, root: str) -> None:
        """Check that the host of a URL is allowed. Raises HostNotAllowed."""
        netloc = root.partition("://")[2].partition("/")[0]
        found = _NETLOC.fullmatch(netloc)
        if found is None or not self._is_allowed(found[1], found[2]):
            raise HostNotAllowed(netloc)

    def _is_allowed(self, ipv6: str | None, name: str) -> bool:
        if self._are_all or _is_address(ipv6 or name):
            return True
        if ipv6 is not None:
            return False
        name = name.lower().removesuffix(".")
        return "." not in name or name in self._names or name.endswith(self._endings)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
