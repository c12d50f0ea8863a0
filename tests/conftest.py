"""What all tests may ask for: databases of both kinds, the cast in one, and a server that runs on one."""

import re
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.examples import examples
from tests.postgresql import Postgresql, running_postgresql
from tests.servers import AnyServer, Installation, Server, loaded_runcard
from tests.trails import assert_trail_fits
from tests.world import World, add_cast, build_world, build_world_by_command

DatabaseKind = Literal["sqlite", "postgresql"]

SQLITE_FILE = "runcard.sqlite3"

# What runs unless the command line asks for another with --hypothesis-profile.
settings.load_profile("fast")


def pytest_report_header() -> str:
    """Which profile of hypothesis runs."""
    return f"hypothesis profile {settings.get_current_profile_name()}: {examples()} examples of each property"


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


@pytest.fixture(scope="session", autouse=True)
def loaded_runcard_ends() -> Iterator[None]:
    """What servers are copies of ends after the last of them, if there was one."""
    yield
    if loaded_runcard.cache_info().currsize:
        loaded_runcard().close()


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
        url = self.copy_for_good(folder, postgresql)
        try:
            yield url
        finally:
            if postgresql is not None and url is not None:
                postgresql.drop(url)

    def copy_for_good(self, folder: Path, postgresql: Postgresql | None) -> str | None:
        """The same for as long as the PostgreSQL server runs, or the file is there."""
        if postgresql is not None:
            return postgresql.create(self.installation.database_url)
        shutil.copyfile(self.installation.data_dir / SQLITE_FILE, folder / SQLITE_FILE)
        return None


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


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """Whether all that a test does stands in the audit trail. A module that writes past Runcard overrides it."""
    return True


@pytest.fixture
def writer(database: Database, trail_fits: bool) -> Iterator[Writer]:
    """The writer of `database`."""
    working = Writer(database)
    yield working
    working.close()
    if trail_fits:
        assert_trail_fits(database)


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
def own_server(
    module_data_dir: Path,
    peopled_database_url: str | None,
    peopled: Template,
    server_settings: dict[str, str],
    trail_fits: bool,
) -> Iterator[Server]:
    """A running server of the module's own, with the cast. Runs are kept apart by fresh serial numbers."""
    assert peopled.world is not None
    running = Server(module_data_dir, peopled_database_url, peopled.world, server_settings)
    running.start()
    yield running
    running.stop()
    if trail_fits:
        with running.database() as database:
            assert_trail_fits(database)


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """The module's own; folders and modules to which the shared one is as good say so."""
    return own_server


@pytest.fixture(scope="session")
def cast_numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture(scope="session")
def server_on_sqlite() -> Iterator[list[AnyServer]]:
    """The one that modules share, once one of them has started it."""
    yield from _stopped_in_the_end()


@pytest.fixture(scope="session")
def server_on_postgresql(postgresql: Postgresql) -> Iterator[list[AnyServer]]:
    """The same, which ends before its database does."""
    yield from _stopped_in_the_end()


def _stopped_in_the_end() -> Iterator[list[AnyServer]]:
    running: list[AnyServer] = []
    yield running
    for one in running:
        one.stop()
        with one.database() as database:
            assert_trail_fits(database)


@pytest.fixture(scope="module")
def shared_server(
    database_kind: DatabaseKind,
    postgresql_if_wanted: Postgresql | None,
    migrated: Template,
    tmp_path_factory: pytest.TempPathFactory,
    cast_numbers: Iterator[int],
    request: pytest.FixtureRequest,
) -> Iterator[Server]:
    """A running server, in which only the cast is the module's own: two organizations that nobody else is in.

    It is for modules that neither change what holds for the installation, nor end it, nor look at all of its record.
    """
    running: list[AnyServer] = request.getfixturevalue(f"server_on_{database_kind}")
    if not running:
        url = migrated.copy_for_good(data_dir := tmp_path_factory.mktemp("shared"), postgresql_if_wanted)
        running.append(AnyServer(data_dir, url))
        running[0].start()
    number = next(cast_numbers)
    shared = Server.sharing(running[0], running[0].change(lambda tx: add_cast(tx, number)))
    before = shared.log_size
    yield shared
    assert "Traceback" not in (said := shared.log_since(before)), said


@pytest.fixture(autouse=True)
def server_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Shows what the server said during a test, beside the failure."""
    running = request.getfixturevalue("server") if "server" in request.fixturenames else None
    before = running.log_size if running else 0
    yield
    if running:
        print(running.log_since(before))  # noqa: T201 (captured; shown where the test failed)
