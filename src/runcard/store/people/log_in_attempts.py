"""Attempts to log in, counted in PostgreSQL for all servers that share it. See `auth.attempts.AttemptCounts`.

They are no part of the record. Each statement is a transaction of its own, so that no server holds a lock while it
works. The clock is that of the database, which all servers share.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import TextClause, text

from runcard.domain.errors import TooManyAttempts
from runcard.store.engine.database import Database

# Unscoped: attempts are counted before it is known who makes them.

# `made_at` has the newest attempt first. Keys are taken in one order, so that two servers never wait for each other.
_RECENT = "SELECT made FROM unnest(a.made_at) AS made WHERE made > now() - :window ORDER BY made DESC"
_COUNT = text(f"""
    INSERT INTO log_in_attempts AS a (digest, made_at, newest_at)
    SELECT digest, ARRAY[now()], now() FROM unnest(CAST(:digests AS bytea[])) AS digest ORDER BY digest
    ON CONFLICT (digest) DO UPDATE SET made_at = now() || ARRAY({_RECENT}), newest_at = now()
    WHERE (SELECT count(*) FROM ({_RECENT}) AS recent) < (
        SELECT most FROM unnest(CAST(:digests AS bytea[]), CAST(:limits AS integer[])) AS given (digest, most)
        WHERE given.digest = a.digest
    )
    RETURNING digest
""")  # noqa: S608 (only constants are put in)
_NOTE = text(f"""
    INSERT INTO log_in_attempts AS a (digest, made_at, newest_at) VALUES (:digest, ARRAY[now()], now())
    ON CONFLICT (digest) DO UPDATE SET made_at = now() || ARRAY({_RECENT} LIMIT :most - 1), newest_at = now()
""")  # noqa: S608 (as above)
_HAS = text(f"""
    SELECT EXISTS (
        SELECT FROM log_in_attempts AS a
        WHERE digest = :digest AND (SELECT count(*) FROM ({_RECENT}) AS recent) >= :count
    )
""")  # noqa: S608 (as above)
_FORGIVE = text("UPDATE log_in_attempts SET made_at = made_at[2:] WHERE digest = :digest")
_FORGET = text("DELETE FROM log_in_attempts WHERE digest = :digest")
# Few at a time, and none that another server works on, so that nobody waits.
_SWEEP = text("""
    DELETE FROM log_in_attempts WHERE digest IN (
        SELECT digest FROM log_in_attempts WHERE newest_at <= now() - :window LIMIT 100 FOR UPDATE SKIP LOCKED
    )
""")


class AttemptsInDatabase:
    """Counts the attempts at all servers of one PostgreSQL database. What a key says is kept as a digest only."""

    def __init__(self, database: Database, window_s: float) -> None:
        self._database = database
        self._window = timedelta(seconds=window_s)

    def count(self, limits: Mapping[str, int]) -> None:
        """Count an attempt for each key, and remove rows that are of no more use. Raises TooManyAttempts."""
        digests = {_digest_of(key): key for key in limits}
        counted = self._rows(_COUNT, digests=[*digests], limits=[*limits.values()], window=self._window)
        if len(counted) < len(limits):
            for (digest,) in counted:
                self.forgive(digests[digest])
            raise TooManyAttempts
        self._change(_SWEEP, window=self._window)

    def note(self, key: str, most: int) -> None:
        self._change(_NOTE, digest=_digest_of(key), most=most, window=self._window)

    def has(self, key: str, count: int) -> bool:
        [(found,)] = self._rows(_HAS, digest=_digest_of(key), count=count, window=self._window)
        return bool(found)

    def forgive(self, key: str) -> None:
        self._change(_FORGIVE, digest=_digest_of(key))

    def forget(self, key: str) -> None:
        self._change(_FORGET, digest=_digest_of(key))

    def _rows(self, statement: TextClause, **values: Any) -> Sequence[Any]:
        with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return connection.execute(statement, values).all()

    def _change(self, statement: TextClause, **values: Any) -> None:
        with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(statement, values)


def _digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
