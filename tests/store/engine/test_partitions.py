"""Documents lie in the partition of their month on PostgreSQL, and no run is refused for want of one."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError

from runcard.cli.installation.checkup import check_months
from runcard.domain.ids import first_id_at
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.partitions import (
    AHEAD,
    DEFAULT,
    drop_empty,
    list_partitions,
    make_months,
    missing_months,
)
from tests.conftest import DatabaseKind
from tests.postgresql import Postgresql

FIRST = "run_documents_first"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """SQLite has one table."""
    return "postgresql"


def month(number: int, day: int = 5) -> datetime:
    """A moment so many months after this one."""
    year, at = divmod(NOW.year * 12 + NOW.month - 1 + number, 12)
    return datetime(year, at + 1, day, tzinfo=UTC)


def name_of(number: int) -> str:
    return f"run_documents_{month(number):%Y_%m}"


class Floor:
    """Runs with nothing but what their tables need."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.home = first_id_at(NOW)
        policies = [one.name for one in t.organizations.c if one.name.startswith("station_may_")]
        mine = {"id": self.home, "created_at": NOW}
        owned = {**mine, "organization_id": self.home}
        rows: list[tuple[Any, dict[str, Any]]] = [
            (t.organizations, {**mine, "slug": "a", "name": "A", **dict.fromkeys(policies, True)}),
            (t.procedures, {**owned, "identifier": "F", "identifier_key": "f", "name": "F"}),
            (t.parts, {**owned, "number": "P", "number_key": "p", "name": "P"}),
            (
                t.revisions,
                {**owned, "part_id": self.home, "number": "A", "number_key": "a", "is_default": True},
            ),
            (
                t.units,
                {**owned, **self._named("part_id", "revision_id"), "serial_number": "S", "serial_key": "s"},
            ),
        ]
        with database.engine.begin() as connection:
            for table, row in rows:
                connection.execute(insert(table).values(row))

    def _named(self, *columns: str) -> dict[str, UUID]:
        return dict.fromkeys(columns, self.home)

    def record(self, moment: datetime) -> UUID:
        """Id of a run that was recorded at this moment."""
        run_id = UUID(int=first_id_at(moment).int | secrets.randbits(70))
        named = self._named("organization_id", "procedure_id", "unit_id", "part_id", "revision_id")
        times = {"started_at": moment, "ended_at": moment, "created_at": moment}
        with self.database.engine.begin() as connection:
            connection.execute(insert(t.runs).values(id=run_id, outcome="PASS", **named, **times))
            document = {"run_id": run_id, "organization_id": self.home, "body": b"x" * 5000}
            connection.execute(insert(t.run_documents).values(document))
        return run_id

    def places(self) -> dict[UUID, str]:
        """In which partition the document of each run lies."""
        with self.database.read() as connection:
            query = text("SELECT run_id, CAST(tableoid AS regclass) AS place FROM run_documents")
            return {row.run_id: row.place for row in connection.execute(query)}


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return [one.name for one in list_partitions(connection)]


@pytest.fixture
def floor(database: Database) -> Floor:
    return Floor(database)


def test_each_run_lies_in_its_month(floor: Floor) -> None:
    database = floor.database
    assert names(database) == [FIRST]
    assert [*check_months(database)] == []
    [found] = check_months(database, month(1))
    assert f"of runs of {month(1):%Y-%m} have no partition" in found.message
    assert make_months(database, NOW) == [name_of(number) for number in (1, 2, 3)]
    assert [*check_months(database, month(AHEAD))] == []
    assert make_months(database, NOW) == []
    told = {floor.record(month(number)): name_of(number) for number in (1, 2, AHEAD)}
    told |= {floor.record(month(number)): FIRST for number in (-30, 0)}
    told |= {floor.record(month(1, 1)): name_of(1), floor.record(month(AHEAD + 1)): DEFAULT}
    assert floor.places() == told
    with database.read() as connection:
        storage = "SELECT attstorage FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attname = 'body'"
        for name in (FIRST, name_of(1), DEFAULT):
            assert connection.execute(text(storage), {"name": name}).scalar_one() in ("e", b"e")


