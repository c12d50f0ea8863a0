"""The cast as HTTP clients, and what the acceptance tests ask of a server."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import select, text

from runcard.domain.floor.organization import Organization
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata
from runcard.store.people.organizations import update_organization
from tests.conftest import Template
from tests.postgresql import Postgresql
from tests.servers import Server
from tests.world import World


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """The one that modules share."""
    return shared_server


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    """The cast of `server`."""
    return server.world


@pytest.fixture(scope="module")
def stranger(server: Server) -> Iterator[httpx.Client]:
    """Somebody without a key."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client(server.world.acme.admin.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def viewer(server: Server) -> Iterator[httpx.Client]:
    with server.client(server.world.acme.viewer.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def ict(server: Server) -> Iterator[httpx.Client]:
    """A station that is linked to the procedure `board` only."""
    with server.client(server.world.acme.ict.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def fct(server: Server) -> Iterator[httpx.Client]:
    """A station that has all procedures."""
    with server.client(server.world.acme.fct.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def lonely(server: Server) -> Iterator[httpx.Client]:
    """A station without any procedure."""
    with server.client(server.world.acme.lonely.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def globex(server: Server) -> Iterator[httpx.Client]:
    """The admin of another organization."""
    with server.client(server.world.globex.admin.api_key) as client:
        yield client


@pytest.fixture
def new_serial() -> Callable[[], str]:
    """Serial numbers that no test has used."""
    return lambda: f"SN-{uuid4().hex[:12].upper()}"


@pytest.fixture
def serial(new_serial: Callable[[], str]) -> str:
    return new_serial()


@pytest.fixture(scope="module")
def record(server: Server) -> Iterator[Database]:
    """The database of `server`, read past it."""
    with server.database() as database:
        yield database


Unchanged = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def unchanged(record: Database) -> Unchanged:
    """A block that must leave every row of every table as it was; `but`: names of tables that may change."""

    @contextmanager
    def check(*, but: Collection[str] = ()) -> Iterator[None]:
        before = _rows(record, but)
        yield
        after = _rows(record, but)
        # Mostly they come in the same order, too, and all are the same.
        if after != before:
            assert _sorted(after) == _sorted(before)

    return check


def _rows(database: Database, but: Collection[str]) -> dict[str, Sequence[Any]]:
    """As the driver tells them: there are many, and what they mean is not asked."""
    with database.read() as connection:
        return {
            table.name: connection.execute(select(text("*")).select_from(table)).cursor.fetchall()
            for table in metadata.sorted_tables
            if table.name not in but
        }


def _sorted(rows: dict[str, Sequence[Any]]) -> dict[str, list[str]]:
    return {table: sorted(map(repr, found)) for table, found in rows.items()}


Policy = Callable[..., AbstractContextManager[Organization]]


@pytest.fixture
def policy(server: Server) -> Policy:
    """A block in which Acme has other policies, set by another process than the server."""

    @contextmanager
    def setting(**changes: Any) -> Iterator[Organization]:
        home = server.world.acme.id
        with server.database() as database, database.read_in(home) as scope:
            before = get_organization(scope)
        changed = msgspec.structs.replace(before, **changes)
        server.change(lambda tx: update_organization(tx.of(home), changed))
        try:
            yield changed
        finally:
            server.change(lambda tx: update_organization(tx.of(home), before))

    return setting


@pytest.fixture
def doomed(peopled: Template, tmp_path: Path, postgresql_if_wanted: Postgresql | None) -> Iterator[Server]:
    """A server of the test's own, to be killed; it does not run yet."""
    assert peopled.world is not None
    for url in peopled.copy(tmp_path, postgresql_if_wanted):
        server = Server(tmp_path, url, peopled.world)
        try:
            yield server
        finally:
            server.close()
