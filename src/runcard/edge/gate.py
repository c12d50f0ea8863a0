"""Checks API keys.

The database decides whether a key is valid, at the moment when it is used. On the routes that record runs, this happens
inside the transaction that records the run, so it costs nothing; there the gate only keeps strangers from sending large
bodies.
"""

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from runcard.auth.admission import Admission
from runcard.auth.key_uses import KeyUses
from runcard.auth.tokens import bearer_token, digest_of
from runcard.domain.actor import Actor
from runcard.domain.errors import Unauthenticated
from runcard.store.commit.lookups import KnownKey, find_key
from runcard.store.engine.database import Database

_MAX_REMEMBERED = 10_000


class Gate:
    """uses: takes note of each use of a key."""

    def __init__(self, database: Database, uses: KeyUses) -> None:
        self._database = database
        self._uses = uses
        self._seen: dict[bytes, KnownKey] = {}

    def identify(self, authorization: str | None) -> Actor:
        """The owner of a key that is valid now. Raises Unauthenticated."""
        digest = digest_of(bearer_token(authorization))
        with self._database.read() as connection:
            found = find_key(connection, digest)
        if found is None:
            self._seen.pop(digest, None)
            raise Unauthenticated
        actor = self._used_by(found)
        if len(self._seen) >= _MAX_REMEMBERED:
            self._seen.clear()
        self._seen[digest] = found
        return actor

    async def admit(self, authorization: str | None) -> Admission:
        """The owner of a key that is valid, or was when it was last used. Whoever acts on the answer must check the key
        in the database. Raises Unauthenticated.
        """
        digest = digest_of(bearer_token(authorization))
        found = self._seen.get(digest)
        if found is None:
            return Admission(digest, await run_in_threadpool(self.identify, authorization))
        return Admission(digest, self._used_by(found))

    def _used_by(self, key: KnownKey) -> Actor:
        """The owner of a key that is used now. Raises Unauthenticated if it has expired."""
        now = datetime.now(UTC)
        actor = key.actor_at(now)
        self._uses.note(key, now)
        return actor

    def forget(self, admission: Admission) -> None:
        """Look this key up in the database next time, because it is no longer valid."""
        self._seen.pop(admission.digest, None)
