"""The limits of connections: what one may take, and how many there may be at once."""

import resource
from contextlib import suppress
from typing import NamedTuple

# With this many, headers alone can take 128 MB, if each connection sends as many as it may.
_MOST_CONNECTIONS = 2000
_FEWEST_CONNECTIONS = 16
# Files for the databases, the columnar copy, attachments under way, and connections that are being refused.
_OTHER_FILES = 192
# More files than this server could ever use; taken if the system sets no limit.
_MOST_FILES = 65_536


class ConnectionLimits(NamedTuple):
    """connections: at once, in one process. headers_s: from the first byte of a request to the end of its headers.

    window_s, window_bytes: in each stretch of this length, at least this much of a body must arrive. idle_s: between
    requests, and before the first. stalled_s: how long a client may take nothing of its answer. linger_s: how long a
    client may read a refusal. sweep_s: how often these are checked, so each may last this much longer.
    """

    connections: int
    headers_s: float = 10
    window_s: float = 10
    window_bytes: int = 10_000
    # Proxies keep idle connections for 60 s, and the proxy should be the first to close one.
    idle_s: float = 75
    # A client at 10 kB/s takes minutes to empty what the kernel has buffered for it.
    stalled_s: float = 300
    linger_s: float = 2
    sweep_s: float = 1


def limits_of_this_process() -> ConnectionLimits:
    """The limits for this process. It first raises its limit of open files as far as it may, and has a connection for
    each file that it does not need otherwise.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < target:
        # Some systems allow fewer files than their hard limit says.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
            soft = target
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    return ConnectionLimits(max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, files - _OTHER_FILES)))
