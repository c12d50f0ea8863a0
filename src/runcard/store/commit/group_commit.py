"""The only commit. Writes that wait are run together in one transaction and one durable commit.

Each write is whole or absent: a write that fails is undone alone, and one that makes the shared transaction fail
(a constraint, a lost connection) is run again by itself, so that it fails alone.
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

# More writes in one commit gain nothing measurable and make the first of them wait.
MAX_GROUP = 256
# Between two looks at how the tables have grown; the last is at the end.
_GROUPS_PER_LOOK = 1000


class Write(NamedTuple):
    """apply: what is written. units: those that it will look up, as (organization, lookup key): the group fetches them
    in one query. changes_catalog: whether it may change, move or delete what catalogs remember.
    """

    apply: Callable[[SharedTransaction], Any]
    units: Sequence[UnitKey] = ()
    changes_catalog: bool = True


class Outcome(NamedTuple):
    """What a write returned, which is durable, or what it raised, which left nothing."""

    value: Any
    error: BaseException | None


class GroupCommit:
    """Owns a writing connection. For one thread; `close` it in that thread.

    wait_s: how long a write may wait for what another process of PostgreSQL holds; None: for ever.
    """

    def __init__(self, database: Database, wait_s: float | None = None) -> None:
        self._database = database
        self._wait_s = wait_s
        self._turns = database.turns()
        self._catalog = Catalog()
        self._connection: Connection | None = None
        self._groups = 0
        # Whether the last transaction came as far as its commit: where that failed, it may have been made all the same.
        self._is_committing = False

    def commit(self, group: Sequence[Write]) -> list[Outcome]:
        """The outcome of each of these writes, of which all that succeeded are durable."""
        try:
            return self._commit_together(group)
        except Exception as error:
            if is_out_of_patience(error):  # each alone would wait as long
                _log.error(
                    "another process has kept %d writes waiting for too long: they are refused", len(group)
                )
                return [Outcome(None, WriteTimedOut()) for _ in group]
            # What broke the shared transaction breaks only its own, or has passed (another process was first).
            _log.info("group of %d writes failed, running each alone", len(group), exc_info=True)
            return self._commit_each(group)

    def rest(self) -> None:
        """To be called between groups, when everybody has their answer: nobody waits for what is done now and then."""
        self._groups += 1
        if self._groups % _GROUPS_PER_LOOK == 1:
            self._look_at_growth()

    def close(self) -> None:
        if self._connection is not None:
            self._look_at_growth()
        self._disconnect()
        self._turns.close()

    def _commit_each(self, group: Sequence[Write]) -> list[Outcome]:
        """The same, of writes of which the shared transaction failed, one by one."""
        may_be_made = self._is_committing
        outcomes: list[Outcome] = []
        for write in group:
            outcome = self._commit_alone(write)
            outage = None if outcome.error is None else outage_of(outcome.error)
            if isinstance(outage, DatabaseUnavailable):
                # Those behind it would wait for the same database in turn, each as long as this one did.
                own, other = (
                    Outcome(None, CommitInDoubt(outage.detail) if in_doubt else outcome.error)
                    for in_doubt in (may_be_made or self._is_committing, may_be_made)
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

    def _look_at_growth(self) -> None:
        """No write is run again because this failed."""
        try:
            # What is found is written, for which SQLite would wait until nobody else writes.
            with self._turns.taken():
                self._database.keep_statistics(self._connect())
        except DATABASE_ERRORS:
            _log.info("statistics could not be kept", exc_info=True)
            self._disconnect()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.writing_connection(self._wait_s)
        return self._connection

    def _disconnect(self) -> None:
        """Start the next transaction on a fresh connection, remembering nothing."""
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
