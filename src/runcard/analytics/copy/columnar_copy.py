"""The copy, as readers and the worker share it: how far it is, who waits for it, and whether it can be trusted."""

import threading
from contextlib import AbstractContextManager

from runcard.analytics.copy.engines.engine import CopyCursor, Engine

# A copy that lacks more changes than this cannot catch up while a reader waits.
_HOPELESS = 5_000


class ColumnarCopy:
    """The columnar copy, and the last change that it has seen."""

    def __init__(self, engine: Engine, timeout_s: float) -> None:
        self.engine = engine
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._seen: int | None = None
        self._waiting = 0
        self._is_damaged = False
        self._is_closed = False

    def is_fresh(self, seq: int) -> bool:
        """Wait for this change for at most the timeout, and return whether the copy has seen it."""
        with self._changed:
            if self._has_seen(seq):
                return True
            if self._is_closed or self._seen is None or seq - self._seen > _HOPELESS:
                return False
            self._waiting += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._has_seen(seq) or self._is_closed, self._timeout_s)
            finally:
                self._waiting -= 1
            return self._has_seen(seq)

    def transaction(self) -> AbstractContextManager[CopyCursor]:
        """For readers: a cursor that sees one state of the copy. Raises CopyFailed."""
        return self.engine.transaction()

    def tell(self, seen: int | None) -> None:
        """Set the last change that the copy has seen; None: unknown."""
        with self._changed:
            self._seen = None if self._is_damaged else seen
            self._changed.notify_all()

    def distrust(self) -> None:
        """Mark the copy as damaged: the worker begins it anew."""
        with self._changed:
            self._seen = None
            self._is_damaged = True
            self._changed.notify_all()

    def begin_anew(self) -> None:
        """For the worker: replace the copy by an empty one, which can be trusted. Raises as `Engine.begin_anew`."""
        self.engine.begin_anew()
        with self._changed:
            self._is_damaged = False

    def rest(self, seconds: float) -> None:
        """For the worker: wait for this long, or until a reader waits for a change."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_damaged or self._is_closed, seconds)

    def pause(self, seconds: float) -> None:
        """For the worker: wait for this long, even while readers wait."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, seconds)

    def close(self) -> None:
        """Let nobody wait for the copy any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def seen(self) -> int | None:
        """The last change that the copy has seen; None if it is unknown."""
        return self._seen

    @property
    def is_damaged(self) -> bool:
        return self._is_damaged

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def _has_seen(self, seq: int) -> bool:
        return self._seen is not None and self._seen >= seq
