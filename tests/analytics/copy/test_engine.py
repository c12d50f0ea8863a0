"""The file of the copy: what cannot be used is begun anew, and what another process owns is left alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from runcard.analytics.copy.engines.duckdb import CopyLocked, DuckDb
from runcard.analytics.copy.engines.engine import CopyFailed
from runcard.analytics.copy.schema import SCHEMA_VERSION

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.duckdb"


@pytest.fixture
def marked(path: Path) -> Path:
    """A copy that has seen change 7."""
    engine = DuckDb(path)
    with engine.transaction() as cursor:
        cursor.execute("UPDATE copy_state SET seq = 7")
    engine.close()
    return path


def seen(path: Path) -> tuple[int, int]:
    engine = DuckDb(path)
    try:
        with engine.transaction() as cursor:
            [state] = cursor.execute("SELECT version, seq FROM copy_state").fetchall()
    finally:
        engine.close()
    version, seq = state
    return version, seq


def test_it_stays_what_it_was(marked: Path) -> None:
    assert seen(marked) == (SCHEMA_VERSION, 7)


def test_one_of_another_version_is_begun_anew(marked: Path) -> None:
    with duckdb.connect(marked) as connection:
        connection.execute("UPDATE copy_state SET version = version - 1")
    assert seen(marked) == (SCHEMA_VERSION, 0)


@pytest.mark.parametrize("left", [0, 1, 4096, 100_000])
def test_one_that_was_cut_off_is_begun_anew(marked: Path, left: int) -> None:
    with marked.open("r+b") as file:
        file.truncate(left)
    assert seen(marked) == (SCHEMA_VERSION, 0)


@pytest.mark.parametrize("rubbish", [b"SQLite format 3\0" * 1000, b"\0" * 20_000])
def test_something_else_is_begun_anew(path: Path, rubbish: bytes) -> None:
    path.write_bytes(rubbish)
    assert seen(path) == (SCHEMA_VERSION, 0)


def test_one_with_other_tables_is_begun_anew(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE copy_state (unknown INTEGER)")
    assert seen(path) == (SCHEMA_VERSION, 0)


@pytest.mark.parametrize("statement", ["SELECT * FROM no_such_table", "SELECT 'x'::INTEGER"])
def test_what_fails_is_undone(marked: Path, statement: str) -> None:
    engine = DuckDb(marked)

    def fail() -> None:
        with engine.transaction() as cursor:
            cursor.execute("UPDATE copy_state SET seq = 8")
            cursor.execute(statement)

    with pytest.raises(CopyFailed) as failed:
        fail()
    assert not failed.value.is_damaged
    engine.close()
    assert seen(marked) == (SCHEMA_VERSION, 7)


def test_a_folder_in_its_place_is_left_alone(path: Path) -> None:
    path.mkdir()
    with pytest.raises(CopyFailed):
        DuckDb(path)
    assert path.is_dir()


@pytest.fixture
def held(marked: Path) -> Iterator[Path]:
    """A copy that another process has open."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, marked], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield marked
        holder.communicate()


def test_one_that_another_process_owns_is_left_alone(held: Path) -> None:
    before = held.stat().st_ino
    with pytest.raises(CopyLocked):
        DuckDb(held)
    assert held.stat().st_ino == before


def test_it_is_begun_anew_on_demand(marked: Path) -> None:
    engine = DuckDb(marked)
    engine.begin_anew()
    with engine.transaction() as cursor:
        assert cursor.execute("SELECT seq FROM copy_state").fetchall() == [(0,)]
    engine.close()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{other}')",
        "COPY (SELECT 1) TO '{other}'",
        "ATTACH '{other}'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ],
)
def test_no_query_reaches_anything_but_the_copy(path: Path, tmp_path: Path, query: str) -> None:
    other = tmp_path / "other"
    other.write_text("a secret", "ascii")
    engine = DuckDb(path)
    with pytest.raises(CopyFailed), engine.transaction() as cursor:
        cursor.execute(query.format(other=other))
    engine.close()
    assert other.read_text("ascii") == "a secret"
