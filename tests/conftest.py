"""What all tests may ask for: databases of both kinds, the cast in one, and a server that runs on one."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.postgresql import Postgresql, running_postgresql
from tests.servers import Installation, Server
from tests.world import World, build_world, build_world_by_command

DatabaseKind = Literal["sqlite", "postgresql"]

SQLITE_FILE = "runcard.sqlite3"


class ByModuleAndDatabase(LoadScopeScheduling):
    """Keeps in one process what shares a server or a database: a module, for each kind of database.

    xdist has marks for that, which pytest 9.2 no longer lets it read.
    """

    def _split_scope(self, nodeid: str) -> str:
        module, _, rest = nodeid.partition("::")
        kind = re.search(r"[\[-](sqlite|postgresql)[\]-]", rest)
        return f"{module} {kind[1]}" if kind else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """How tests are spread over processes, unless the command line asks for another way than `loadgroup`."""
    return ByModuleAndDatabase(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server of this session's own."""
    with running_postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def postgresql_url(postgresql: Postgresql) -> Iterator[str]:
    """An empty PostgreSQL database of the module's own."""
    with postgresql.database() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """Each kind in turn: a test that asks for it, or for what stands on it, runs twice."""
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture(scope="module")
def postgresql_if_wanted(database_kind: DatabaseKind, request: pytest.FixtureRequest) -> Postgresql | None:
    """The PostgreSQL server, started only where the kind is that."""
    return request.getfixturevalue("postgresql") if database_kind == "postgresql" else None


class Template(NamedTuple):
    """A database to copy, which nobody is connected to; `world`: the cast, where it is in there."""

    installation: Installation
    world: World | None = None

    def copy(self, folder: Path, postgresql: Postgresql | None) -> Iterator[str | None]:
        """URL of a copy, for a while; None: the copy is a SQLite file in `folder`."""
        if postgresql is None:
            shutil.copyfile(self.installation.data_dir / SQLITE_FILE, folder / SQLITE_FILE)
            yield None
        else:
            with postgresql.database(self.installation.database_url) as url:
                yield url


@pytest.fixture(scope="session")
def templates() -> dict[tuple[str, DatabaseKind], Template]:
    """Databases that have been made for copying, by name and kind."""
    return {}


@pytest.fixture(scope="module")
def migrated(
    database_kind: DatabaseKind,
    postgresql_if_wanted: Postgresql | None,
    templates: dict[tuple[str, DatabaseKind], Template],
    tmp_path_factory: pytest.TempPathFactory,
) -> Template:
    """Every table and no row."""
    key = ("migrated", database_kind)
    if key not in templates:
        url = None if postgresql_if_wanted is None else postgresql_if_wanted.create()
        installation = Installation(tmp_path_factory.mktemp("migrated"), url)
        with installation.database() as database:
            migrate(database)
        templates[key] = Template(installation)
    return templates[key]


@pytest.fixture(scope="module")
def peopled(
    database_kind: DatabaseKind,
    postgresql_if_wanted: Postgresql | None,
    templates: dict[tuple[str, DatabaseKind], Template],
    tmp_path_factory: pytest.TempPathFactory,
) -> Template:
    """The cast, made by commands."""
    key = ("peopled", database_kind)
    if key not in templates:
        url = None if postgresql_if_wanted is None else postgresql_if_wanted.create()
        installation = Installation(tmp_path_factory.mktemp("peopled"), url)
        templates[key] = Template(installation, build_world_by_command(installation.runcard))
    return templates[key]


@pytest.fixture
def database_url(
    migrated: Template, postgresql_if_wanted: Postgresql | None, tmp_path: Path
) -> Iterator[str | None]:
    """A migrated database of the test's own; None: the SQLite file in `tmp_path`."""
    yield from migrated.copy(tmp_path, postgresql_if_wanted)


@pytest.fixture
def database(database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    """The same, open."""
    opened = Database.open(database_url, tmp_path / SQLITE_FILE)
    yield opened
    opened.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """The writer of `database`."""
    working = Writer(database)
    yield working
    working.close()


@pytest.fixture
def world(writer: Writer) -> World:
    """The cast, in `database`."""
    return build_world(writer)


@pytest.fixture(scope="module")
def peopled_database_url(
    peopled: Template, postgresql_if_wanted: Postgresql | None, module_data_dir: Path
) -> Iterator[str | None]:
    """A database of the module's own with the cast; None: the SQLite file in `module_data_dir`."""
    yield from peopled.copy(module_data_dir, postgresql_if_wanted)


@pytest.fixture(scope="module")
def module_data_dir(database_kind: DatabaseKind, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data directory of the module's own, for each kind of database."""
    return tmp_path_factory.mktemp(database_kind)


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """RUNCARD_* variables of `server`; a module that wants others defines this itself."""
    return {}


@pytest.fixture(scope="module")
def server(
    module_data_dir: Path,
    peopled_database_url: str | None,
    peopled: Template,
    server_settings: dict[str, str],
) -> Iterator[Server]:
    """A running server with the cast, for the whole module. Runs are kept apart by fresh serial numbers."""
    assert peopled.world is not None
    running = Server(module_data_dir, peopled_database_url, peopled.world, server_settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def server_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Shows what the server said during a test, beside the failure."""
    running = request.getfixturevalue("server") if "server" in request.fixturenames else None
    before = len(running.log) if running else 0
    yield
    if running:
        print(running.log[before:])  # noqa: T201 (captured; shown where the test failed)
