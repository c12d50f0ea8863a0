"""What can be merged, and which records follow a merge."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, TextClause, and_, true

from runcard.store.commit.changes import ChangeKind
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator


class Follower(NamedTuple):
    """A table whose records follow a merge.

    noun: what a record is called. of: the column that names the merged thing. child: the column that names a version or
    revision of it. order: in which order they are moved; columns that no index has together with `of` would make each
    step read all. kind: what the change is called in the trail; None: as usual. at_once: they are so few that they
    follow in the same write. always: a condition that all records meet, for an index that only merges should use.
    """

    noun: str
    of: Column[UUID]
    child: Column[Any] | None = None
    order: Sequence[Column[Any]] = ()
    kind: ChangeKind | None = None
    at_once: bool = False
    always: ColumnElement[bool] | TextClause = true()

    def is_of(self, thing: UUID | ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition that a record names this thing."""
        return and_(self.of == thing, self.always)

    @property
    def table(self) -> Table:
        return self.of.table


class Mergeable(NamedTuple):
    """Things of one kind that can be merged.

    notes: the records that merges moved. same: for each of some children, the child of a thing that is called the same;
    missing ones are added in the name of the creator. remembered: catalogs remember the records that are moved.
    """

    noun: str
    things: Table
    merges: Table
    notes: Table
    followers: Sequence[Follower]
    same: Callable[[Transaction, Collection[UUID], UUID, Creator], Mapping[UUID, UUID]]
    remembered: bool = False


class OpenMerge(NamedTuple):
    """A merge that still has records to move. creator: who merged; records made on the way are made in their name."""

    id: UUID
    organization_id: UUID
    source_id: UUID
    target_id: UUID
    creator: Creator
