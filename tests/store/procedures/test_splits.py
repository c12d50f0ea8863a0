"""Merges that are taken back: each run is where it would be if all merges and splits moved runs at once."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from runcard.domain.actor import SystemActor
from runcard.domain.errors import Conflict
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.merging.merges import list_open_merges, move_records
from runcard.store.merging.splits import (
    SplitPreview,
    bring_home,
    list_homecomings,
    list_splitting_organizations,
    preview_split,
    split,
)
from runcard.store.procedures.merges import PROCEDURES, list_merges_into, merge_procedures
from runcard.store.procedures.records import delete_procedure
from runcard.store.procedures.rows import get_procedure
from runcard.store.runs.rows import delete_runs
from tests.analytics.copies import content_of, own_copy
from tests.conftest import Template
from tests.histories import START, Floor, opened_floor
from tests.trails import assert_trail_fits

SOME = st.integers(0, 3)


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor
        assert_trail_fits(floor.database)


class Line:
    """Procedures of a test's own, and the same as plain sets: for each run, the merges that brought it where it is.

    into: the procedure that each was merged into, directly.
    """

    def __init__(self, floor: Floor, count: int = 4) -> None:
        self.floor = floor
        self.author = SystemActor(floor.home, "test")
        self.procedures = [floor.procedure(f"Step {number}") for number in range(count)]
        self.into: dict[UUID, UUID] = {}
        self.came_by: dict[UUID, list[tuple[UUID, UUID]]] = {}
        self.at: dict[UUID, UUID] = {}
        self.tags: dict[UUID, str | None] = {}

    def record(self, procedure_id: UUID, tag: str | None = None, serial: str = "SN") -> UUID:
        report = RunReport(
            procedure="",
            serial_number=serial,
            part_number="P",
            outcome="PASS",
            procedure_version=tag,
            started_at=START + timedelta(minutes=len(self.at)),
        )
        [run_id] = self.floor.record(procedure_id, [report])
        self.at[run_id], self.came_by[run_id], self.tags[run_id] = self.root(procedure_id), [], tag
        return run_id

    def root(self, procedure_id: UUID) -> UUID:
        while procedure_id in self.into:
            procedure_id = self.into[procedure_id]
        return procedure_id

    def merge(self, source: UUID, target: UUID) -> None:
        def apply(tx: Transaction) -> None:
            a, b = (get_procedure(tx.scope, str(one)) for one in (source, target))
            merge_procedures(tx, a, b, Creator(None, None))

        self.floor.writer.write_catalog(self.author, apply)
        source, target = self.root(source), self.root(target)
        self.into[source] = target
        for run_id, place in self.at.items():
            if place == source:
                self.at[run_id] = target
                self.came_by[run_id].append((source, target))

    def split(self, source: UUID) -> None:
        target = self.root(source)
        self.floor.writer.write_catalog(
            self.author,
            lambda tx: split(tx, PROCEDURES, source, target, "by mistake"),
        )
        step = (source, self.into.pop(source))
        for run_id, steps in self.came_by.items():
            if step in steps:
                self.at[run_id] = source
                del steps[steps.index(step) :]

    def delete(self, run_id: UUID) -> None:
        self.floor.writer.write(self.author, lambda tx: delete_runs(tx, [run_id], Deletion()))
        del self.at[run_id], self.came_by[run_id], self.tags[run_id]

    def move(self, at_most: int) -> int:
        """One step of the thread that moves."""
        with self.floor.database.read() as connection:
            merges = list_open_merges(connection, PROCEDURES)
        steps = [partial(bring_home, mergeable=PROCEDURES, at_most=at_most)]
        steps += [
            partial(move_records, mergeable=PROCEDURES, merge=merge, at_most=at_most) for merge in merges
        ]
        return sum(self.floor.writer.write(self.author, step) for step in steps)

    def finish(self) -> None:
        while self.move(2):
            pass

    def merges_into(self, target: UUID) -> dict[UUID, SplitPreview]:
        with self.floor.database.read_in(self.floor.home) as scope:
            return {
                one.source_id: preview_split(scope, PROCEDURES, one.id, target)
                for one in list_merges_into(scope, target)
            }

    def assert_settled(self) -> None:
        r, v, p, n, m = (
            t.runs.c,
            t.procedure_versions.c,
            t.procedures.c,
            t.merged_records.c,
            t.procedure_merges.c,
        )
        with self.floor.database.read_in(self.floor.home) as scope:
            connection = scope.connection
            found = select(r.id, r.procedure_id, v.procedure_id, v.tag)
            found = found.join_from(t.runs, t.procedure_versions, v.id == r.version_id, isouter=True)
            rows = connection.execute(found.where(r.procedure_id.in_(self.procedures))).all()
            assert {row[0]: row[1] for row in rows} == self.at
            assert {row[0]: row[3] for row in rows} == self.tags
            assert all(row[2] in (None, row[1]) for row in rows)
            merged = select(p.id, p.merged_into_id).where(p.id.in_(self.procedures))
            pointers = {row[0]: row[1] for row in connection.execute(merged)}
            assert pointers == {one: self.root(one) if one in self.into else None for one in self.procedures}
            noted = select(n.record_id, m.source_id, m.target_id, m.ended_at)
            noted = noted.join_from(t.merged_records, t.procedure_merges, m.id == n.merge_id)
            notes = connection.execute(noted.where(n.record_id.in_(self.at)).order_by(m.id)).all()
            assert [row for row in notes if row[3] is not None] == []
            assert {
                run_id: [row[1:3] for row in notes if row[0] == run_id] for run_id in self.at
            } == self.came_by
            assert list_splitting_organizations(connection, PROCEDURES) == []


deeds = st.lists(
    st.one_of(
        st.tuples(st.just("record"), SOME, st.sampled_from(["1", "2", "3"])),
        st.tuples(st.just("merge"), SOME, SOME),
        st.tuples(st.just("split"), SOME),
        st.tuples(st.just("move"), st.integers(1, 3)),
        st.tuples(st.just("delete"), st.integers(0, 20)),
    ),
    min_size=5,
    max_size=30,
)


@given(happened=deeds)
def test_every_run_is_where_it_belongs(floor: Floor, happened: list[tuple[object, ...]]) -> None:
    line = Line(floor)
    for each, procedure_id in enumerate(line.procedures):
        line.record(procedure_id, str(each))
    for deed in happened:
        match deed:
            case ("record", int(which), str(tag)):
                line.record(line.procedures[which], tag)
            case ("merge", int(source), int(target)):
                a, b = line.procedures[source], line.procedures[target]
                if line.root(a) != line.root(b):
                    line.merge(a, b)
            case ("split", int(which)) if line.procedures[which] in line.into:
                line.split(line.procedures[which])
            case ("move", int(at_most)):
                line.move(at_most)
            case ("delete", int(which)) if which < len(line.at):
                line.delete(list(line.at)[which])
            case _:
                pass
    line.finish()
    line.assert_settled()


def test_a_copy_that_followed_is_as_one_that_begins_now(floor: Floor) -> None:
    with own_copy(floor.database) as copy:
        line = Line(floor)
        first, second, third, _ = line.procedures
        # The unit's first run on the source is deleted; it counts where its procedure is, and no run of the unit moves.
        line.delete(line.record(first, serial="GONE"))
        for procedure_id, serial in ((second, "GONE"), (first, "BOTH"), (second, "BOTH"), (third, "BOTH")):
            line.record(procedure_id, serial=serial)
        steps = [
            partial(line.merge, first, second),
            partial(line.merge, second, third),
            partial(line.split, second),
            partial(line.split, first),
        ]
        for step in steps:
            step()
            line.finish()
            copy.follow()
            with own_copy(floor.database) as fresh:
                fresh.follow()
                assert content_of(copy.copy) == content_of(fresh.copy)
    line.assert_settled()


def test_what_is_told_before_is_what_happens(floor: Floor) -> None:
    line = Line(floor)
    first, second, third, _ = line.procedures
    for procedure_id in (first, first, second, second, third):
        line.record(procedure_id, "1")
    line.merge(first, second)
    line.merge(second, third)
    line.finish()
    # These name what was merged, and are not told apart from those that name the target.
    line.record(first)
    line.record(third)
    line.delete(next(run for run, steps in line.came_by.items() if len(steps) == 1))
    told = line.merges_into(third)
    none = {"run": 0, "deployment": 0}
    assert told[second] == SplitPreview(
        home=none | {"run": 3}, left=none, stay=none | {"run": 1}, later=none | {"run": 2}, along=[first]
    )
    assert told[first] == SplitPreview(
        home=none | {"run": 2}, left=none, stay=none, later=none | {"run": 2}, along=[]
    )

    line.split(second)
    with floor.database.read_in(floor.home) as scope:
        assert [one.left for one in list_homecomings(scope, PROCEDURES, third)] == [{"run": 3}]
        assert [one.source_id for one in list_homecomings(scope, PROCEDURES, second)] == [second]
    for busy in (second, third):
        with pytest.raises(Conflict, match="on their way back to Step 1, whose merge was taken back: 3 runs"):
            floor.writer.write(line.author, partial(delete_procedure, procedure_id=busy, deletion=Deletion()))
    line.finish()
    line.assert_settled()
    assert {*line.merges_into(second)} == {first}
    assert line.merges_into(third) == {}


def test_what_is_not_merged_into_it_is_not_split_from_it(floor: Floor) -> None:
    line = Line(floor)
    first, second, third, _ = line.procedures
    line.merge(first, second)
    for source, target in ((first, third), (second, third), (third, third), (second, second)):
        with pytest.raises(Conflict, match="is not merged into"):
            floor.writer.write(
                line.author,
                partial(split, mergeable=PROCEDURES, source_id=source, target_id=target, why="why"),
            )
    line.assert_settled()
