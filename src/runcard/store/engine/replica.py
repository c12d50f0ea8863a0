"""Reads that a replica of the database answers, wherever it has seen all that was committed before."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, text

from runcard.store.engine.database import DATABASE_ERRORS, Database, DatabaseUrlInvalid
from runcard.store.engine.outages import outage_of
from runcard.store.engine.readable import Readable

_log = logging.getLogger(__name__)

# A replica is a few milliseconds behind as a rule. One that is further behind is passed over.
_PATIENCE_S = 0.05
_LOOK_S = 0.002
# The pause after a failure of the replica, or after it was too far behind.
_REST_S = 10.0
_REST_BEHIND_S = 1.0

# Every commit that was acknowledged before stands in the write-ahead log before this place.
_NEWEST = text("SELECT CAST(pg_current_wal_flush_lsn() AS text)")
_HAS_SEEN = text("SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(:newest AS pg_lsn)")
_IDENTITY = text("SELECT system_identifier, current_database() FROM pg_control_system()")


class Replicated(Readable):
    """A database whose readers get a connection to its replica.

    They get one to the database itself while the replica is away, or misses something that was committed before they
    asked. So a reader never misses what it wrote, through whichever server.
    """

    def __init__(self, database: Database, replica: Database) -> None:
        """A replica that is away may come later. Raises DatabaseUrlInvalid for one of something else."""
        self._database = database
        self._replica = replica
        self._is_known = False
        self._rests_until = 0.0
        try:
            self._check()
        except DATABASE_ERRORS as error:
            self._rest(_REST_S, error)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements all see one state of the database, and change nothing."""
        with ExitStack() as opened:
            connection = self._current(opened)
            if connection is None:
                yield opened.enter_context(self._database.read())
                return
            try:
                yield connection
            except DATABASE_ERRORS as error:
                if outage_of(error) is not None:
                    self._rest(_REST_S, error)
                raise

    def close(self) -> None:
        """Close all connections to both."""
        self._replica.close()
        self._database.close()

    def _current(self, opened: ExitStack) -> Connection | None:
        """A connection to the replica, which has seen all that is committed now; None: it has not, or it is away.

        opened: closes the connection.
        """
        if time.monotonic() < self._rests_until:
            return None
        with self._database.read() as connection:
            newest: str = connection.execute(_NEWEST).scalar_one()
        try:
            if not self._is_known:
                self._check()
            replica = opened.enter_context(self._replica.read())
            until = time.monotonic() + _PATIENCE_S
            while not replica.execute(_HAS_SEEN, {"newest": newest}).scalar_one():
                replica.rollback()
                if time.monotonic() > until:
                    self._rest(_REST_BEHIND_S, "it is too far behind")
                    return None
                time.sleep(_LOOK_S)
            replica.rollback()  # the state that was looked at is older than the answer
        except (*DATABASE_ERRORS, DatabaseUrlInvalid) as error:
            self._rest(_REST_S, error)
            return None
        return replica

    def _check(self) -> None:
        """Check that the replica is one of this database. Raises DatabaseUrlInvalid."""
        identities = []
        for database in (self._database, self._replica):
            with database.read() as connection:
                identities.append(connection.execute(_IDENTITY).one())
        if identities[0] != identities[1]:
            raise DatabaseUrlInvalid(
                f"database_read_url names {self._replica.url.render_as_string()}, which is no replica of the "
                "database that database_url names; name a streaming replica of it, or leave it out."
            )
        self._is_known = True

    def _rest(self, rest_s: float, reason: object) -> None:
        """Leave the replica alone for a while. reason: for the log."""
        self._rests_until = time.monotonic() + rest_s
        _log.warning("the database answers instead of its replica for %d s: %s", rest_s, reason)
