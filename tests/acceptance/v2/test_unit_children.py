"""Units inside units, as the official client puts them together and takes them apart."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorNOTFOUND

from runcard.store.engine.database import Database
from tests.acceptance.v2.floor import Part, make_part, moves_of, unit_of

Fresh = Callable[[str], str]
Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def part(user: TofuPilot) -> Part:
    return make_part(user)


def _children(client: TofuPilot, serial: str) -> list[str]:
    return [child["serial_number"] for child in unit_of(client, serial)["children"]]


def test_a_child_and_its_parent_show_each_other(user: TofuPilot, station: TofuPilot, part: Part) -> None:
    parent, child = part.unit(), part.unit(revision_number="B")
    for client in (user, station):  # the second time changes nothing
        made = client.units.add_child(serial_number=parent.lower(), child_serial_number=f" {child.lower()} ")
        assert made.id == unit_of(user, child)["id"]
    (shown,) = unit_of(user, parent)["children"]
    assert (shown["serial_number"], shown["part"]["number"]) == (child, part.number)
    assert shown["part"]["revision"]["number"] == "B"
    above = unit_of(user, child)["parent"]
    assert (above["serial_number"], above["part"]["revision"]["number"]) == (parent, "A")


def test_many_children_are_shown_whole_oldest_first(user: TofuPilot, part: Part) -> None:
    parent, *children = (part.unit() for _ in range(15))
    for child in reversed(children):
        user.units.add_child(serial_number=parent, child_serial_number=child)
    assert _children(user, parent) == children
    (listed,) = user.units.list(serial_numbers=[parent]).data
    assert [child.serial_number for child in listed.children] == children[:10]


def test_a_child_moves_to_its_new_parent_with_a_trace(user: TofuPilot, part: Part, record: Database) -> None:
    old, new, child = part.unit(), part.unit(), part.unit()
    for parent in (old, new, new):
        user.units.add_child(serial_number=parent, child_serial_number=child)
    assert (_children(user, old), _children(user, new)) == ([], [child])
    assert moves_of(record, child) == [("parent", False, True), ("parent", True, True)]


@pytest.mark.parametrize("depth", [0, 1, 2, 7])
def test_a_unit_cannot_become_its_own_ancestor(
    user: TofuPilot, part: Part, depth: int, unchanged: Unchanged
) -> None:
    line = [part.unit() for _ in range(depth + 1)]
    for parent, child in pairwise(line):
        user.units.add_child(serial_number=parent, child_serial_number=child)
    with unchanged(), pytest.raises(ErrorBADREQUEST):
        user.units.add_child(serial_number=line[-1], child_serial_number=line[0])


def test_a_removed_child_keeps_its_own_and_may_come_back(
    user: TofuPilot, station: TofuPilot, part: Part, record: Database
) -> None:
    parent, child, grandchild = part.unit(), part.unit(), part.unit()
    user.units.add_child(serial_number=parent, child_serial_number=child)
    user.units.add_child(serial_number=child, child_serial_number=grandchild)
    removed = station.units.remove_child(serial_number=parent, child_serial_number=child.lower())
    assert removed.id == unit_of(user, child)["id"]
    assert unit_of(user, child)["parent"] is None
    assert (_children(user, parent), _children(user, child)) == ([], [grandchild])
    user.units.add_child(serial_number=parent, child_serial_number=child)
    assert _children(user, parent) == [child]
    assert moves_of(record, child) == [
        ("parent", False, True),
        ("parent", True, False),
        ("parent", False, True),
    ]


def test_only_a_child_can_be_removed(user: TofuPilot, part: Part, unchanged: Unchanged) -> None:
    parent, child, other = part.unit(), part.unit(), part.unit()
    user.units.add_child(serial_number=parent, child_serial_number=child)
    with unchanged():
        for one, two in ((parent, other), (child, parent), (parent, parent)):
            with pytest.raises(ErrorBADREQUEST, match="is not a child of"):
                user.units.remove_child(serial_number=one, child_serial_number=two)


def test_both_units_must_be_there(
    user: TofuPilot, station: TofuPilot, part: Part, fresh: Fresh, unchanged: Unchanged
) -> None:
    known, unknown = part.unit(), fresh("SN")
    with unchanged():
        for client in (user, station):
            for parent, child in ((known, unknown), (unknown, known)):
                with pytest.raises(ErrorNOTFOUND, match=unknown):
                    client.units.add_child(serial_number=parent, child_serial_number=child)
                with pytest.raises(ErrorNOTFOUND, match=unknown):
                    client.units.remove_child(serial_number=parent, child_serial_number=child)


def test_blank_serial_numbers_are_refused(
    user: TofuPilot, wire: httpx.Client, part: Part, unchanged: Unchanged
) -> None:
    known = part.unit()
    with unchanged():
        for blank in ("", " "):
            with pytest.raises(ErrorBADREQUEST, match="child_serial_number"):
                user.units.add_child(serial_number=known, child_serial_number=blank)
            with pytest.raises(ErrorBADREQUEST, match="child_serial_number"):
                user.units.remove_child(serial_number=known, child_serial_number=blank)
        with pytest.raises((APIError, ErrorNOTFOUND)):
            user.units.add_child(serial_number="", child_serial_number=known)
        assert wire.put(f"/units/{known}/children", json={}).status_code == 400
        assert wire.put(f"/units/{known}/children", json={"child_serial_number": 7}).status_code == 400


def test_serial_numbers_with_slashes_have_children_too(
    user: TofuPilot, wire: httpx.Client, part: Part, fresh: Fresh
) -> None:
    parent, child = part.unit(fresh("a/b")), part.unit(fresh("c/children"))
    assert wire.put(f"/units/{parent}/children", json={"child_serial_number": child}).status_code == 200
    assert _children(user, parent) == [child]
    answer = wire.delete(f"/units/{parent}/children", params={"child_serial_number": child})
    assert answer.status_code == 200
    assert _children(user, parent) == []


def test_another_organization_takes_nothing_apart(
    user: TofuPilot, other: TofuPilot, part: Part, unchanged: Unchanged
) -> None:
    parent, child = part.unit(), part.unit()
    user.units.add_child(serial_number=parent, child_serial_number=child)
    abroad = make_part(other).unit()
    with unchanged():
        for call in (
            lambda: other.units.remove_child(serial_number=parent, child_serial_number=child),
            lambda: other.units.add_child(serial_number=abroad, child_serial_number=child),
            lambda: user.units.add_child(serial_number=parent, child_serial_number=abroad),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()
