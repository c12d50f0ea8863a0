"""A copy of a SQLite database that is in use."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from runcard.store.engine.database import Database
from runcard.store.engine.scope import owned_by
from runcard.store.engine.tables import attachments
from runcard.store.files.attachments import ATTACHMENT_COLUMNS, Attachment
from runcard.store.restoring.files import list_files_in_bin

_PAGE = 1000


def copy_database(database: Database, target: Path) -> None:
    """Copy a SQLite database, as it is at one moment, to this file. Writers go on meanwhile."""
    with database.read() as connection, closing(sqlite3.connect(target)) as copy:
        driver: Any = connection.connection.driver_connection
        # In one step: in several steps, each write of another process would restart the copy.
        driver.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")


def list_stored(connection: Connection, organization_id: UUID | None = None) -> Iterator[Attachment]:
    """The attachments whose bytes have arrived, in the order of ids, and then those of them in the bin.

    organization_id: None: of all organizations.
    """
    a = attachments.c
    query = select(*ATTACHMENT_COLUMNS).where(a.stored_at.is_not(None)).order_by(a.id).limit(_PAGE)
    if organization_id is not None:
        query = query.where(owned_by(organization_id, a))
    after: UUID | None = None
    while True:
        page = query if after is None else query.where(a.id > after)
        found = [Attachment(*row) for row in connection.execute(page)]
        yield from found
        if len(found) < _PAGE:
            break
        after = found[-1].id
    yield from (file for file in list_files_in_bin(connection, organization_id) if file.stored_at is not None)
