"""Identifiers: UUIDv7 for what is recorded, derived identifiers for what lies inside a run.

The lowest 26 bits of a run's id are zero. The phases, measurements and logs of the run are numbered in document
order. Their ids are the run's id with their kind and number in those bits. So these ids need no storage and no index,
and each of them leads to its run.
"""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

import uuid_utils

_POSITION_BITS = 24
_INNER_BITS = _POSITION_BITS + 2
_INNER_MASK = (1 << _INNER_BITS) - 1
MAX_PARTS_PER_KIND = 1 << _POSITION_BITS


class RunPart(IntEnum):
    """What an id inside a run stands for."""

    PHASE = 1
    MEASUREMENT = 2
    LOG = 3


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562). Within a process, later ids sort later."""
    return UUID(int=uuid_utils.uuid7().int)


def new_run_id() -> UUID:
    """A fresh UUIDv7 with room for `part_id` in its lowest 26 bits (48 random bits a millisecond remain)."""
    return UUID(int=uuid_utils.uuid7().int & ~_INNER_MASK)


def first_id_at(moment: datetime) -> UUID:
    """An id below every id that is made in the millisecond of this moment or later."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def part_id(run_id: UUID, kind: RunPart, position: int) -> UUID:
    """The id of the phase, measurement or log at `position` (from 0, in document order) of a run.

    Raises ValueError where position is not below MAX_PARTS_PER_KIND.
    """
    if not 0 <= position < MAX_PARTS_PER_KIND:
        raise ValueError(f"position {position} is outside 0..{MAX_PARTS_PER_KIND - 1}")
    return UUID(int=run_id.int | kind << _POSITION_BITS | position)


def may_hold_parts(thing_id: UUID) -> bool:
    """Whether `part_id` can make ids from this one: it is that of a run, or one in 67 million others."""
    return thing_id.int & _INNER_MASK == 0


def last_part_id(run_id: UUID) -> UUID:
    """The largest id that `part_id` can make for a run."""
    return UUID(int=run_id.int | _INNER_MASK)


def run_of(inner_id: UUID) -> tuple[UUID, RunPart, int] | None:
    """The run, kind and position that `part_id` made this id from; None where `part_id` did not make it."""
    kind = inner_id.int >> _POSITION_BITS & 0b11
    if kind == 0:
        return None
    position = inner_id.int & (MAX_PARTS_PER_KIND - 1)
    return UUID(int=inner_id.int & ~_INNER_MASK), RunPart(kind), position
