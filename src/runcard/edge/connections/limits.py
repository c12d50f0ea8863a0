"""What one connection may take, and how many there may be at once."""

import resource
from contextlib import suppress
from typing import NamedTuple

# More would take 128 MB for their headers alone, if each sent as many as it may.
_MOST_CONNECTIONS = 2000
_FEWEST_CONNECTIONS = 16
# For the databases, the columnar copy, attachments under way, and connections that are being refused.
_OTHER_FILES = 192
# As many files as anything here could use, where there is no limit.
_MOST_FILES = 65_536


class ConnectionLimits(NamedTuple):
    """connections: of one process, at once.

    headers_s: from the first byte of a request to the end of its headers. window_s, window_bytes: as long as a body
    arrives, so much of it must in each stretch of that length. idle_s: between requests, and before the first.
    stalled_s: a client takes nothing of its answer. linger_s: to read a refusal. sweep_s: how often these are looked
    at, so each may last so much longer.
    """

    connections: int
    headers_s: float = 10
    window_s: float = 10
    window_bytes: int = 10_000
    # Proxies keep theirs for 60 s, and it should be the proxy that closes first.
    idle_s: float = 75
    # A client at 10 kB/s takes minutes to empty what the kernel has buffered for it.
    stalled_s: float = 300
    linger_s: float = 2
    sweep_s: float = 1


def limits_of_this_process() -> ConnectionLimits:
    """Limits for as many connections as the process may have files, which it raises as far as it is allowed to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems allow fewer than their hard limit says.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    return ConnectionLimits(max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, files - _OTHER_FILES)))
