"""A thread that moves what follows a merge or a split, a few records at a time, while runs are recorded.

The database says which records are left to move, so it continues where a killed process left it.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.intake.arrived_files import Stores
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Connection
from runcard.store.engine.locks import Lock
from runcard.store.merging.mergeable import Mergeable
from runcard.store.merging.merges import list_open_merges, move_records
from runcard.store.merging.splits import bring_back, list_splitting_organizations
from runcard.store.procedures.merges import PROCEDURES
from runcard.store.products.mergeable_parts import PARTS
from runcard.upkeep.repeated_work import RepeatedWork

_MERGEABLES = (PROCEDURES, PARTS)
# How many records one transaction moves; stations wait for it.
_RECORDS_AT_ONCE = 50
_LOOKS_EVERY_S = 2.0
# It rests this many times as long as it worked, and at least this long. That makes 250 records a second, which the
# columnar copy can follow beside its other work, so that figures stay fresh.
_REST_RATIO = 4.0
_LEAST_REST_S = 0.2


class Merger(RepeatedWork):
    """Moves records until it is closed. If several servers share a database, only one of them moves."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(
            stores,
            name="runcard-merger",
            every_s=_LOOKS_EVERY_S,
            failing="moving what follows a merge or a split failed",
        )

    def _work(self) -> None:
        with self._stores.database.read() as connection:
            steps = [step for mergeable in _MERGEABLES for step in _steps(connection, mergeable)]
        if not steps:
            return
        with self._stores.database.alone(Lock.MERGES) as is_alone:
            for step in steps if is_alone else ():
                self._repeat(step)

    def _repeat(self, step: "_MovingStep") -> None:
        """Move some records after the other, until none is left."""
        writer, author = self._stores.writer, SystemActor(step.organization_id, "merge")
        write = writer.write_catalog if step.mergeable.remembered else writer.write
        while not self._closing.is_set():
            started = time.monotonic()
            if not write(author, step.move):
                break
            worked_s = time.monotonic() - started
            self._closing.wait(max(_LEAST_REST_S, worked_s * _REST_RATIO))


class _MovingStep(NamedTuple):
    """A merge or a split that may have something to move. move: moves some records, and returns how many."""

    organization_id: UUID
    mergeable: Mergeable
    move: Callable[[Transaction], int]


def _steps(connection: Connection, mergeable: Mergeable) -> Iterator[_MovingStep]:
    for organization_id in list_splitting_organizations(connection, mergeable):
        yield _MovingStep(
            organization_id, mergeable, partial(bring_back, mergeable=mergeable, at_most=_RECORDS_AT_ONCE)
        )
    for merge in list_open_merges(connection, mergeable):
        move = partial(move_records, mergeable=mergeable, merge=merge, at_most=_RECORDS_AT_ONCE)
        yield _MovingStep(merge.organization_id, mergeable, move)
