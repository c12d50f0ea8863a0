"""What all tests may ask for: databases of both kinds, the cast, and a server that runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

import httpx
import pytest

from runcard.store.database import Database
from runcard.store.migrate import migrate
from runcard.store.writer import Writer
from tests.postgresql import Postgresql, running_postgresql
from tests.servers import Installation, Server
from tests.world import World, build_world, build_world_by_command

DatabaseKind = Literal["sqlite", "postgresql"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares a server in one process: a module, for each kind of database."""
    for item in items:
        assert isinstance(item, pytest.Function)
        shares = "server" in item.fixturenames and item.get_closest_marker("xdist_group") is None
        if shares:
            kind = item.callspec.params["database_kind"]
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__} {kind}"))


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgresql]:
    """A PostgreSQL server that has just been made."""
    with running_postgresql(tmp_path_factory.mktemp("postgresql")) as running:
        yield running


@pytest.fixture(scope="module")
def postgresql_url(postgresql: Postgresql) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with postgresql.database() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """Each kind in turn: whoever asks for it, or for what stands on it, runs twice."""
    kind: DatabaseKind = request.param
    return kind


class Template(NamedTuple):
    """A database to copy, that nobody is connected to: a SQLite file, or a PostgreSQL URL."""

    path: Path
    url: str | None


class Templates:
    """Makes each template when it is first asked for."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._migrated: dict[DatabaseKind, Template] = {}
        self._peopled: dict[DatabaseKind, tuple[Template, World]] = {}

    def migrated(self, kind: DatabaseKind) -> Template:
        """A database with every table and no row."""
        if kind not in self._migrated:
            template = self._new(kind, "migrated")
            database = Database.open(template.url, template.path)
            migrate(database)
            database.close()
            self._migrated[kind] = template
        return self._migrated[kind]

    def peopled(self, kind: DatabaseKind) -> tuple[Template, World]:
        """A database with the cast, made by commands."""
        if kind not in self._peopled:
            template = self._new(kind, "peopled")
            installation = Installation(template.path.parent, template.url)
            self._peopled[kind] = template, build_world_by_command(installation.runcard)
        return self._peopled[kind]

    @property
    def postgresql(self) -> Postgresql:
        """Started for those who need it only."""
        running: Postgresql = self._request.getfixturevalue("postgresql")
        return running

    def _new(self, kind: DatabaseKind, name: str) -> Template:
        folder = self._folder / f"{name}-{kind}"
        folder.mkdir()
        url = self.postgresql.create() if kind == "postgresql" else None
        return Template(folder / "runcard.sqlite3", url)


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(request, tmp_path_factory.mktemp("templates"))


def _copies(template: Template, folder: Path, postgresql: Postgresql) -> Iterator[str | None]:
    """The URL of a copy, for a while; None for SQLite, whose file is copied into the folder."""
    if template.url is None:
        shutil.copyfile(template.path, folder / template.path.name)
        yield None
    else:
        with postgresql.database(template.url) as url:
            yield url


@pytest.fixture
def database_url(database_kind: DatabaseKind, templates: Templates, tmp_path: Path) -> Iterator[str | None]:
    """A migrated database of the test's own; None: the SQLite file runcard.sqlite3 in `tmp_path`."""
    template = templates.migrated(database_kind)
    if template.url is None:
        shutil.copyfile(template.path, tmp_path / template.path.name)
        yield None
    else:
        with templates.postgresql.database(template.url) as url:
            yield url


@pytest.fixture
def database(database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    """The same, open."""
    opened = Database.open(database_url, tmp_path / "runcard.sqlite3")
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
