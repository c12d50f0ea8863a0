"""Whether this server should get requests now, and why not."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.edge.connections.stopping import Stopping
from runcard.edge.monitoring.bounded_look import BoundedLook, NotAnswered
from runcard.recording.recorder import Recorder
from runcard.store.engine.database import Database
from runcard.store.installation.state import DatabaseState, read_state

# A probe gives up after a few seconds, and says then less than this answer does.
WITHIN_S = 1.5
_KEEP_S = 1.0


class HealthCheck(Struct, frozen=True):
    """why: the reason in words if it does not hold, without any secret; else None."""

    name: str
    holds: bool
    why: str | None = None


class Probed(NamedTuple):
    """What is looked at. database: connections of their own, so that a busy server's probes wait for nobody.

    copy: None if this process keeps none. most_behind_s: how far behind the copy may be.
    """

    database: Database
    recorder: Recorder
    copy: ColumnarCopy | None
    most_behind_s: int


class Readiness:
    def __init__(self, probed: Probed, stopping: Stopping) -> None:
        self._probed = probed
        self._stopping = stopping
        self._look: BoundedLook[DatabaseState] = BoundedLook(self._read, _KEEP_S)

    async def checks(self) -> Sequence[HealthCheck]:
        """Every check, in a fixed order, after at most `WITHIN_S`. The server is ready if all of them hold."""
        try:
            state = await self._look.answer(WITHIN_S)
        except NotAnswered:
            state = None
        return list(self._checks(state))

    @property
    def latest(self) -> DatabaseState | None:
        """The state of the database at the last look that succeeded; None: none has."""
        return self._look.latest

    def _read(self) -> DatabaseState:
        copy = self._probed.copy
        return read_state(self._probed.database, None if copy is None else copy.seen)

    def _checks(self, state: DatabaseState | None) -> Iterator[HealthCheck]:
        yield _check("serving", "The server has been told to stop." if self._stopping.has_begun else None)
        yield _check("database", "The database does not answer." if state is None else None)
        is_migrated = state is not None and state.is_migrated
        yield _check("schema", None if is_migrated else _why_not_migrated(state))
        is_up = self._probed.recorder.process_id is not None
        yield _check("recorder", None if is_up else "The process that records is not up; the log says why.")
        if self._probed.copy is not None:
            yield _check("columnar_copy", self._why_behind(self._probed.copy, state))

    def _why_behind(self, copy: ColumnarCopy, state: DatabaseState | None) -> str | None:
        if state is None:
            return "How far the columnar copy is behind is not known while the database does not answer."
        if copy.seen is None:
            return "The columnar copy cannot be brought up to date now; the log says why."
        behind_s, most_s = seconds_behind(state), self._probed.most_behind_s
        if behind_s <= most_s:
            return None
        return f"The columnar copy is {behind_s:.0f} s behind, more than ready_copy_behind_s {most_s}."


def seconds_behind(state: DatabaseState) -> float:
    """The age of the oldest change that the columnar copy lacks; 0 if it lacks none."""
    if state.unseen_since is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - state.unseen_since).total_seconds())


def _check(name: str, why_not: str | None) -> HealthCheck:
    return HealthCheck(name, why_not is None, why_not)


def _why_not_migrated(state: DatabaseState | None) -> str:
    if state is None:
        return "Whether the database is migrated is not known while it does not answer."
    return "The database has another schema than this version of Runcard; start the server of the newest version."
