"""The change log: in commit order, also where two transactions are open at once."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from runcard.store.commit.catalog import Catalog
from runcard.store.commit.changes import ChangeKind, last_seq, list_changes
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from tests.world import World


def note(connection: Connection, organization_id: UUID, kind: ChangeKind) -> None:
    tx = SharedTransaction(connection, Catalog())
    tx.note_change(organization_id, kind, organization_id)
    tx.finish()


def noting(organization_id: UUID, kind: ChangeKind) -> Callable[[SharedTransaction], None]:
    return lambda tx: tx.note_change(organization_id, kind, organization_id)


def kinds_after(database: Database, seq: int) -> list[str]:
    with database.read() as connection:
        return [change.kind for change in list_changes(connection, seq, 100)]


def test_pages_go_on_after_the_last_seen(database: Database, writer: Writer, world: World) -> None:
    with database.read() as connection:
        before = last_seq(connection)
    happened: list[ChangeKind] = ["part_created", "unit_created", "run_recorded", "unit_moved", "run_deleted"]
    for kind in happened:
        writer.write_shared(noting(world.acme.id, kind))
    with database.read() as connection:
        first = list_changes(connection, before, 2)
        rest = list_changes(connection, first[-1].seq, 100)
        assert [change.kind for change in [*first, *rest]] == happened
        assert last_seq(connection) == rest[-1].seq


class TestTwoOpenTransactions:
    """On PostgreSQL a sequence hands out numbers before the commit, so the log must hold the second one back."""

    @pytest.fixture
    def postgresql_only(self, database: Database) -> Database:
        if not database.is_postgresql:
            pytest.skip("SQLite has one writer at a time, so no two transactions can be open")
        return database

    def test_the_second_waits_until_the_first_is_committed(
        self, postgresql_only: Database, writer: Writer, world: World
    ) -> None:
        database = postgresql_only
        with database.read() as connection:
            before = last_seq(connection)
        committed = threading.Event()

        def second() -> None:
            with database.writing_connection() as connection, connection.begin():
                note(connection, world.acme.id, "run_deleted")
            committed.set()

        with database.writing_connection() as connection:
            transaction = connection.begin()
            note(connection, world.acme.id, "run_recorded")
            thread = threading.Thread(target=second)
            thread.start()
            wait_for_blocked(database)
            assert not committed.is_set()
            assert kinds_after(database, before) == []
            transaction.commit()
        thread.join()
        assert kinds_after(database, before) == ["run_recorded", "run_deleted"]


def wait_for_blocked(database: Database) -> None:
    """Come back once somebody waits for an advisory lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(100_000):
        with database.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody waits for the lock")
