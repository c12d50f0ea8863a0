"""A thread that moves the runs of procedures that were merged into others: some at a time, beside all that is recorded.

Whether something is left to move is asked of the record, so a merge goes on wherever a killed process left it.
"""

import time
from functools import partial

from runcard.intake.arrived_files import Stores
from runcard.store.engine.locks import Lock
from runcard.store.procedures.merges import list_open_merges, move_runs
from runcard.upkeep.repeated_work import RepeatedWork

# What one transaction moves, and stations wait for.
_RUNS_AT_ONCE = 50
_LOOKS_EVERY_S = 2.0
# Rests for so many times as long as it worked, and at least so long: 250 runs a second, which the columnar copy can
# follow beside all else, so that figures stay fresh.
_REST_RATIO = 4.0
_LEAST_REST_S = 0.2


class Merger(RepeatedWork):
    """Moves runs until it is closed. Of several servers of one database, one moves."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(
            stores,
            name="runcard-merger",
            every_s=_LOOKS_EVERY_S,
            failing="moving the runs of a merged procedure failed",
        )

    def _work(self) -> None:
        with self._stores.database.read() as connection:
            found = list_open_merges(connection)
        if not found:
            return
        with self._stores.database.alone(Lock.MERGES) as is_alone:
            for merge in found if is_alone else ():
                while not self._closing.is_set():
                    started = time.monotonic()
                    move = partial(move_runs, merge=merge, at_most=_RUNS_AT_ONCE)
                    if not self._stores.writer.write(merge.organization_id, move):
                        break
                    worked_s = time.monotonic() - started
                    self._closing.wait(max(_LEAST_REST_S, worked_s * _REST_RATIO))
