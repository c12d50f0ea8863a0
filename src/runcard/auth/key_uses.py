"""When keys were last used: remembered by this process, until it is written."""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from runcard.store.commit.lookups import KnownKey
from runcard.store.people.key_uses import KeyUse


class KeyUses:
    """Remembers the last use of each key. Several threads may note uses at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[UUID, KeyUse] = {}

    def note(self, key: KnownKey, now: datetime) -> None:
        """Remember that a key is used now."""
        with self._lock:
            self._last[key.id] = KeyUse(key.id, key.actor.organization_id, now)

    def take(self) -> Sequence[KeyUse]:
        """The last use of each key that was used since the last call. They are forgotten here."""
        with self._lock:
            taken, self._last = self._last, {}
        return list(taken.values())

    def put_back(self, uses: Iterable[KeyUse]) -> None:
        """Remember uses that were taken and could not be written. A later use of the same key counts."""
        with self._lock:
            self._last = {use.key_id: use for use in uses} | self._last
