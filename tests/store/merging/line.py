"""Procedures or parts of a test's own that are merged and split, and the same as plain sets beside them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import Column, select

from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Connection
from runcard.store.merging.mergeable import Follower, Mergeable
from runcard.store.merging.merges import list_open_merges, move_records
from runcard.store.merging.splits import (
    SplitPreview,
    bring_back,
    list_splitting_organizations,
    preview_split,
    split,
)
from runcard.store.procedures.merges import PROCEDURES, merge_procedures
from runcard.store.procedures.rows import get_procedure
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import merge_parts
from runcard.store.products.parts import create_part, get_part_by_id
from runcard.store.runs.rows import delete_runs
from tests.histories import START, Floor

Step = tuple[UUID, UUID]


class Line:
    """Four procedures. into: what each was merged into, directly.

    at: where each record belongs. came_by: the merges that brought it there. tags: its version.
    """

    mergeable: Mergeable = PROCEDURES
    child: Column[str] = t.procedure_versions.c.tag

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.author = SystemActor(floor.home, "test")
        self.mark = uuid4().hex[:8]
        self.things = [self.create(number) for number in range(4)]
        self.into: dict[UUID, UUID] = {}
        self.came_by: dict[UUID, list[Step]] = {}
        self.at: dict[UUID, UUID] = {}
        self.tags: dict[UUID, str | None] = {}

    def create(self, number: int) -> UUID:
        return self.floor.procedure(f"Step {number}")

    def record(self, thing: UUID, tag: str | None = None, serial: str | None = None) -> UUID:
        """Record a run that names this thing; its id. serial: None: of a unit of its own."""
        report = RunReport(
            procedure="",
            serial_number=serial or f"SN-{uuid4()}",
            part_number=f"P-{self.mark}",
            outcome="PASS",
            procedure_version=tag,
            started_at=START + timedelta(minutes=len(self.at)),
        )
        [run_id] = self.floor.record(thing, [report])
        self.note(run_id, thing, tag)
        return run_id

    def note(self, record_id: UUID, thing: UUID, tag: str | None) -> None:
        self.at[record_id], self.came_by[record_id], self.tags[record_id] = self.root(thing), [], tag

    def root(self, thing: UUID) -> UUID:
        while thing in self.into:
            thing = self.into[thing]
        return thing

    def merge(self, source: UUID, target: UUID) -> None:
        self.floor.writer.write_catalog(self.author, lambda tx: self.apply_merge(tx, source, target))
        source, target = self.root(source), self.root(target)
        self.into[source] = target
        for record_id, place in self.at.items():
            if place == source:
                self.at[record_id] = target
                self.came_by[record_id].append((source, target))

    def apply_merge(self, tx: Transaction, source: UUID, target: UUID) -> None:
        a, b = (get_procedure(tx.scope, str(one)) for one in (source, target))
        merge_procedures(tx, a, b, Creator(None, None))

    def split(self, source: UUID) -> None:
        take_back = partial(
            split,
            mergeable=self.mergeable,
            source_id=source,
            target_id=self.root(source),
            why="by mistake",
        )
        self.floor.writer.write_catalog(self.author, take_back)
        step = (source, self.into.pop(source))
        for record_id, steps in self.came_by.items():
            if step in steps:
                self.at[record_id] = source
                del steps[steps.index(step) :]

    def delete(self, run_id: UUID) -> None:
        self.floor.writer.write(self.author, lambda tx: delete_runs(tx, [run_id], Deletion()))
        del self.at[run_id], self.came_by[run_id], self.tags[run_id]

    def move(self, at_most: int) -> int:
        """One step of the thread that moves."""
        with self.floor.database.read() as connection:
            merges = list_open_merges(connection, self.mergeable)
        steps = [partial(bring_back, mergeable=self.mergeable, at_most=at_most)]
        steps += [
            partial(move_records, mergeable=self.mergeable, merge=merge, at_most=at_most) for merge in merges
        ]
        return sum(self.floor.writer.write_catalog(self.author, step) for step in steps)

    def finish(self) -> None:
        while self.move(2):
            pass

    def preview(self, source: UUID) -> SplitPreview:
        m = self.mergeable.merges.c
        with self.floor.database.read_in(self.floor.home) as scope:
            merge_id = scope.connection.execute(
                select(m.id).where(m.source_id == source, m.ended_at.is_(None))
            ).scalar_one()
            return preview_split(scope, self.mergeable, merge_id, self.root(source))

    def assert_settled(self) -> None:
        thing, n, m = (
            table.c for table in (self.mergeable.things, self.mergeable.notes, self.mergeable.merges)
        )
        with self.floor.database.read_in(self.floor.home) as scope:
            found = [
                row for one in self.mergeable.followers for row in self._followers(scope.connection, one)
            ]
            assert {row[0]: row[1] for row in found} == self.at
            assert {row[0]: row[2] for row in found} == self.tags
            assert all(row[3] in (None, row[1]) for row in found)
            merged = select(thing.id, thing.merged_into_id).where(thing.id.in_(self.things))
            pointers = {row[0]: row[1] for row in scope.connection.execute(merged)}
            assert pointers == {one: self.root(one) if one in self.into else None for one in self.things}
            noted = select(n.record_id, m.source_id, m.target_id, m.ended_at)
            noted = noted.join_from(self.mergeable.notes, self.mergeable.merges, m.id == n.merge_id)
            notes = scope.connection.execute(noted.where(n.record_id.in_(self.at)).order_by(m.id)).all()
            assert [row for row in notes if row[3] is not None] == []
            came_by = {one: [row[1:3] for row in notes if row[0] == one] for one in self.at}
            assert came_by == self.came_by
            assert list_splitting_organizations(scope.connection, self.mergeable) == []

    def _followers(
        self, connection: Connection, follower: Follower
    ) -> Sequence[tuple[UUID, UUID, str, UUID]]:
        """Of each record: its id, the thing, and the version or revision with the thing that this is of."""
        if follower.child is None:
            return []
        children = self.child.table
        of = next(key.parent for key in children.foreign_keys if key.column.table is self.mergeable.things)
        query = select(follower.table.c.id, follower.of, self.child, of).join_from(
            follower.table, children, children.c.id == follower.child, isouter=True
        )
        rows = connection.execute(query.where(follower.of.in_(self.things)))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


class PartLine(Line):
    """Four parts. tags: the revision of each run and of its unit."""

    mergeable = PARTS
    child = t.revisions.c.number

    def create(self, number: int) -> UUID:
        called, by = f"PN-{number}-{self.mark}", Creator(None, None)
        return self.floor.writer.write_catalog(self.author, lambda tx: create_part(tx, called, None, "A", by))

    @property
    def procedure(self) -> UUID:
        if not hasattr(self, "_procedure"):
            self._procedure = self.floor.procedure()
        return self._procedure

    def record(self, thing: UUID, tag: str | None = None, serial: str | None = None) -> UUID:
        tag, serial = tag or "A", serial or f"SN-{uuid4()}"
        report = RunReport(
            procedure="",
            serial_number=serial,
            part_number=f"PN-{self.things.index(thing)}-{self.mark}",
            revision_number=tag,
            outcome="PASS",
            started_at=START + timedelta(minutes=len(self.at)),
        )
        [run_id] = self.floor.record(self.procedure, [report])
        u, r = t.units.c, t.runs.c
        with self.floor.database.read_in(self.floor.home) as scope:
            of_run = select(u.id).join_from(t.runs, t.units, u.id == r.unit_id).where(r.id == run_id)
            unit_id = scope.connection.execute(of_run).scalar_one()
        self.note(run_id, thing, tag)
        if unit_id not in self.at:
            self.note(unit_id, thing, tag)
        return run_id

    def apply_merge(self, tx: Transaction, source: UUID, target: UUID) -> None:
        a, b = (get_part_by_id(tx.scope, one) for one in (source, target))
        merge_parts(tx, a, b, Creator(None, None), "two spellings")
