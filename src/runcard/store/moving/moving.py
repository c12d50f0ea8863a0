"""The move of an installation: copy, catch up, compare, switch (ADR 58).

Each step can be cut short at any moment; the next call goes on where it ended.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from runcard.domain.errors import Conflict
from runcard.domain.ids import new_id
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock
from runcard.store.engine.migrate import is_newest_schema, migrate
from runcard.store.moving.binary_rows import Moved, Sum, moved_tables
from runcard.store.moving.constraints import (
    LATER_TABLE,
    check_foreign_keys,
    drop_for_copy,
    drop_foreign_keys,
    make_foreign_keys,
    make_indexes,
)
from runcard.store.moving.journal import (
    changed_keys,
    changed_rows,
    changed_tables,
    close_file,
    last_number,
    open_journal,
    state_of,
)
from runcard.store.moving.source import all_rows, chunk_after, count_rows, highest_number, snapshot, writing
from runcard.store.moving.target import (
    MOVE_TABLE,
    MoveProgress,
    all_binary,
    begin_progress,
    delete_keys,
    empty_tables,
    has_organizations,
    insert_binary,
    last_key,
    note_position,
    progress_of,
    rows_with_keys,
)

# Unscoped: an installation is moved as a whole.

# With so few changed rows left, stations wait for a moment only.
_FEW_CHANGES = 1_000
# How long one statement of the switch may take, because stations wait for it. Then all is as before.
_LONGEST_WAIT_S = 60

# Is told the step, how much of it is done, and how much there is.
Tell = Callable[[str, int, int], None]


class Mover:
    """The move of the SQLite file `source` into the PostgreSQL database `target`.

    Use it in `alone`. tell: is told how far it has come.
    """

    def __init__(self, source: Database, target: Database, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._tell = tell
        self._tables = moved_tables()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block in which no other process moves into the target. Raises Conflict."""
        with self._target.alone(Lock.MOVE) as is_alone:
            if not is_alone:
                raise Conflict("Another `runcard move` writes to that database. Wait for it, or end it.")
            yield

    def begin(self) -> None:
        """Prepare both databases, or find that they are prepared. Raises Conflict if they belong to other moves."""
        with snapshot(self._source) as here:
            state = state_of(here)
        with self._target.engine.begin() as there:
            progress = progress_of(there)
            has_rows = progress is not None and has_organizations(there)
        if state is None:
            if has_rows:
                raise Conflict(
                    "That database holds the unfinished move of another installation, or one that was undone. "
                    "Name an empty database."
                )
            self._prepare()
        elif progress is None or progress.move_id != state.move_id:
            raise Conflict(
                "This installation is moving into another database, or has moved there. Name that one, or run "
                "`runcard move --undo` first."
            )
        with self._target.read() as there:
            if not is_newest_schema(there):
                raise Conflict(
                    "Another version of Runcard began this move. Go on with that version, or run `runcard move --undo` "
                    "and name an empty database."
                )

    @property
    def is_done(self) -> bool:
        """Whether the SQLite file is closed, and the target keeps nothing of a move, as after the end of one."""
        with self._target.engine.begin() as there:
            return self.is_switched and progress_of(there) is None

    @property
    def is_switched(self) -> bool:
        """Whether the SQLite file is closed, and all its rows are in the target."""
        with snapshot(self._source) as here:
            state = state_of(here)
        return state is not None and state.is_closed

    def copy_and_switch(self) -> None:
        """Copy all rows, and close the SQLite file. Until then everything is as before. Raises Conflict."""
        with self._target.engine.begin() as there:
            is_copied = _progress(there).position is not None
            drop_foreign_keys(there)
        if not is_copied:
            self._copy()
        self._catch_up()
        make_indexes(self._target, lambda done, total: self._tell("Making indexes", done, total))
        with self._target.engine.begin() as there:
            there.execute(text("ANALYZE"))
        self._catch_up()
        self._compare()
        self._catch_up()
        self._switch()

    def finish(self) -> None:
        """Check the foreign keys of the target, and remove what the move kept there. Servers may use it already."""
        check_foreign_keys(self._target, lambda done, total: self._tell("Checking foreign keys", done, total))
        with self._target.engine.begin() as there:
            there.execute(text(f"DROP TABLE {MOVE_TABLE}, {LATER_TABLE}"))

    def _prepare(self) -> None:
        move_id = new_id()
        self._tell("Preparing", 0, 4)
        with self._target.engine.begin() as there:
            begin_progress(there, move_id)
        self._tell("Preparing", 1, 4)
        migrate(self._target)
        self._tell("Preparing", 2, 4)
        with self._target.engine.begin() as there:
            drop_for_copy(there)
            empty_tables(there)
        self._tell("Preparing", 3, 4)
        with writing(self._source) as here:
            open_journal(here, move_id)
        self._tell("Preparing", 4, 4)

    def _copy(self) -> None:
        with snapshot(self._source) as here:
            total = sum(count_rows(here, table) for table in self._tables)
        done = 0
        for table in self._tables:
            with self._target.engine.begin() as there:
                done += count_rows(there, table)
                key = last_key(there, table)
            while rows := self._chunk(table, key):
                with self._target.engine.begin() as there:
                    insert_binary(there, table, rows)
                    key = last_key(there, table)
                done += len(rows)
                self._tell("Copying", min(done, total), total)
        with self._target.engine.begin() as there:
            note_position(there, 0)

    def _chunk(self, table: Moved, key: Sequence[Any] | None) -> Sequence[Any]:
        with snapshot(self._source) as here:
            return chunk_after(here, table, key)

    def _catch_up(self) -> None:
        """Bring what has changed meanwhile into the target, until little is left or no round is shorter than the last.

        After each round the target is the state of the source at one moment.
        """
        count: int | None = None
        while True:
            before = count
            with snapshot(self._source) as here, self._target.engine.begin() as there:
                count = self._follow(here, there)
            self._tell("Catching up", count, count)
            if count <= _FEW_CHANGES or (before is not None and count >= before):
                return

    def _follow(self, here: Connection, there: Connection) -> int:
        """Give the target all rows that have changed since its position. Return how many there were."""
        after = _progress(there).position or 0
        count = 0
        for table in changed_tables(here, after):
            count += delete_keys(there, table, changed_keys(here, table, after))
            given = Sum()
            insert_binary(there, table, given.counted(map(table.binary, changed_rows(here, table, after))))
            if Sum.of(rows_with_keys(there, table, changed_keys(here, table, after))) != given:
                raise _different(table)
        note_position(there, max(after, last_number(here)))
        return count

    def _compare(self) -> None:
        """Compare all rows of both databases, as they were at one moment. Raises Conflict for a difference."""
        with snapshot(self._source) as here, self._target.engine.begin() as there:
            self._follow(here, there)
            for done, table in enumerate(self._tables):
                self._tell("Comparing", done, len(self._tables))
                if Sum.of(all_rows(here, table)) != Sum.of(all_binary(there, table)):
                    raise _different(table)

    def _switch(self) -> None:
        """Close the SQLite file when the target has its last change. Stations wait meanwhile."""
        self._tell("Switching", 0, 3)
        with writing(self._source) as here:
            with self._target.engine.begin() as there:
                there.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST_WAIT_S}s'"))
                self._follow(here, there)
                self._tell("Switching", 1, 3)
                for table in self._tables:
                    if count_rows(here, table) != count_rows(there, table):
                        raise _different(table)
                    _go_on_counting(here, there, table)
                make_foreign_keys(there)
            self._tell("Switching", 2, 3)
            close_file(here)
        self._tell("Switching", 3, 3)


def _progress(there: Connection) -> MoveProgress:
    progress = progress_of(there)
    assert progress is not None  # `begin` has made it
    return progress


def _go_on_counting(here: Connection, there: Connection, table: Moved) -> None:
    """Let the target number new rows of this table after those that there were, if the database numbers them."""
    column = table.table.autoincrement_column
    if column is None:
        return
    name = there.execute(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
    ).scalar()
    highest = highest_number(here, table)
    if name is not None and highest:
        there.execute(text("SELECT setval(:name, :highest)"), {"name": name, "highest": highest})


def _different(table: Moved) -> Conflict:
    return Conflict(
        f"The rows of {table.name} are not the same in both databases, so nothing is switched and the servers go on as "
        "before. Run `runcard move --undo`, name an empty database, and report this."
    )
