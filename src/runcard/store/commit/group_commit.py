"""The only commit to the record. Waiting writes are run together in one transaction and one durable commit.

Each write is whole or absent. A write that fails is undone alone. If the shared transaction fails (a constraint, a
lost connection), each write is run again by itself, so that only the one at fault fails.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from runcard.domain.errors import CommitInDoubt, DatabaseUnavailable, WriteTimedOut
from runcard.store.commit.catalog import Catalog
from runcard.store.commit.lookups import UnitKey
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.database import DATABASE_ERRORS, Database, is_out_of_patience
from runcard.store.engine.outages import outage_of

_log = logging.getLogger(__name__)

# More writes in one commit gain nothing that can be measured, and the first of them waits longer.
MAX_GROUP = 256
# The bounds by which sizes of groups are counted.
GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, MAX_GROUP)
# Groups between two renewals of the statistics. The statistics are renewed at the end too.
_GROUPS_PER_RENEWAL = 1000


class Write(NamedTuple):
    """apply: does the write. units: the units that it will look up, which the group fetches in one query.
    changes_catalog: whether it may change, move or delete records that catalogs remember.
    """

    apply: Callable[[SharedTransaction], Any]
    units: Sequence[UnitKey] = ()
    changes_catalog: bool = True


class Outcome(NamedTuple):
    """What a write returned, and is now durable, or the error that it raised, and left nothing behind."""

    value: Any
    error: BaseException | None


class GroupCommit:
    """Commits groups of writes over a connection of its own. Use it in one thread, and `close` it in that thread.

    wait_s: how long a write may wait for a lock that another process holds in PostgreSQL; None: for ever.
    """

    def __init__(self, database: Database, wait_s: float | None = None) -> None:
        self._database = database
        self._wait_s = wait_s
        self._turns = database.turns()
        self._catalog = Catalog()
        self._connection: Connection | None = None
        self._groups = 0
        # Whether the last transaction reached its commit. A commit that raises may have happened all the same.
        self._is_committing = False

    def commit(self, group: Sequence[Write]) -> list[Outcome]:
        """The outcome of each of these writes, in order. All that succeeded are durable."""
        try:
            return self._commit_together(group)
        except Exception as error:
            if is_out_of_patience(error):  # each write alone would wait as long again
                _log.error(
                    "%d writes refused: another process holds a lock of the database for too long", len(group)
                )
                return [Outcome(None, WriteTimedOut()) for _ in group]
            # The write that broke the shared transaction fails alone, or succeeds now (another process was first).
            _log.info("group of %d writes failed; each is now run alone", len(group), exc_info=True)
            return self._commit_each(group)

    def rest(self) -> None:
        """Renew the statistics now and then. Call it between groups, when every caller has its answer."""
        self._groups += 1
        if self._groups % _GROUPS_PER_RENEWAL == 1:
            self._renew_statistics()

    def close(self) -> None:
        if self._connection is not None:
            self._renew_statistics()
        self._disconnect()
        self._turns.close()

    def _commit_each(self, group: Sequence[Write]) -> list[Outcome]:
        """The outcome of each of these writes, whose shared transaction failed, run one by one."""
        may_be_committed = self._is_committing
        outcomes: list[Outcome] = []
        for write in group:
            outcome = self._commit_alone(write)
            outage = None if outcome.error is None else outage_of(outcome.error)
            if isinstance(outage, DatabaseUnavailable):
                # Each of the writes behind it would wait for the same database as long as this one did.
                own, other = (
                    Outcome(None, CommitInDoubt(outage.detail) if in_doubt else outcome.error)
                    for in_doubt in (may_be_committed or self._is_committing, may_be_committed)
                )
                return [*outcomes, own, *[other] * (len(group) - len(outcomes) - 1)]
            outcomes.append(outcome)
        return outcomes

    def _commit_alone(self, write: Write) -> Outcome:
        try:
            return self._commit_together([write])[0]
        # Not swallowed: raised again where the write was submitted.
        except Exception as error:
            return Outcome(None, error)

    def _commit_together(self, group: Sequence[Write]) -> list[Outcome]:
        self._is_committing = False
        connection = self._connect()
        try:
            with self._turns.taken(), connection.begin():
                transaction = SharedTransaction(connection, self._catalog)
                self._catalog.open(connection, [key for write in group for key in write.units])
                outcomes = [_apply(transaction, write) for write in group]
                transaction.finish()
                self._is_committing = True
        except BaseException:
            self._disconnect()
            raise
        return outcomes

    def _renew_statistics(self) -> None:
        """Renew the statistics of the tables. A failure is only logged, so that no write is run again for it."""
        try:
            # The statistics are written to the database, which on SQLite takes a turn.
            with self._turns.taken():
                self._database.keep_statistics(self._connect())
        except DATABASE_ERRORS:
            _log.info("statistics of the database could not be renewed", exc_info=True)
            self._disconnect()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.writing_connection(self._wait_s)
        return self._connection

    def _disconnect(self) -> None:
        """Close the connection and forget the catalog: the next transaction starts afresh."""
        self._catalog.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _apply(transaction: SharedTransaction, write: Write) -> Outcome:
    transaction.begin_write()
    try:
        value = write.apply(transaction)
        transaction.end_write(changes_catalog=write.changes_catalog)
    except DATABASE_ERRORS:
        raise
    # Not swallowed: raised again where the write was submitted.
    except Exception as error:
        transaction.undo_write()
        return Outcome(None, error)
    return Outcome(value, None)
