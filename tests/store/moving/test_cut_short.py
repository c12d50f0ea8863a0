"""A move that is killed or loses its database, in every one of its steps, and goes on where it ended."""

from contextlib import closing
from itertools import count

import psycopg
import pytest

from runcard.domain.errors import Conflict
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import DATABASE_ERRORS, Database
from runcard.store.moving.checks import open_target
from runcard.store.moving.journal import is_closed
from runcard.store.moving.undoing import undo_move
from tests.postgresql import Postgresql
from tests.store.filled import Filled
from tests.store.moving.moves import change, kill_at, move
from tests.store.moving.rows import rows_of
from tests.world import World

# Where it is killed: at this step, as soon as so much of it is done. Each time it comes further than before.
_KILLED_AT = (
    ("Preparing", 1),
    ("Preparing", 2),
    ("Preparing", 3),
    ("Preparing", 4),
    ("Copying", 20),
    ("Copying", 60),
    ("Catching up", 0),
    ("Making indexes", 30),
    ("Comparing", 10),
    ("Switching", 0),
    ("Switching", 1),
    ("Switching", 2),
)
_KILLED_AFTER_THE_SWITCH = (("Switching", 3), ("Checking foreign keys", 40))


def test_killed_in_every_step(database: Database, target: Database, writer: Writer, world: World):
    filled, numbers = Filled(database, writer, world), count(100)
    for step, done in _KILLED_AT:
        kill_at(step, done, database, target)
        assert not is_closed(database)
        change(filled, next(numbers))
    for step, done in _KILLED_AFTER_THE_SWITCH:
        kill_at(step, done, database, target)
        assert is_closed(database)
    move(database, target)
    assert rows_of(target) == rows_of(database)


def test_connections_are_lost_in_the_middle(
    database: Database, target: Database, writer: Writer, world: World
):
    filled = Filled(database, writer, world)
    for step, done in (("Comparing", 20), ("Switching", 1)):

        def lose(told: str, told_done: int, _total: int, step: str = step, done: int = done) -> None:
            if told == step and told_done >= done:
                _end_connections(target)

        with pytest.raises(DATABASE_ERRORS):
            move(database, target, lose)
        assert not is_closed(database)
        change(filled, 100 + done)
    move(database, target)
    assert rows_of(target) == rows_of(database)


def _end_connections(target: Database) -> None:
    url = target.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_two_moves_into_one_database(database: Database, target: Database):
    with closing(open_target(target.address)) as same:

        def move_too(_step: str, _done: int, _total: int) -> None:
            move(database, same)

        with pytest.raises(Conflict, match="Another `runcard move` writes"):
            move(database, target, move_too)


def test_a_move_goes_on_into_no_other_database(database: Database, target: Database, postgresql: Postgresql):
    kill_at("Copying", 0, database, target)
    with postgresql.database() as url, closing(open_target(url)) as other:
        with pytest.raises(Conflict, match="moving into another database"):
            move(database, other)
        assert not undo_move(database, None)
        move(database, other)
        assert rows_of(other) == rows_of(database)


def test_an_undone_move_begins_anew_in_an_empty_database(
    database: Database, target: Database, writer: Writer, world: World
):
    Filled(database, writer, world)
    kill_at("Comparing", 0, database, target)
    undo_move(database, None)
    with pytest.raises(Conflict, match="or one that was undone"):
        move(database, target)
