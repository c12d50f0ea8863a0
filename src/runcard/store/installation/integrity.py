"""Whether the truth is whole: what a database promises, and what it cannot promise."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from runcard.store.commit.documents import is_whole
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata, run_documents, runs

# Unscoped: an installation is checked as a whole.

MIN_POSTGRESQL = 15
_PAGE = 200


class DocumentState(NamedTuple):
    """What was found where the document of a run should be."""

    run_id: UUID
    is_there: bool
    is_whole: bool


def list_faults(database: Database) -> Iterator[str]:
    """What is wrong with the database itself; nothing where it is sound."""
    with database.read() as connection:
        if database.is_postgresql:
            yield from _postgresql_faults(connection)
        else:
            yield from _sqlite_faults(connection)
        yield from _strangers(connection)


def count_runs(connection: Connection) -> int:
    """Runs of all organizations."""
    return connection.execute(select(func.count()).select_from(runs)).scalar_one()


def inspect_documents(database: Database) -> Iterator[DocumentState]:
    """The document of every run, in the order of ids.

    Read in pages, each with a connection of its own, so that a database in use is not held back.
    """
    r, d = runs.c, run_documents.c
    query = select(r.id, d.body).join_from(runs, run_documents, d.run_id == r.id, isouter=True)
    after: UUID | None = None
    while True:
        page = query if after is None else query.where(r.id > after)
        with database.read() as connection:
            rows = connection.execute(page.order_by(r.id).limit(_PAGE)).all()
        for run_id, body in rows:
            yield DocumentState(run_id, body is not None, body is not None and is_whole(body))
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def _sqlite_faults(connection: Connection) -> Iterator[str]:
    for (said,) in connection.execute(text("PRAGMA integrity_check")):
        if said != "ok":
            yield f"SQLite says: {said}"
    for table, _, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"A row of {table} refers to a row of {parent} that is not there"


def _postgresql_faults(connection: Connection) -> Iterator[str]:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < MIN_POSTGRESQL:
        yield f"PostgreSQL is of version {version}; Runcard needs {MIN_POSTGRESQL} or newer"


def _strangers(connection: Connection) -> Iterator[str]:
    """Rows that refer to a row of another organization, which no foreign key forbids."""
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
