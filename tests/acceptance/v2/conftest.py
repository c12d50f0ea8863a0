"""The cast as the official client sees it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.servers import DEADLINE_S, Server

Sdk = Callable[[str], TofuPilot]


@pytest.fixture(scope="module")
def sdk(server: Server) -> Iterator[Sdk]:
    """Makes the official client with a key."""
    with ExitStack() as stack:
        yield lambda api_key: stack.enter_context(
            TofuPilot(api_key=api_key, server_url=f"{server.url}/api", timeout_ms=int(DEADLINE_S * 1000))
        )


@pytest.fixture(scope="module")
def user(sdk: Sdk, server: Server) -> TofuPilot:
    """An engineer."""
    return sdk(server.world.acme.engineer.api_key)


@pytest.fixture(scope="module")
def station(sdk: Sdk, server: Server) -> TofuPilot:
    """A station that is linked to the procedure `board` only."""
    return sdk(server.world.acme.ict.api_key)


@pytest.fixture(scope="module")
def other(sdk: Sdk, server: Server) -> TofuPilot:
    """The admin of another organization."""
    return sdk(server.world.globex.admin.api_key)


@pytest.fixture(scope="module")
def wire(server: Server) -> Iterator[httpx.Client]:
    """Plain HTTP to v2, as the engineer."""
    headers = {"Authorization": f"Bearer {server.world.acme.engineer.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names that no test has used: `fresh("PN")` is PN-1A2B3C4D."""
    return lambda prefix: f"{prefix}-{uuid4().hex[:8].upper()}"
