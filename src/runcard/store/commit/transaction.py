"""The transaction that several writes share, and the view that each write has of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, NestedTransaction, Table

from runcard.domain.actor import Author
from runcard.domain.evidence.entry import By
from runcard.store.commit.catalog import Catalog
from runcard.store.commit.changes import NO_TRACE, ChangeKind, Trace
from runcard.store.commit.documents import compress_documents
from runcard.store.commit.watched import Watched
from runcard.store.engine.bulk import in_one_trip, insert_rows
from runcard.store.engine.locks import Lock, hold
from runcard.store.engine.scope import Columns, Scope, owned_by
from runcard.store.engine.tables import changes, metadata, run_documents

_TABLE_ORDER = {table.name: position for position, table in enumerate(metadata.sorted_tables)}

Row = dict[str, Any]


class SharedTransaction:
    """Collects the rows of many writes and inserts them together.

    A write that only adds rows stages them. A write that needs more takes `connection`: it then runs inside a savepoint
    of its own and sees everything that was staged before.
    """

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._savepoint: NestedTransaction | None = None
        self._staged: list[tuple[Table, Row]] = []
        self._changes: list[Row] = []
        self._mark = (0, 0)
        self._endings: list[Callable[[], None]] = []
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

    def of(self, author: Author) -> "Transaction":
        """This transaction, for what the author changes in their organization."""
        return Transaction(self, author)

    def stage(self, table: Table, row: Row) -> None:
        """Insert `row` before the commit, together with the rows of other writes."""
        self._staged.append((table, row))

    def note_change(
        self,
        organization_id: UUID,
        kind: ChangeKind,
        entity_id: UUID,
        trace: Trace = NO_TRACE,
    ) -> None:
        """Append what happened to the change log; see `store.commit.changes`."""
        self._changes.append(
            {
                "organization_id": organization_id,
                "kind": kind,
                "entity_id": entity_id,
                "changed_at": self.now,
                "actor_id": trace.actor_id,
                "entry": trace.entry,
                "state": trace.state,
            }
        )

    def note_catalog_change(self) -> None:
        """Mark this write as one that changes records that catalogs remember. This catalog must know of it already."""
        self._catalog_changed = True

    def lock(self, lock: Lock) -> None:
        """Hold this lock until the commit."""
        hold(self._connection, lock)

    def append_changes(self, rows: Sequence[Row]) -> None:
        """Append changes as they stand in the change log of another installation, in their order."""
        hold(self._connection, Lock.CHANGES)
        insert_rows(self.connection, changes, rows)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call this at the end of the write, in its transaction."""
        self._endings.append(ending)

    def begin_write(self) -> None:
        self._mark = (len(self._staged), len(self._changes))
        self._endings.clear()

    def end_write(self, *, changes_catalog: bool) -> None:
        for ending in self._endings:
            ending()
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
            return  # the write was refused before it did anything
        if self._savepoint is not None:
            self._savepoint.rollback()
            self._savepoint = None
        del self._staged[self._mark[0] :]
        del self._changes[self._mark[1] :]
        # The catalog may hold records that this write was about to add, so it is cleared. What other writes staged is
        # inserted first, so that it is found in the database.
        self._flush()
        self.catalog.clear()

    def finish(self) -> None:
        """Insert all staged rows, and last the change log, so that its order is the order of the commits."""
        if self._catalog_changed:
            self._flush()
            self.catalog.raise_version()
        # One after another, which takes less than each takes among the work on its record.
        for change in self._changes:
            if callable(change["state"]):
                change["state"] = change["state"]()
        with in_one_trip(self._connection):
            self._flush()
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


class Transaction:
    """A write to the rows of one organization, inside a transaction that other writes share."""

    __slots__ = ("_shared", "author", "by", "catalog", "now", "organization_id", "watched")

    def __init__(self, shared: SharedTransaction, author: Author) -> None:
        self._shared = shared
        self.author = author
        self.organization_id = author.organization_id
        # The records that this write changes, by id; see `store.trail.watching`.
        self.watched: dict[UUID, Watched] = {}
        # The author by name, once it has been looked up.
        self.by: By | None = None
        self.catalog = shared.catalog
        self.now = shared.now

    @property
    def connection(self) -> Connection:
        """The connection, with everything staged so far in the database, inside this write's savepoint."""
        return self._shared.connection

    @property
    def scope(self) -> Scope:
        """The rows of the organization, with everything staged so far."""
        return Scope(self._shared.connection, self.organization_id)

    def owns(self, columns: Columns) -> ColumnElement[bool]:
        """The condition that a row belongs to the organization. columns: the columns of its table."""
        return owned_by(self.organization_id, columns)

    def stage(self, table: Table, row: Row) -> None:
        """Insert `row` before the commit, together with the rows of other writes."""
        self._shared.stage(table, row)

    def insert_staged(self) -> None:
        """Insert now what is staged, so that the catalog finds it."""
        _ = self._shared.connection

    def note_change(self, kind: ChangeKind, entity_id: UUID, trace: Trace = NO_TRACE) -> None:
        """Append what happened to the change log; see `store.commit.changes`."""
        self._shared.note_change(self.organization_id, kind, entity_id, trace)

    def append_changes(self, rows: Sequence[Row]) -> None:
        """Append changes as they stand in the change log of another installation, in their order."""
        self._shared.append_changes(rows)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call this at the end of the write, in its transaction."""
        self._shared.at_end(ending)

    def note_catalog_change(self) -> None:
        """Mark this write as one that changes records that catalogs remember. This catalog must know of it already."""
        self._shared.note_catalog_change()

    def lock_assembly(self) -> None:
        """Keep other processes from changing which unit is part of which, so that no two of them close a ring."""
        self._shared.lock(Lock.ASSEMBLY)

    def lock_notes(self) -> None:
        """Keep other processes from changing tags and causes, so that none is deleted or moved while things get it."""
        self._shared.lock(Lock.NOTES)

    def lock_imports(self) -> None:
        """Keep other processes from importing files, so that no two of them find the same file new."""
        self._shared.lock(Lock.IMPORTS)
