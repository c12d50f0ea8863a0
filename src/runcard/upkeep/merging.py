"""A thread that moves the runs of merged procedures, a few at a time, while runs are recorded; and back after a split.

The database says which runs are left to move, so it continues where a killed process left it.
"""

import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.intake.arrived_files import Stores
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.locks import Lock
from runcard.store.procedures.merges import list_open_merges, move_runs
from runcard.store.procedures.splits import bring_home, list_splitting_organizations
from runcard.upkeep.repeated_work import RepeatedWork

# How many runs one transaction moves; stations wait for it.
_RUNS_AT_ONCE = 50
_LOOKS_EVERY_S = 2.0
# It rests this many times as long as it worked, and at least this long. That makes 250 runs a second, which the
# columnar copy can follow beside its other work, so that figures stay fresh.
_REST_RATIO = 4.0
_LEAST_REST_S = 0.2


class Merger(RepeatedWork):
    """Moves runs until it is closed. If several servers share a database, only one of them moves."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(
            stores,
            name="runcard-merger",
            every_s=_LOOKS_EVERY_S,
            failing="moving the runs of a merged or split procedure failed",
        )

    def _work(self) -> None:
        with self._stores.database.read() as connection:
            splits = list_splitting_organizations(connection)
            merges = list_open_merges(connection)
        if not (splits or merges):
            return
        with self._stores.database.alone(Lock.MERGES) as is_alone:
            if not is_alone:
                return
            for organization_id in splits:
                self._repeat(organization_id, partial(bring_home, at_most=_RUNS_AT_ONCE))
            for merge in merges:
                self._repeat(merge.organization_id, partial(move_runs, merge=merge, at_most=_RUNS_AT_ONCE))

    def _repeat(self, organization_id: UUID, move: Callable[[Transaction], int]) -> None:
        """Move some runs after the other, until none is left. move: moves some, and returns how many."""
        while not self._closing.is_set():
            started = time.monotonic()
            if not self._stores.writer.write(SystemActor(organization_id, "merge"), move):
                break
            worked_s = time.monotonic() - started
            self._closing.wait(max(_LEAST_REST_S, worked_s * _REST_RATIO))