def test_a_month_that_comes_late_takes_its_runs_from_the_default(floor: Floor) -> None:
    make_months(floor.database, NOW)
    late = [floor.record(month(number)) for number in (4, 4, 5, 9)]
    assert {*floor.places().values()} == {DEFAULT}
    assert make_months(floor.database, month(2)) == [name_of(4), name_of(5)]
    places = [floor.places()[run_id] for run_id in late]
    assert places == [name_of(4), name_of(4), name_of(5), DEFAULT]


def test_keys_hold_in_every_month(floor: Floor) -> None:
    make_months(floor.database, NOW)
    runs = [floor.record(month(number)) for number in (0, 1, 9)]
    for moment in (month(0), month(1), month(9)):
        stranger = {"run_id": first_id_at(moment), "organization_id": floor.home, "body": b""}
        with floor.database.engine.begin() as connection, pytest.raises(IntegrityError):
            connection.execute(insert(t.run_documents).values(stranger))
    again = {"run_id": runs[1], "organization_id": floor.home, "body": b""}
    with floor.database.engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(insert(t.run_documents).values(again))
    with floor.database.engine.begin() as connection:
        connection.execute(delete(t.runs).where(t.runs.c.id.in_(runs)))
    assert floor.places() == {}


def test_only_old_and_empty_months_are_dropped(floor: Floor) -> None:
    database = floor.database
    make_months(database, NOW)
    kept = floor.record(month(2))
    assert drop_empty(database, NOW) == []
    assert drop_empty(database, month(3)) == [FIRST, name_of(1)]
    assert names(database) == [name_of(2), name_of(3)]
    # What comes back from the bin or from another installation may be older than all months.
    old = floor.record(month(-20))
    assert floor.places() == {kept: name_of(2), old: DEFAULT}
    with database.engine.begin() as connection:
        connection.execute(delete(t.run_documents).where(t.run_documents.c.run_id == kept))
    assert drop_empty(database, month(3)) == [name_of(2)]
    assert make_months(database, month(3)) == [name_of(4), name_of(5), name_of(6)]
    assert floor.places() == {old: DEFAULT}


def test_nobody_waits_long_for_a_month(floor: Floor) -> None:
    with floor.database.engine.begin() as busy:
        busy.execute(text("LOCK TABLE runs IN ROW EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            make_months(floor.database, NOW)
        with pytest.raises(OperationalError, match="lock timeout"):
            drop_empty(floor.database, month(2))
    assert names(floor.database) == [FIRST]
    assert len(make_months(floor.database, NOW)) == AHEAD


@pytest.fixture
def before(postgresql: Postgresql) -> Iterator[Database]:
    """A database from before the months."""
    with ExitStack() as stack:
        opened = Database.open(stack.enter_context(postgresql.database()), Path())
        stack.callback(opened.close)
        migrate(opened, "0023")
        yield opened


def _file_of(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT pg_relation_filepath(:name)"), {"name": name}).scalar_one())


@pytest.mark.parametrize("ahead", [0, 14])
def test_what_is_there_becomes_the_first_partition_as_it_lies(before: Database, ahead: int) -> None:
    """ahead: how many months the clock was ahead that made the newest run."""
    floor = Floor(before)
    runs = [floor.record(month(number)) for number in (-30, 0, ahead)]
    with before.read() as connection:
        file = _file_of(connection, "run_documents")
    migrate(before)
    with before.read() as connection:
        assert _file_of(connection, FIRST) == file
        assert missing_months(connection, month(ahead)) == [month(ahead + number, 1) for number in (1, 2, 3)]
    assert floor.places() == dict.fromkeys(runs, FIRST)
    make_months(before, month(ahead))
    told = {floor.record(month(ahead + 1)): name_of(ahead + 1), floor.record(month(ahead)): FIRST}
    assert floor.places() == dict.fromkeys(runs, FIRST) | told
