"""Trusted proxies, which say who the client of a request is, and which scheme and host name it used."""

import ipaddress
import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from starlette.types import Scope

_log = logging.getLogger(__name__)

_MAX_REMEMBERED = 10_000
# How many untrusted addresses are logged at most, since any stranger may send such a header.
_MOST_LOGGED = 10


class Proxies:
    """Believes X-Forwarded-For, -Proto and -Host from trusted proxies, and from nobody else.

    A header that is a list, or is sent more than once, is read from its end, which the nearest proxy wrote.
    """

    def __init__(self, named: Sequence[str]) -> None:
        """named: the addresses and networks of trusted proxies."""
        self._networks = [ipaddress.ip_network(one, strict=False) for one in named]
        self._known: dict[str, bool] = {}
        self._logged = 0

    def believe(self, scope: Scope) -> bool:
        """Write client, scheme and host into the scope of a request as a trusted proxy gives them.

        Returns whether a trusted proxy sent the request.
        """
        client = scope["client"]
        if client is None:
            return False
        is_named = self._known.get(client[0])
        if is_named is None:
            is_named = self._meet(client[0], scope)
        if is_named:
            self._take_over(scope)
        return is_named

    def _meet(self, address: str, scope: Scope) -> bool:
        is_named = self._is_named(address)
        if len(self._known) >= _MAX_REMEMBERED:
            self._known.clear()
        self._known[address] = is_named
        if not is_named and self._logged < _MOST_LOGGED and _listed(scope, b"x-forwarded-for"):
            self._logged += 1
            _log.warning(
                "X-Forwarded-For from %s is ignored. If that is your proxy, add it to trusted_proxies "
                "(docs/settings.md). Until then, all its clients count as one caller without TLS.",
                address,
            )
        return is_named

    def _take_over(self, scope: Scope) -> None:
        if hops := _listed(scope, b"x-forwarded-for"):
            scope["client"] = (self._farthest_hop(hops, scope["client"][0]), 0)
        schemes = _listed(scope, b"x-forwarded-proto")
        if schemes and schemes[-1] in ("http", "https"):
            scope["scheme"] = schemes[-1]
        if hosts := _listed(scope, b"x-forwarded-host"):
            others = [field for field in scope["headers"] if field[0] != b"host"]
            scope["headers"] = [*others, (b"host", hosts[-1].encode("latin-1"))]

    def _farthest_hop(self, hops: Sequence[str], nearest: str) -> str:
        """The address that the outermost trusted proxy saw. Anybody may have written the hops before it."""
        for hop in reversed(hops):
            address = _address_of(hop)
            if address is None:
                break
            nearest = str(address)
            if not self._is_named(nearest):
                break
        return nearest

    def _is_named(self, address: str) -> bool:
        ip = _address_of(address)
        return ip is not None and any(ip in network for network in self._networks)


def _listed(scope: Scope, header: bytes) -> list[str]:
    whole = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == header)
    return [item.strip() for item in whole.split(",") if item.strip()]


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a hop, without a port behind it; None if the hop is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (ip.version == 6 and ip.ipv4_mapped) or ip
