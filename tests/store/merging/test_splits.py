"""Merges that are taken back: each run is where it would be if all merges and splits moved runs at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from runcard.domain.errors import Conflict
from runcard.store.bin.deleting import Deletion
from runcard.store.engine import tables as t
from runcard.store.merging.splits import SplitPreview, list_returning, split
from runcard.store.procedures.merges import PROCEDURES
from runcard.store.procedures.records import delete_procedure
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.parts import delete_part, get_part_by_id
from tests.analytics.copies import content_of, own_copy
from tests.conftest import Template
from tests.histories import Floor, opened_floor
from tests.store.merging.line import Line, PartLine
from tests.trails import assert_trail_fits

SOME = st.integers(0, 3)


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor
        assert_trail_fits(floor.database)


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


@pytest.mark.parametrize("kind", [Line, PartLine])
@given(happened=deeds)
def test_every_record_is_where_it_belongs(
    floor: Floor, kind: type[Line], happened: list[tuple[object, ...]]
) -> None:
    line = kind(floor)
    runs = [line.record(thing, str(each)) for each, thing in enumerate(line.things)]
    for deed in happened:
        match deed:
            case ("record", int(which), str(tag)):
                runs.append(line.record(line.things[which], tag))
            case ("merge", int(source), int(target)):
                a, b = line.things[source], line.things[target]
                if line.root(a) != line.root(b):
                    line.merge(a, b)
            case ("split", int(which)) if line.things[which] in line.into:
                line.split(line.things[which])
            case ("move", int(at_most)):
                line.move(at_most)
            case ("delete", int(which)) if which < len(runs):
                line.delete(runs.pop(which))
            case _:
                pass
    line.finish()
    line.assert_settled()


@pytest.mark.parametrize("kind", [Line, PartLine])
def test_a_copy_that_followed_is_as_one_that_begins_now(floor: Floor, kind: type[Line]) -> None:
    with own_copy(floor.database) as copy:
        line, mark = kind(floor), uuid4().hex
        first, second, third, _ = line.things
        # The unit's first run on the source is deleted; it counts where its procedure is, and no run of the unit moves.
        line.delete(line.record(first, serial=f"GONE-{mark}"))
        if kind is Line:
            line.record(second, serial=f"GONE-{mark}")
        for number, thing in enumerate((first, second, third)):
            line.record(thing, serial=f"{'BOTH' if kind is Line else number}-{mark}")
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
    first, second, third, _ = line.things
    for thing in (first, first, second, second, third):
        line.record(thing, "1")
    line.merge(first, second)
    line.merge(second, third)
    line.finish()
    # These name what was merged, and are not told apart from those that name the target.
    line.record(first)
    line.record(third)
    line.delete(next(run for run, steps in line.came_by.items() if len(steps) == 1))
    none = {"run": 0, "deployment": 0}
    assert line.preview(second) == SplitPreview(
        back=none | {"run": 3}, left=none, stay=none | {"run": 1}, later=none | {"run": 2}, along=[first]
    )
    assert line.preview(first) == SplitPreview(
        back=none | {"run": 2}, left=none, stay=none, later=none | {"run": 2}, along=[]
    )

    line.split(second)
    with floor.database.read_in(floor.home) as scope:
        assert [one.left for one in list_returning(scope, PROCEDURES, third)] == [{"run": 3}]
        assert [one.source_id for one in list_returning(scope, PROCEDURES, second)] == [second]
    for busy in (second, third):
        with pytest.raises(Conflict, match="on their way back to Step 1, whose merge was taken back: 3 runs"):
            floor.writer.write(line.author, partial(delete_procedure, procedure_id=busy, deletion=Deletion()))
    line.finish()
    line.assert_settled()


@pytest.mark.parametrize("kind", [Line, PartLine])
def test_what_is_not_merged_into_it_is_not_split_from_it(floor: Floor, kind: type[Line]) -> None:
    line = kind(floor)
    first, second, third, _ = line.things
    line.merge(first, second)
    for source, target in ((first, third), (second, third), (third, third), (second, second)):
        with pytest.raises(Conflict, match="is not merged into"):
            floor.writer.write(
                line.author,
                partial(split, mergeable=line.mergeable, source_id=source, target_id=target, why="why"),
            )
    line.finish()
    line.assert_settled()


def test_a_unit_that_is_tested_before_it_followed_follows_at_once(floor: Floor) -> None:
    line = PartLine(floor)
    first, second, *_ = line.things
    serials = {tag: f"{tag}-{uuid4()}" for tag in ("A", "B")}
    for tag, serial in serials.items():
        line.record(first, tag, serial)
    line.merge(first, second)
    for tag, serial in serials.items():
        line.record(first, tag, serial)
    m, u = t.unit_moves.c, t.units.c
    with floor.database.read_in(floor.home) as scope:
        units = select(u.id, u.part_id).where(u.serial_number.in_(serials.values()))
        places = {row[0]: row[1] for row in scope.connection.execute(units)}
        assert {*places.values()} == {second}
        moves = select(func.count()).where(m.unit_id.in_(places))
        assert scope.connection.execute(moves).scalar_one() == 0
    line.finish()
    line.assert_settled()
    line.split(first)
    line.finish()
    line.assert_settled()


def test_the_revisions_of_one_number_become_one(floor: Floor) -> None:
    line = PartLine(floor)
    first, second, *_ = line.things
    line.record(first, "b")
    line.record(second, "B")
    line.record(first, "only")
    line.merge(first, second)
    r = t.revisions.c
    with floor.database.read_in(floor.home) as scope:
        numbers = select(r.number, r.is_default).where(r.part_id == second).order_by(r.number_key)
        assert [tuple(row) for row in scope.connection.execute(numbers)] == [
            ("A", True),
            ("B", False),
            ("only", False),
        ]
    line.finish()
    line.split(first)
    with pytest.raises(Conflict, match="on their way back to PN-0-"):
        floor.writer.write_catalog(line.author, lambda tx: delete_part(tx, get_part_by_id(tx.scope, first)))
    line.finish()
    with floor.database.read_in(floor.home) as scope:
        assert list_returning(scope, PARTS, second) == []
