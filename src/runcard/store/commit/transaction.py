"""One transaction of the writer, as the writes inside it see it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, NestedTransaction, Table

from runcard.store.commit.catalog import Catalog
from runcard.store.commit.changes import ChangeKind
from runcard.store.commit.documents import compress_documents
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.locks import Lock, hold
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import changes, metadata, run_documents

_TABLE_ORDER = {table.name: position for position, table in enumerate(metadata.sorted_tables)}

Row = dict[str, Any]


class Transaction:
    """Where a write puts what it adds.

    New rows are staged and inserted together, many writes at a time. A write that needs more asks for `connection`:
    then it runs inside a savepoint of its own, and sees all that was staged before.
    """

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._savepoint: NestedTransaction | None = None
        self._staged: list[tuple[Table, Row]] = []
        self._changes: list[Row] = []
        self._mark = (0, 0)
        self._catalog_changed = False
        self.catalog = catalog
        self.now = datetime.now(UTC)

    @property
    def connection(self) -> Connection:
        """The connection, with everything staged so far in the database, inside this write's savepoint."""
        if self._savepoint is None:
            mine = self._staged[self._mark[0] :]
            self._insert(self._staged[: self._mark[0]])
            self._savepoint = self._connection.begin_nested()
            self._insert(mine)
            self._staged.clear()
            self._mark = (0, self._mark[1])
        elif self._staged:
            self._insert(self._staged)
            self._staged.clear()
        return self._connection

    def scope(self, organization_id: UUID) -> Scope:
        """What a read of an organization's rows sees: all that was staged so far."""
        return Scope(self.connection, organization_id)

    def stage(self, table: Table, row: Row) -> None:
        """Insert `row` before the commit, together with the rows of other writes."""
        self._staged.append((table, row))

    def note_change(self, organization_id: UUID, kind: ChangeKind, entity_id: UUID) -> None:
        """Append to the change log what happened; see `store.commit.changes`."""
        self._changes.append(
            {
                "organization_id": organization_id,
                "kind": kind,
                "entity_id": entity_id,
                "changed_at": self.now,
            }
        )

    def note_catalog_change(self) -> None:
        """Say that this write changes something that catalogs remember, and has brought this one's up to date."""
        self._catalog_changed = True

    def lock_assembly(self) -> None:
        """Hold off other processes that change which unit is part of which, so that two of them cannot close a ring."""
        hold(self._connection, Lock.ASSEMBLY)

    def lock_imports(self) -> None:
        """Hold off other processes that import files, so that two of them do not both find the same file new."""
        hold(self._connection, Lock.IMPORTS)

    def begin_write(self) -> None:
        self._mark = (len(self._staged), len(self._changes))

    def end_write(self, *, changes_catalog: bool) -> None:
        if self._savepoint is not None:
            self._insert(self._staged)
            self._staged.clear()
            self._savepoint.commit()
            self._savepoint = None
        if changes_catalog:
            self._catalog_changed = True
            self._flush()
            self.catalog.clear()

    def undo_write(self) -> None:
        if self._savepoint is None and self._mark == (len(self._staged), len(self._changes)):
            return  # it was refused before it did anything
        if self._savepoint is not None:
            self._savepoint.rollback()
            self._savepoint = None
        del self._staged[self._mark[0] :]
        del self._changes[self._mark[1] :]
        # The catalog may hold what this write was about to add; all that others staged must be found without it.
        self._flush()
        self.catalog.clear()

    def finish(self) -> None:
        """Insert all that is staged; the change log last, so that its order is the order of commits."""
        self._flush()
        if self._catalog_changed:
            self.catalog.raise_version()
        if self._changes:
            hold(self._connection, Lock.CHANGES)
            insert_rows(self._connection, changes, self._changes)

    def _flush(self) -> None:
        self._insert(self._staged)
        self._staged.clear()

    def _insert(self, staged: Sequence[tuple[Table, Row]]) -> None:
        by_table: dict[str, tuple[Table, list[Row]]] = {}
        for table, row in staged:
            by_table.setdefault(table.name, (table, []))[1].append(row)
        for name in sorted(by_table, key=_TABLE_ORDER.__getitem__):
            table, rows = by_table[name]
            if table is run_documents:
                bodies = compress_documents([row["body"] for row in rows])
                rows = [{**row, "body": body} for row, body in zip(rows, bodies, strict=True)]
            insert_rows(self._connection, table, rows)
