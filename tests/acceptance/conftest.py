"""The cast as HTTP clients, and what the acceptance tests ask of a server."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest
from sqlalchemy import select, text

from runcard.domain.actor import SystemActor
from runcard.domain.floor.organization import Organization
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.database import Database
from runcard.store.engine.tables import key_uses, metadata, tree_heads, tree_tiles
from runcard.store.people.organizations import update_organization
from tests.conftest import SQLITE_FILE, Template
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


@pytest.fixture(scope="module")
def visible(server: Server) -> Iterator[Callable[[], str]]:
    """Which commits are to be seen: what is the same when it is asked again stands for the same rows."""
    if server.database_url is None:
        with closing(sqlite3.connect(server.data_dir / SQLITE_FILE)) as connection:
            yield lambda: str(connection.execute("PRAGMA data_version").fetchone())
    else:
        with psycopg.connect(server.database_url, autocommit=True) as asking:
            yield lambda: str(asking.execute("SELECT pg_current_snapshot()::text").fetchone())


class Rows:
    """The rows of all tables, as the driver tells them: there are many, and what they mean is not asked."""

    def __init__(self, database: Database, visible: Callable[[], str]) -> None:
        self._database = database
        self._visible = visible
        self._read: tuple[str, dict[str, Sequence[Any]]] | None = None

    def by_table(self) -> dict[str, Sequence[Any]]:
        """Read anew only where somebody has committed since."""
        seen = self._visible()
        if self._read is None or self._read[0] != seen:
            with self._database.read() as connection:
                found = {
                    table.name: connection.execute(select(text("*")).select_from(table)).cursor.fetchall()
                    for table in metadata.sorted_tables
                    if table not in _BESIDE
                }
            self._read = seen, found
        return self._read[1]


# A server fills them from the change log by itself, a moment after each commit.
_BESIDE = (tree_tiles, tree_heads, key_uses)


@pytest.fixture(scope="module")
def record_rows(record: Database, visible: Callable[[], str]) -> Rows:
    """Of the database of `server`."""
    return Rows(record, visible)


Unchanged = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def unchanged(record_rows: Rows) -> Unchanged:
    """A block that must leave every row of every table as it was; `but`: names of tables that may change."""

    @contextmanager
    def check(*, but: Collection[str] = ()) -> Iterator[None]:
        before = record_rows.by_table()
        yield
        after = record_rows.by_table()
        for name in before.keys() - set(but):
            # Mostly they come in the same order, too, and all are the same.
            if after[name] != before[name]:
                assert _sorted(after[name]) == _sorted(before[name]), name

    return check


def _sorted(rows: Sequence[Any]) -> list[str]:
    return sorted(map(repr, rows))


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
        server.change(lambda tx: update_organization(tx.of(SystemActor(home, "test")), changed))
        try:
            yield changed
        finally:
            server.change(lambda tx: update_organization(tx.of(SystemActor(home, "test")), before))

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
