"""The writer: groups, what is undone alone, and catalogs that other processes keep true."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from runcard.auth.api_keys import new_api_key
from runcard.auth.tokens import digest_of
from runcard.domain.actor import StationActor, SystemActor
from runcard.domain.errors import AlreadyExists, Unauthenticated, WriteTimedOut
from runcard.domain.floor.key import KeyTerms
from runcard.domain.ids import new_id
from runcard.store.commit.changes import list_changes
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.tables import batches
from runcard.store.people.api_keys import create_station_key, list_keys, revoke_key
from runcard.store.stations.rows import link_procedures, unlink_procedures
from tests.world import World


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """No: these tests stage rows of their own, past the audit trail."""
    return False


def batch_row(world: World, number: str, moment: Any) -> dict[str, Any]:
    creator = Creator.of(world.acme.admin.actor)
    return {
        "id": new_id(),
        "organization_id": world.acme.id,
        "number": number,
        "number_key": number,
        "created_at": moment,
        **creator.columns,
    }


def stage(world: World, number: str) -> Callable[[SharedTransaction], str]:
    def apply(tx: SharedTransaction) -> str:
        tx.stage(batches, batch_row(world, number, tx.now))
        tx.note_change(world.acme.id, "batch_created", world.acme.id)
        return number

    return apply


def numbers(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(batches.c.number).order_by(batches.c.number)).scalars())


def change_kinds(database: Database) -> list[str]:
    with database.read() as connection:
        return [
            change.kind for change in list_changes(connection, 0, 1000) if change.kind.startswith("batch")
        ]


def run_as_one_group(writer: Writer, *writes: Callable[[SharedTransaction], Any]) -> list[Any]:
    """What each write returns or raises, where all of them wait while the writer is held up."""
    holding, release = threading.Event(), threading.Event()

    def hold(_tx: SharedTransaction) -> None:
        holding.set()
        release.wait()

    held = writer.submit(hold)
    holding.wait()
    waiting = [writer.submit(write) for write in writes]
    release.set()
    held.result()
    return [future.exception() or future.result() for future in waiting]


def test_everyone_in_a_group_gets_its_own_answer(database: Database, writer: Writer, world: World) -> None:
    answers = run_as_one_group(writer, *(stage(world, f"{position:03}") for position in range(100)))
    assert answers == [f"{position:03}" for position in range(100)] == numbers(database)


def test_what_is_refused_leaves_nothing_and_takes_nobody_along(
    database: Database, writer: Writer, world: World
) -> None:
    def refuse_after_staging(tx: SharedTransaction) -> None:
        stage(world, "staged")(tx)
        raise AlreadyExists("Batch", "staged")

    def refuse_after_executing(tx: SharedTransaction) -> None:
        stage(world, "staged first")(tx)
        tx.connection.execute(insert(batches).values(batch_row(world, "executed", tx.now)))
        stage(world, "staged last")(tx)
        raise AlreadyExists("Batch", "executed")

    answers = run_as_one_group(
        writer,
        stage(world, "a"),
        refuse_after_staging,
        stage(world, "b"),
        refuse_after_executing,
        stage(world, "c"),
    )
    assert [type(answer) for answer in answers] == [str, AlreadyExists, str, AlreadyExists, str]
    assert numbers(database) == ["a", "b", "c"]
    assert change_kinds(database) == ["batch_created"] * 3


def test_a_broken_constraint_fails_its_own_write_only(
    database: Database, writer: Writer, world: World
) -> None:
    answers = run_as_one_group(
        writer, stage(world, "a"), stage(world, "twice"), stage(world, "twice"), stage(world, "b")
    )
    assert [answers[0], answers[1], answers[3]] == ["a", "twice", "b"]
    assert isinstance(answers[2], Exception)
    assert "unique" in str(answers[2]).lower()
    assert numbers(database) == ["a", "b", "twice"]


def test_a_failed_statement_is_raised_where_it_was_submitted(writer: Writer, world: World) -> None:
    def execute_twice(tx: SharedTransaction) -> None:
        for _ in range(2):
            tx.connection.execute(insert(batches).values(batch_row(world, "same", tx.now)))

    with pytest.raises(IntegrityError):
        writer.write_shared(execute_twice)
    assert writer.write_shared(stage(world, "next")) == "next"


def test_a_write_sees_what_others_of_its_group_staged(writer: Writer, world: World) -> None:
    def count(tx: SharedTransaction) -> int:
        return len(tx.connection.execute(select(batches.c.id)).all())

    assert run_as_one_group(writer, stage(world, "a"), count, stage(world, "b"), count) == ["a", 1, "b", 2]


def test_close_finishes_what_was_submitted(database: Database, world: World) -> None:
    writer = Writer(database)
    waiting = [writer.submit(stage(world, f"{position:03}")) for position in range(50)]
    writer.close()
    assert all(future.done() for future in waiting)
    assert len(numbers(database)) == 50


def test_a_write_that_is_withdrawn_leaves_nothing_and_does_not_harm_its_group(
    database: Database, writer: Writer, world: World
) -> None:
    holding, release = threading.Event(), threading.Event()

    def hold(_shared: SharedTransaction) -> None:
        holding.set()
        release.wait()

    held = writer.submit(hold)
    holding.wait()
    withdrawn, staying = writer.submit(stage(world, "withdrawn")), writer.submit(stage(world, "stayed"))
    assert withdrawn.cancel()
    release.set()
    assert (held.result(), staying.result()) == (None, "stayed")
    assert numbers(database) == ["stayed"]


def test_a_write_without_a_turn_is_withdrawn_in_time_and_one_that_has_begun_is_waited_for(
    database: Database, world: World
) -> None:
    holding, release = threading.Event(), threading.Event()

    def hold(_tx: SharedTransaction) -> str:
        holding.set()
        release.wait()
        return "held"

    def hold_as_soon_as_there_is_a_turn() -> str:
        """On a busy machine its turn, too, may come too late: what is withdrawn then asks again."""
        while True:
            with suppress(WriteTimedOut):
                return impatient.write_shared(hold)

    with closing(Writer(database, wait_s=0.01)) as impatient, ThreadPoolExecutor() as threads:
        held = threads.submit(hold_as_soon_as_there_is_a_turn)
        holding.wait()
        with pytest.raises(WriteTimedOut):
            impatient.write_shared(stage(world, "late"))
        release.set()
        assert held.result() == "held"
    assert numbers(database) == []


class TestCatalogOfAnotherProcess:
    """Two writers on one database stand for two processes: each has a catalog of its own."""

    @pytest.fixture
    def other(self, database: Database) -> Any:
        writer = Writer(database)
        yield writer
        writer.close()

    def test_an_unlinked_procedure(self, writer: Writer, other: Writer, world: World) -> None:
        station, procedure = world.acme.ict.actor.station_id, world.acme.board.id

        def link(tx: SharedTransaction) -> UUID | None:
            return tx.catalog.link(station, procedure)

        assert writer.write_shared(link) == station
        other.write_shared(
            lambda tx: unlink_procedures(tx.of(SystemActor(world.acme.id, "test")), station, [procedure])
        )
        assert writer.write_shared(link) is None
        other.write_shared(
            lambda tx: link_procedures(tx.of(SystemActor(world.acme.id, "test")), station, [procedure])
        )
        assert writer.write_shared(link) == station

    def test_a_revoked_key(self, database: Database, writer: Writer, other: Writer, world: World) -> None:
        from_key = digest_of(world.acme.fct.api_key)
        with database.read_in(world.acme.id) as scope:
            keys = {key.station_id: key.id for key in list_keys(scope)}
        key_id = keys[world.acme.fct.actor.station_id]
        found = writer.write_shared(lambda tx: tx.catalog.actor(from_key, tx.now))
        assert isinstance(found, StationActor)
        assert found.station_id == world.acme.fct.actor.station_id
        other.write_shared(lambda tx: revoke_key(tx.of(SystemActor(world.acme.id, "test")), key_id))
        with pytest.raises(Unauthenticated, match="Invalid API key"):
            writer.write_shared(lambda tx: tx.catalog.actor(from_key, tx.now))

    def test_a_key_that_expires(self, writer: Writer, world: World) -> None:
        key, author = new_api_key(), SystemActor(world.acme.id, "test")
        end = datetime.now(UTC) + timedelta(days=1)
        station_id = world.acme.fct.actor.station_id
        terms = KeyTerms(expires_at=end)
        writer.write(author, lambda tx: create_station_key(tx, station_id, key.secret, terms))
        from_key = key.secret.digest
        found = writer.write_shared(lambda tx: tx.catalog.actor(from_key, tx.now))
        assert isinstance(found, StationActor)
        with pytest.raises(Unauthenticated, match="Invalid API key: it expired at"):
            writer.write_shared(lambda tx: tx.catalog.actor(from_key, end))
