"""The tree of causes: it never closes a ring, and people read it from the top."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput
from runcard.domain.notes.cause import MAX_DEPTH, Cause, check_place, in_tree_order

PLACES = st.integers(0, 9)


def id_of(number: int) -> UUID:
    return UUID(int=number + 1)


def causes_of(parents: dict[UUID, UUID | None]) -> list[Cause]:
    return [Cause(one, f"C{one.int}", f"Cause {one.int}", parent) for one, parent in parents.items()]


@given(st.lists(st.tuples(PLACES, st.none() | PLACES), max_size=60))
def test_whatever_is_moved_each_cause_stands_in_the_tree_once(moves: list[tuple[int, int | None]]) -> None:
    parents: dict[UUID, UUID | None] = {id_of(number): None for number in range(10)}
    for number, parent in moves:
        wanted = None if parent is None else id_of(parent)
        try:
            check_place(parents, id_of(number), wanted)
        except InvalidInput:
            continue
        parents[id_of(number)] = wanted
    placed = list(in_tree_order(causes_of(parents)))
    assert sorted(one.cause.id for one in placed) == sorted(parents)
    depths = {one.cause.id: one.depth for one in placed}
    for cause_id, parent_id in parents.items():
        assert depths[cause_id] == (0 if parent_id is None else depths[parent_id] + 1)
    assert max(depths.values()) < MAX_DEPTH


def test_a_cause_never_stands_below_itself_or_its_branch() -> None:
    parents = {id_of(0): None, id_of(1): id_of(0), id_of(2): id_of(1)}
    for parent in (0, 1, 2):
        with pytest.raises(InvalidInput, match=r"."):
            check_place(parents, id_of(0), id_of(parent))
    check_place(parents, id_of(2), id_of(0))
    check_place(parents, id_of(2), None)


def test_the_tree_has_a_depth_that_it_does_not_pass_even_by_moving_a_branch() -> None:
    chain = {id_of(n): None if n == 0 else id_of(n - 1) for n in range(MAX_DEPTH - 1)}
    check_place(chain, id_of(100), id_of(MAX_DEPTH - 2))
    with_pair = {**chain, id_of(200): None, id_of(201): id_of(200)}
    with pytest.raises(InvalidInput) as raised:
        check_place(with_pair, id_of(200), id_of(MAX_DEPTH - 2))
    assert raised.value.issues[0].path == ("parent",)
    assert "8 levels" in raised.value.issues[0].message


def test_the_tree_is_read_branch_by_branch_in_the_order_of_codes() -> None:
    causes = [
        Cause(id_of(0), "b", "Test", None),
        Cause(id_of(1), "A", "Product", None),
        Cause(id_of(2), "b2", "Probe", id_of(0)),
        Cause(id_of(3), "b1", "Fixture", id_of(0)),
        Cause(id_of(4), "a9", "Solder", id_of(1)),
    ]
    placed = list(in_tree_order(causes))
    assert [(one.cause.code, one.depth) for one in placed] == [
        ("A", 0), ("a9", 1), ("b", 0), ("b1", 1), ("b2", 1),
    ]  # fmt: skip
    assert placed[1].path == ("Product", "Solder")
