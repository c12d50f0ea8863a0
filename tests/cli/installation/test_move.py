"""`runcard move`: what it writes and says, and which errors it tells."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runcard.store.engine.database import Database
from runcard.store.moving.checks import open_target
from tests.cli.commands import run_here
from tests.conftest import SQLITE_FILE, DatabaseKind, Template
from tests.postgresql import Postgresql
from tests.store.moving.moves import kill_at


@pytest.fixture(scope="module", params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture
def data_dir(peopled: Template, tmp_path: Path) -> Path:
    """A data directory with the cast."""
    peopled.copy_for_good(tmp_path, None)
    return tmp_path


@pytest.fixture
def url(postgresql: Postgresql) -> Iterator[str]:
    """An empty database."""
    with postgresql.database() as url:
        yield url


def settings_of(data_dir: Path) -> Path:
    return data_dir / "runcard.toml"


def test_all_commands_use_the_new_database(data_dir: Path, url: str):
    settings_of(data_dir).write_text('log_format = "json"\n', encoding="utf-8")
    moved = run_here("move", "--to", url, "--data-dir", data_dir, "--json").json
    assert moved["database_url"] == f"written to {settings_of(data_dir)}"
    assert moved["database"].startswith("postgresql://postgres:***@/runcard_")
    assert settings_of(data_dir).read_text("utf-8") == f'database_url = "{url}"\nlog_format = "json"\n'
    assert settings_of(data_dir).stat().st_mode & 0o777 == 0o600
    for command in ("doctor", "verify"):
        assert run_here(command, "--data-dir", data_dir).code == 0
    made = run_here("user", "create", "new@acme.test", "--organization", "acme", "--data-dir", data_dir)
    assert made.code == 0, made.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM users WHERE email = 'new@acme.test'").fetchone() == (
            1,
        )


def test_the_url_may_stand_in_a_file(data_dir: Path, url: str):
    file = data_dir / "url"
    file.write_text(f"{url}\n", encoding="utf-8")
    assert run_here("move", "--to-file", file, "--data-dir", data_dir).code == 0
    both = run_here("move", "--to-file", file, "--to", url, "--data-dir", data_dir)
    assert (both.code, both.stderr) == (
        1,
        "Error: to: Both --to and --to-file are given; give one of them.\n",
    )


def test_a_second_move_has_nothing_to_do(data_dir: Path, url: str, postgresql: Postgresql):
    first = run_here("move", "--to", url, "--data-dir", data_dir)
    second = run_here("move", "--to", url, "--data-dir", data_dir, "--json").json
    assert (first.code, second["database_url"]) == (0, "is set already")
    with postgresql.database() as other:
        elsewhere = run_here("move", "--to", other, "--data-dir", data_dir)
    assert "has moved already, to another database. There is nothing to move." in elsewhere.stderr


def test_settings_that_cannot_be_written(data_dir: Path, url: str):
    """The admin is told what to do. Until then no command takes the old file for the record."""
    settings_of(data_dir).mkdir()
    move = ("move", "--to", url, "--data-dir", data_dir)
    refused = run_here(*move)
    assert refused.code == 1
    assert "could not be written to runcard.toml: Is a directory. Nothing is recorded until" in refused.stderr
    for command in (("doctor",), ("verify",), ("user", "list"), ("backup", data_dir / "backup")):
        lost = run_here(*command, "--data-dir", data_dir)
        assert lost.code == 1
        assert "has moved to PostgreSQL, and database_url is not set" in lost.stderr + lost.stdout
    # A variable that names the database stays the one place: a second would be forgotten when the password changes.
    variable = {"RUNCARD_DATABASE_URL": url}
    assert run_here(*move, "--json", **variable).json["database_url"] == "is set already"
    assert run_here("doctor", "--data-dir", data_dir, **variable).code == 0
    assert settings_of(data_dir).is_dir()


def test_a_move_is_undone(data_dir: Path, url: str):
    assert run_here("move", "--to", url, "--data-dir", data_dir).code == 0
    undone = run_here("move", "--undo", "--data-dir", data_dir, "--json").json
    assert undone["note"] == f"database_url is removed from {settings_of(data_dir)}. Start the server."
    made = run_here("user", "create", "new@acme.test", "--organization", "acme", "--data-dir", data_dir)
    assert made.code == 0, made.stderr
    with closing(sqlite3.connect(data_dir / SQLITE_FILE)) as connection:
        found = "SELECT count(*) FROM users WHERE email = 'new@acme.test'"
        assert connection.execute(found).fetchone() == (1,)


def test_a_backup_during_a_move_knows_nothing_of_it(data_dir: Path, url: str):
    """A restored copy must not keep a journal, nor be closed."""
    with closing(Database.open(None, data_dir / SQLITE_FILE)) as source, closing(open_target(url)) as target:
        kill_at("Copying", 0, source, target)
    assert run_here("backup", data_dir / "backup", "--data-dir", data_dir).code == 0
    assert traces_of(data_dir) > 0
    assert traces_of(data_dir / "backup") == 0


def traces_of(folder: Path) -> int:
    """How many tables and triggers of a move are in the SQLite file of a folder."""
    with closing(sqlite3.connect(folder / SQLITE_FILE)) as connection:
        found = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'move!_%' ESCAPE '!'"
        return int(connection.execute(found).fetchone()[0])


def test_what_cannot_be_moved_is_told(data_dir: Path, url: str, tmp_path_factory: pytest.TempPathFactory):
    def said(*arguments: str | Path, **variables: str) -> str:
        done = run_here("move", *arguments, **variables)
        assert done.code == 1, done.stdout
        return done.stderr

    at = ("--data-dir", data_dir)
    assert "to: Name the new database: --to postgresql://user@host/name." in said(*at)
    assert "to: The URL starts with sqlite://; give that of a PostgreSQL" in said("--to", "sqlite:///x", *at)
    assert "cannot be used" in said("--to", "postgresql://127.0.0.1:1/x", *at)
    assert "No move has begun in this data directory. There is nothing to undo." in said("--undo", *at)
    assert "does not keep its record in" in said("--to", url, *at, RUNCARD_DATABASE_URL=url)
    empty = tmp_path_factory.mktemp("empty")
    assert "holds no SQLite database that could move" in said("--to", url, "--data-dir", empty)


def test_a_value_that_postgresql_cannot_hold_is_named(data_dir: Path, url: str):
    with closing(sqlite3.connect(data_dir / SQLITE_FILE)) as connection, connection:
        connection.execute("UPDATE users SET name = 'a' || char(0) || 'b' WHERE email LIKE 'ann%'")
        connection.execute("UPDATE teams SET name = 'a' || char(0)")
        connection.execute("UPDATE procedures SET name = 'a' || char(0)")
    done = run_here("move", "--to", url, "--data-dir", data_dir)
    assert done.code == 1
    assert "has a value that PostgreSQL cannot hold: a text with the character NUL" in done.stderr
    assert run_here("user", "list", "--organization", "acme", "--data-dir", data_dir).code == 0
