"""A station of the cast with a client, and servers that answer as a network does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from runcard_client import Client
from runcard_client.spool import Spool
from tests.client.answering import Answering
from tests.client.pythons import OLDEST, oldest_python, own_python
from tests.conftest import DatabaseKind
from tests.servers import Server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """What the server keeps its record in makes no difference to a client."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """The one that modules share."""
    return shared_server


@pytest.fixture(scope="session", params=["own", OLDEST])
def station_python(request: pytest.FixtureRequest) -> Path:
    """What a station's programs run in."""
    python = own_python() if request.param == "own" else oldest_python()
    if python is None:
        pytest.skip(f"no Python {OLDEST} on the PATH or in pyenv; vermin alone has looked at the client")
    return python


@pytest.fixture
def spool_path(tmp_path: Path) -> Path:
    return tmp_path / "station" / "spool.sqlite3"


@pytest.fixture
def spool(spool_path: Path) -> Iterator[Spool]:
    """What waits at `spool_path`, seen by another process than the station's."""
    opened = Spool(spool_path)
    yield opened
    opened.close()


@pytest.fixture
def client(server: Server, spool_path: Path) -> Iterator[Client]:
    """A station that has all procedures, and sends only when it is told to."""
    with Client(server.url, server.world.acme.fct.api_key, spool=spool_path, sends=False) as station:
        yield station


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    """HTTP to the v2 API of `server`."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=60) as requests:
        yield requests


@pytest.fixture
def serial() -> str:
    """A serial number that no test has used."""
    return f"SN-{uuid4().hex[:12].upper()}"


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    """Makes servers that give one answer to whatever they are asked."""
    made: list[Answering] = []

    def make(status: int, body: str = "", headers: dict[str, str] | None = None) -> Answering:
        made.append(Answering(status, body, headers or {}))
        return made[-1]

    yield make
    for one in made:
        one.close()
