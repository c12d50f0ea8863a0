"""Checks of the truth: of what the database guarantees, and of what it cannot guarantee."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from runcard.store.commit.documents import is_whole
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata, moved_documents, run_documents, runs

# Unscoped: the installation is checked as a whole.

MIN_POSTGRESQL = 15
_PAGE = 200


class DocumentState(NamedTuple):
    """Whether the document of a run is there, and can be read. One that has left the database counts as whole here."""

    run_id: UUID
    is_there: bool
    is_whole: bool


def list_faults(database: Database) -> Iterator[str]:
    """The faults of the database itself, as sentences; none if it is sound."""
    with database.read() as connection:
        if database.is_postgresql:
            yield from _postgresql_faults(connection)
        else:
            yield from _sqlite_faults(connection)
        yield from _strangers(connection)


def count_runs(connection: Connection) -> int:
    """How many runs all organizations have."""
    return connection.execute(select(func.count()).select_from(runs)).scalar_one()


def inspect_documents(database: Database) -> Iterator[DocumentState]:
    """The state of every run's document, in the order of the runs' ids.

    Documents are read in pages, each over a connection of its own, so that no long read holds up a database in use.
    """
    r, d, m = runs.c, run_documents.c, moved_documents.c
    query = (
        select(r.id, d.body, m.pack_id)
        .join_from(runs, run_documents, d.run_id == r.id, isouter=True)
        .join(moved_documents, m.run_id == r.id, isouter=True)
    )
    after: UUID | None = None
    while True:
        page = query if after is None else query.where(r.id > after)
        with database.read() as connection:
            rows = connection.execute(page.order_by(r.id).limit(_PAGE)).all()
        for run_id, body, pack_id in rows:
            is_there = body is not None or pack_id is not None
            yield DocumentState(run_id, is_there, is_there and (body is None or is_whole(body)))
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def _sqlite_faults(connection: Connection) -> Iterator[str]:
    for (fault,) in connection.execute(text("PRAGMA integrity_check")):
        if fault != "ok":
            yield f"SQLite says: {fault}"
    for table, _, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"A row of {table} refers to a row of {parent} that does not exist"


def _postgresql_faults(connection: Connection) -> Iterator[str]:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < MIN_POSTGRESQL:
        yield f"PostgreSQL has version {version}; Runcard needs version {MIN_POSTGRESQL} or newer"


def _strangers(connection: Connection) -> Iterator[str]:
    """The tables with rows that refer to another organization's rows, as sentences. No foreign key forbids that."""
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            parent = key.column.table.alias("parent")
            if "organization_id" not in table.c or "organization_id" not in parent.c:
                continue
            strangers = select(func.count()).where(
                key.parent == parent.c[key.column.name], table.c.organization_id != parent.c.organization_id
            )
            count = connection.execute(strangers).scalar_one()
            if count:
                yield f"{count} rows of {table.name} refer by {key.parent.name} to another organization"
