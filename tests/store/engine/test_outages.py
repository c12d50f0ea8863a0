"""What databases and disks really say when they cannot go on is named, and nothing else is."""

import errno
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from runcard.domain.errors import CommitInDoubt, DatabaseUnavailable, Outage, StorageFull, StorageReadOnly
from runcard.store.commit.group_commit import GroupCommit, Write
from runcard.store.engine.database import DATABASE_ERRORS, Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.outages import outage_of
from runcard.store.files.blobs import Blobs
from tests.conftest import SQLITE_FILE


def raised_by(database: Database, statement: str) -> Outage | None:
    with pytest.raises(DATABASE_ERRORS) as raised, database.engine.connect() as connection:
        connection.execute(text(statement))
    return outage_of(raised.value)


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(None, tmp_path / SQLITE_FILE)
    yield opened
    opened.close()


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[Database]:
    opened = Database.open(postgresql_url, Path())
    yield opened
    opened.close()


def test_sqlite_is_full(on_disk: Database) -> None:
    def bound(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=2")

    event.listen(on_disk.engine, "connect", bound)
    found = raised_by(on_disk, "CREATE TABLE t AS SELECT zeroblob(1000000)")
    assert isinstance(found, StorageFull)
    assert "full" in found.detail


def test_sqlite_only_reads(on_disk: Database) -> None:
    with on_disk.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    file = on_disk.url.database
    with closing(Database.at(f"sqlite+pysqlite:///file:{file}?mode=ro&uri=true")) as reading:
        assert isinstance(raised_by(reading, "CREATE TABLE t (a)"), StorageReadOnly)


def test_sqlite_is_locked(on_disk: Database) -> None:
    with on_disk.writing_connection() as first, first.begin(), on_disk.engine.connect() as second:
        second.exec_driver_sql("PRAGMA busy_timeout=0")
        with pytest.raises(DATABASE_ERRORS) as raised:
            second.execute(text("CREATE TABLE t (a)"))
        second.rollback()
    assert isinstance(outage_of(raised.value), DatabaseUnavailable)


def test_sqlite_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / SQLITE_FILE).mkdir()
    with closing(Database.open(None, tmp_path / SQLITE_FILE)) as database:
        assert isinstance(raised_by(database, "SELECT 1"), DatabaseUnavailable)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("53100", StorageFull),
        ("25006", StorageReadOnly),
        ("53300", DatabaseUnavailable),
        ("57P01", DatabaseUnavailable),
        ("57P03", DatabaseUnavailable),
        ("58030", DatabaseUnavailable),
        ("08006", DatabaseUnavailable),
    ],
)
def test_postgresql_says_so(on_postgresql: Database, code: str, kind: type[Outage]) -> None:
    found = raised_by(
        on_postgresql, f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$"
    )
    assert type(found) is kind
    assert "so it is" in found.detail


def test_postgresql_is_not_there(tmp_path: Path) -> None:
    with closing(Database.open(f"postgresql:///none?host={tmp_path}", tmp_path)) as database:
        assert isinstance(raised_by(database, "SELECT 1"), DatabaseUnavailable)


def test_postgresql_ends_a_connection(on_postgresql: Database) -> None:
    found = raised_by(on_postgresql, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert isinstance(found, DatabaseUnavailable)


def test_a_mistake_is_no_outage(on_disk: Database, on_postgresql: Database) -> None:
    for database in (on_disk, on_postgresql):
        assert raised_by(database, "SELECT nonsense FROM nowhere") is None
    for error in (KeyError(), OSError(errno.ENOENT, "x"), TimeoutError()):
        assert outage_of(error) is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageReadOnly)],
)
def test_what_the_operating_system_says(code: int, kind: type[Outage]) -> None:
    assert type(outage_of(OSError(code, "x"))) is kind


_WRITES_A_FILE = """
import io, resource, sys
from pathlib import Path
from runcard.domain.errors import StorageFull
from runcard.store.files.blobs import Blobs
blobs = Blobs.open(None, None, Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    blobs.write("a/b", io.BytesIO(b"x" * 100_000))
except StorageFull:
    print("full")
"""


def test_files_find_no_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WRITES_A_FILE, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "full\n"
    Blobs.open(None, None, tmp_path).write("a/b", io.BytesIO(b"x"))  # which left nothing in the way


def test_where_the_database_is_away_a_whole_group_is_told_at_once(tmp_path: Path) -> None:
    """Its writes are not tried one by one, each for as long as the database is waited for."""
    (tmp_path / SQLITE_FILE).mkdir()
    tried: list[None] = []
    with closing(Database.open(None, tmp_path / SQLITE_FILE)) as database:
        event.listen(database.engine, "do_connect", lambda *_: tried.append(None))
        commits = GroupCommit(database)
        outcomes = commits.commit([Write(lambda _: None)] * 50)
        commits.close()
    errors = [outage_of(one.error) for one in outcomes if one.error is not None]
    assert [type(one) for one in errors] == [DatabaseUnavailable] * 50
    assert len(tried) == 2, "once for all, and once for the first alone"


def test_what_may_have_been_committed_is_not_told_as_lost(on_postgresql: Database) -> None:
    """A trigger ends the connection of whoever commits, as it would if the server went away at that moment."""
    migrate(on_postgresql)
    with on_postgresql.engine.begin() as connection:
        connection.execute(text(_ENDS_AT_COMMIT))
    commits = GroupCommit(on_postgresql)
    (outcome,) = commits.commit(
        [Write(lambda tx: tx.connection.execute(text("INSERT INTO ended VALUES (1)")))]
    )
    commits.close()
    assert isinstance(outcome.error, CommitInDoubt)
    assert "may be recorded or not" in outcome.error.message


_ENDS_AT_COMMIT = """
CREATE TABLE ended (a integer);
CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER end_it AFTER INSERT ON ended DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION end_it();
"""
