"""Migrations make exactly the tables that the code names."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Insert, Table, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from runcard.domain.ids import new_id
from runcard.domain.runs.clock import Times, counted_times
from runcard.domain.runs.run import RunDocument
from runcard.store.commit.documents import compress_documents, pack_document
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.partitions import DEFAULT, list_partitions
from runcard.store.engine.tables import catalog_version, metadata
from tests.postgresql import Postgresql


def test_migrations_equal_the_tables(database: Database) -> None:
    with database.read() as connection:
        parts = {one.name for one in list_partitions(connection)} if database.is_postgresql else set()
        wanted = {"include_name": lambda name, kind, _: kind != "table" or name not in {*parts, DEFAULT}}
        context = MigrationContext.configure(connection, opts={"compare_type": True, **wanted})
        assert compare_metadata(context, metadata) == []


def test_every_constraint_of_the_tables_is_there(database: Database) -> None:
    with database.read() as connection:
        there = inspect(connection)
        for table in metadata.sorted_tables:
            # By their columns: SQLAlchemy does not see the names of keys that stand beside a column of SQLite's.
            foreign = {tuple(key["constrained_columns"]) for key in there.get_foreign_keys(table.name)}
            checks = {check["name"] for check in there.get_check_constraints(table.name)}
            assert foreign == {tuple(key.column_keys) for key in table.foreign_key_constraints}, table.name
            assert checks == {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        assert connection.execute(select(catalog_version)).all() == [(1, 0)]


@pytest.fixture
def first_schema(postgresql_if_wanted: Postgresql | None, tmp_path: Path) -> Iterator[Database]:
    """A database that has seen the first migration only."""
    with ExitStack() as stack:
        url = None if postgresql_if_wanted is None else stack.enter_context(postgresql_if_wanted.database())
        opened = Database.open(url, tmp_path / "first.sqlite3")
        stack.callback(opened.close)
        migrate(opened, "0001")
        yield opened


def test_a_database_of_the_first_schema_keeps_what_it_holds(first_schema: Database) -> None:
    home, other = new_id(), new_id()
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    document = compress_documents([pack_document(RunDocument()).body])[0]
    rows: list[tuple[Table, dict[str, Any]]] = [
        (t.organizations, {"id": home, "slug": "acme", "name": "Acme", **dict.fromkeys(_POLICIES, True)}),
        (t.users, {"email": "a@b.c", "email_key": "a@b.c", "name": "A", "role": "admin"}),
        (t.procedures, {"identifier": "FVT1", "identifier_key": "fvt1", "name": "Board"}),
        (t.parts, {"number": "P", "number_key": "p", "name": "P"}),
        (t.revisions, {"part_id": home, "number": "A", "number_key": "a", "is_default": True}),
        (t.units, {"serial_number": "S", "serial_key": "s", "part_id": home, "revision_id": home}),
        (
            t.runs,
            {**dict.fromkeys(("procedure_id", "unit_id", "part_id", "revision_id"), home), **_times(moment)},
        ),
    ]
    with first_schema.engine.begin() as connection:
        for table, row in rows:
            mine = {} if table is t.organizations else {"organization_id": home}
            connection.execute(_insert(connection, table, {"id": home, "created_at": moment, **mine, **row}))
        connection.execute(insert(t.run_documents).values(run_id=home, organization_id=home, body=document))
        clocks = _runs_by_wrong_clocks(moment)
        for run_id, times in clocks.items():
            row = dict(rows[-1][1], id=run_id, organization_id=home, created_at=moment, **times)
            connection.execute(_insert(connection, t.runs, row))
    migrate(first_schema, "0011")
    with first_schema.engine.begin() as connection:
        _note_imports(connection, home, moment)
    migrate(first_schema)
    with first_schema.read() as connection:
        run = connection.execute(select(t.runs).where(t.runs.c.id == home)).one()
        assert (run.id, run.unit_id, run.started_at, run.client_run_ref) == (home, home, moment, None)
        assert connection.execute(select(t.run_documents.c.body)).scalar_one() == document
        assert connection.execute(select(t.procedures.c.auto_push_enabled)).scalar_one() is False
        assert run.reported_started_at is None
        known_by = connection.execute(
            select(t.file_imports.c.importer, t.imported_runs.c.report_id).join_from(
                t.file_imports, t.imported_runs
            )
        ).all()
        assert {tuple(one) for one in known_by} == {("WATS", "ab-1"), ("ATML", "cd-2"), ("JUNIT", None)}
        for run_id, times in clocks.items():
            run = connection.execute(select(t.runs).where(t.runs.c.id == run_id)).one()
            said = Times(times["started_at"], times["ended_at"])
            assert Times(run.reported_started_at, run.reported_ended_at) == said
            assert Times(run.started_at, run.ended_at) == counted_times(said, moment)
    with first_schema.engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(update(t.runs).values(deployment_id=other))


def test_runs_get_the_class_that_their_unit_has(first_schema: Database) -> None:
    migrate(first_schema, "0011")
    home, golden, moment = new_id(), new_id(), datetime(2026, 1, 2, tzinfo=UTC)
    references = dict.fromkeys(("procedure_id", "part_id", "revision_id"), home)
    rows: list[tuple[Table, dict[str, Any]]] = [
        (t.organizations, {"id": home, "slug": "acme", "name": "Acme", **dict.fromkeys(_POLICIES, True)}),
        (t.procedures, {"identifier": "FVT1", "identifier_key": "fvt1", "name": "Board"}),
        (t.parts, {"number": "P", "number_key": "p", "name": "P"}),
        (t.revisions, {"part_id": home, "number": "A", "number_key": "a", "is_default": True}),
        (t.units, {"serial_number": "S", "serial_key": "s", "part_id": home, "revision_id": home}),
        (
            t.units,
            {"id": golden, "serial_number": "G", "serial_key": "g", "part_id": home, "revision_id": home}
            | {"sample": "golden"},
        ),
        (t.runs, {"unit_id": home, **references, **_times(moment)}),
        (t.runs, {"id": golden, "unit_id": golden, **references, **_times(moment)}),
    ]
    with first_schema.engine.begin() as connection:
        for table, row in rows:
            mine = {} if table is t.organizations else {"organization_id": home}
            connection.execute(_insert(connection, table, {"id": home, "created_at": moment, **mine, **row}))
    migrate(first_schema)
    with first_schema.read() as connection:
        found = dict(connection.execute(select(t.runs.c.id, t.runs.c.sample)).all())
    assert found == {home: None, golden: "golden"}


_POLICIES = [one.name for one in t.organizations.c if one.name.startswith("station_may_")]


def _runs_by_wrong_clocks(received_at: datetime) -> dict[UUID, dict[str, Any]]:
    """What is not alike of some runs, by their ids."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    took, day = timedelta(minutes=3), timedelta(days=1)
    spans = [
        (first, first + took),
        (first, last),
        (datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), received_at),
        (received_at + day + timedelta(microseconds=1), received_at + day + took),
        (last - took, last),
    ]
    return {new_id(): {"started_at": start, "ended_at": end} for start, end in spans}


def _note_imports(connection: Connection, home: UUID, moment: datetime) -> None:
    """A run that a file of each of some formats told of, with the ids that its metadata keep."""
    for key, value in (("report_id", "AB-1"), ("uuid", "CD-2")):
        noted = {"entity_id": home, "key": key, "organization_id": home, "text": value}
        connection.execute(_insert(connection, t.metadata_entries, noted))
    for importer in ("WATS", "ATML", "JUNIT"):
        file = {"id": new_id(), "organization_id": home, "digest": bytes(32), "importer": importer}
        connection.execute(_insert(connection, t.file_imports, {**file, "created_at": moment}))
        link = {"file_import_id": file["id"], "run_id": home, "position": 0, "organization_id": home}
        connection.execute(_insert(connection, t.imported_runs, link))


def _times(moment: datetime) -> dict[str, Any]:
    return {"outcome": "PASS", "started_at": moment, "ended_at": moment}


def _insert(connection: Connection, table: Table, values: dict[str, Any]) -> Insert:
    """An insert that names only columns which the database has by now."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    assert set(values) <= there
    return insert(table).values(values)


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    with database.read() as connection:
        if database.is_postgresql:  # whether it has fsync on is its own setting
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        else:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
