"""Whatever somebody changes behind Runcard's back, `verify` names it."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Table

from runcard.evidence.verification import Discrepancy, Verification
from runcard.store.bin.check import digest_of_packed
from runcard.store.bin.packing import unpack
from runcard.store.commit.writer import Writer
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.conftest import DatabaseKind
from tests.evidence.records import Sealed, findings, found_after, rows_of, sealed_record
from tests.world import World, build_world

# What is proven. Of heads, only what they say: a head that is gone is missed by those who keep it outside.
PROVEN = (
    t.changes,
    t.tree_tiles,
    t.runs,
    t.run_documents,
    t.units,
    t.parts,
    t.revisions,
    t.batches,
    t.procedures,
    t.stations,
    t.station_procedures,
    t.users,
    t.api_keys,
    t.organizations,
    t.attachments,
    t.metadata_entries,
    t.deleted_things,
    t.former_serial_numbers,
)
# Of the number of a change only the order counts, because it has another one in another installation.
_UNREAD = {("changes", "seq")}


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """No: these tests change the database past Runcard."""
    return False


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """SQLite alone: a row that is changed looks the same from every database."""
    return "sqlite"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    database = Database.open(None, folder / "runcard.sqlite3")
    migrate(database)
    writer = Writer(database)
    yield sealed_record(database, writer, build_world(writer), folder)
    writer.close()
    database.close()


def test_what_nobody_changed_fits(record: Sealed) -> None:
    assert findings(record, record.head) == []
    with record.database.read_in(record.organization_id) as scope:
        checking = Verification(scope)
        assert list(checking.run()) == []
        assert checking.tally.without_digest == 0
        assert checking.tally.waiting == 0
        assert checking.tally.entries == record.head.head.tree_size
        assert checking.tally.heads == 1


def _other(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, Boolean):
        return 1 - (value or 0)
    match value:
        case None:
            return 1
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1]) if value else b"x"
        case str():
            return f"{value}x"
        case _:
            return value + 1


Tamper = Callable[[sqlite3.Connection], object]
Found = Callable[[Tamper], list[Discrepancy]]


def _where(table: Table, row: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    keys = [column.name for column in table.primary_key]
    return " AND ".join(f"{key} = ?" for key in keys), tuple(row[key] for key in keys)


def _edit(table: Table, row: dict[str, Any], column: str, value: Any) -> Tamper:
    where, keys = _where(table, row)
    statement = f"UPDATE OR REPLACE {table.name} SET {column} = ? WHERE {where}"

    def edit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement, (value, *keys))

    return edit


def _drop(table: Table, row: dict[str, Any]) -> Tamper:
    where, keys = _where(table, row)
    return lambda connection: connection.execute(f"DELETE FROM {table.name} WHERE {where}", keys)


@pytest.fixture(scope="module")
def found(record: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("changed")
    return partial(found_after, record, folder)


@pytest.mark.parametrize("table", PROVEN, ids=lambda table: str(table.name))
def test_a_change_of_any_column_is_named(record: Sealed, found: Found, table: Table) -> None:
    row = rows_of(record, table)[0]
    for column in table.columns:
        if (table.name, column.name) not in _UNREAD:
            changed = _edit(table, row, column.name, _other(column, row[column.name]))
            assert found(changed), f"{table.name}.{column.name}"


@given(data=st.data())
def test_a_bit_that_is_flipped_or_a_row_that_is_dropped_is_named(
    record: Sealed, found: Found, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(PROVEN))
    row = data.draw(st.sampled_from(rows_of(record, table)))
    columns = [column.name for column in table.columns if (table.name, column.name) not in _UNREAD]
    column = data.draw(st.sampled_from([None, *columns]))
    if column is None:
        assert found(_drop(table, row)), f"a row of {table.name} is gone"
        return
    value = row[column]
    if isinstance(value, bytes) and value:
        at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
        value = value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]
    else:
        value = _other(table.c[column], value)
    assert found(_edit(table, row, column, value)), f"{table.name}.{column}"


def test_the_entry_that_was_changed_is_named(record: Sealed, found: Found) -> None:
    row = next(row for row in rows_of(record, t.changes) if row["kind"] == "unit_changed")
    [finding] = found(_edit(t.changes, row, "entry", row["entry"].replace("ada", "eve")))
    assert finding.about == "entry"
    assert f"Entry {row['seq']} (unit_changed" in finding.problem


def test_an_entry_that_was_dropped_is_missed(record: Sealed, found: Found) -> None:
    row = next(row for row in rows_of(record, t.changes) if row["kind"] == "attachment_created")
    problems = [one.problem for one in found(_drop(t.changes, row)) if one.about == "entry"]
    assert len(problems) == 1
    assert problems[0].startswith("1 entry was sealed before Entry")


def test_an_entry_that_was_added_is_named(record: Sealed, found: Found) -> None:
    *_, before, last = rows_of(record, t.changes)
    row = {**before, "seq": last["seq"] + 1}

    def add(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE changes SET seq = seq + 1 WHERE seq = ?", (last["seq"],))
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO changes ({names}) VALUES ({marks})", tuple((row | {"seq": last["seq"]}).values())
        )

    problems = [one.problem for one in found(add) if one.about == "entry"]
    assert [problem for problem in problems if f"Entry {last['seq']} " in problem and "added it" in problem]


def test_entries_that_changed_places_are_named(record: Sealed, found: Found) -> None:
    first, second = (row["seq"] for row in rows_of(record, t.changes)[5:7])

    def swap(connection: sqlite3.Connection) -> None:
        for old, new in ((first, -1), (second, first), (-1, second)):
            connection.execute("UPDATE changes SET seq = ? WHERE seq = ?", (new, old))

    assert "entry" in {one.about for one in found(swap)}


def test_a_deleted_run_that_was_put_back_by_hand_is_named(record: Sealed, found: Found) -> None:
    kept = (row for row in rows_of(record, t.deleted_things) if row["content"] is not None)
    row = next(row for row in kept if row["noun"] == "run")
    packed = unpack(row["content"])
    assert digest_of_packed(packed) == row["digest"]
    run = rows_of(record, t.runs)[0] | {"id": row["id"], "client_run_ref": None}
    names, marks = ", ".join(run), ", ".join("?" * len(run))
    add = f"INSERT INTO runs ({names}) VALUES ({marks})"
    problems = [one.problem for one in found(lambda connection: connection.execute(add, tuple(run.values())))]
    assert any("the trail says that it was deleted" in problem for problem in problems)


def test_a_tombstone_that_was_set_for_what_is_there_is_named(record: Sealed, found: Found) -> None:
    row = rows_of(record, t.deleted_things)[0] | {"id": rows_of(record, t.units)[0]["id"]}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    add = f"INSERT INTO deleted_things ({names}) VALUES ({marks})"
    problems = [one.problem for one in found(lambda connection: connection.execute(add, tuple(row.values())))]
    assert any("the trail says that the thing is there" in problem for problem in problems)


def test_a_record_that_was_added_is_named(record: Sealed, found: Found) -> None:
    row = rows_of(record, t.units)[0] | {"id": bytes(16), "serial_number": "FAKE", "serial_key": "fake"}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    add = f"INSERT INTO units ({names}) VALUES ({marks})"
    [finding] = found(lambda connection: connection.execute(add, tuple(row.values())))
    assert "00000000-0000-0000-0000-000000000000" in finding.problem


def test_a_head_kept_outside_convicts_a_database_that_was_rebuilt_whole(
    database: Database, writer: Writer, world: World, tmp_path: Path
) -> None:
    record = sealed_record(database, writer, world, tmp_path)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE changes SET entry = replace(entry, 'SN-ZERO', 'SN-HERO')")
        connection.exec_driver_sql("DELETE FROM tree_tiles")
        connection.exec_driver_sql("DELETE FROM tree_heads")
    record.prover.seal(world.acme.id)
    assert record.prover.sign(world.acme.id) is not None
    assert findings(record) == []
    assert [
        "do not fit" in one.problem or "does not fit" in one.problem for one in findings(record, record.head)
    ] == [True]


def test_a_tree_that_was_cut_or_set_back_is_shown(
    database: Database, writer: Writer, world: World, tmp_path: Path
) -> None:
    record = sealed_record(database, writer, world, tmp_path)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM changes WHERE seq > (SELECT max(seq) - 3 FROM changes)")
        connection.exec_driver_sql("DELETE FROM tree_tiles")
        connection.exec_driver_sql("DELETE FROM tree_heads")
    record.prover.seal(world.acme.id)
    assert any("an older backup was restored" in one.problem for one in findings(record, record.head))


def test_every_changed_byte_of_a_merged_unit_is_named(record: Sealed, found: Found) -> None:
    """Of its row, and of the list of what the merge moved."""
    (row,) = [one for one in rows_of(record, t.deleted_things) if one["merged_into_id"] is not None]
    assert digest_of_packed(unpack(row["content"])) == row["digest"]
    for at in range(0, len(row["content"]), 40):
        content = bytearray(row["content"])
        content[at] ^= 1
        assert found(_edit(t.deleted_things, row, "content", bytes(content))), at
    into = next(one["id"] for one in rows_of(record, t.units) if one["id"] != row["merged_into_id"])
    assert found(_edit(t.deleted_things, row, "merged_into_id", into))
