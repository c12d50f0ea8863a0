"""What a server says of its readiness."""

import time
from typing import Any

import httpx

from tests.servers import DEADLINE_S, Server

CHECKS = ("serving", "database", "schema", "recorder", "columnar_copy")


def wait_until(server: Server, status: int) -> Any:
    """The answer of /readyz, asked until it has this status."""
    until = time.monotonic() + DEADLINE_S
    with httpx.Client(base_url=server.url, timeout=DEADLINE_S) as probe:
        while (answer := probe.get("/readyz")).status_code != status:
            assert time.monotonic() < until, answer.text
    return answer.json()
