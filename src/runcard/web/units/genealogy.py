"""The tree of units: the units that a unit is part of, and its sub-units, opened branch by branch."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.store.engine.scope import Scope
from runcard.store.units.lists import list_last_runs
from runcard.store.units.members import count_units
from runcard.store.units.records import list_ancestors, list_children
from runcard.web.frame.urls import unit_url
from runcard.web.units.rows import BesideUnits, UnitLine, unit_lines

BREADTH = 25
_HEIGHT = 20


class Twig(NamedTuple):
    """A unit in the tree. sub_units: how many it has. branch_url: the address of its branch."""

    unit: UnitLine
    sub_units: int
    branch_url: str


class Branch(NamedTuple):
    """Sub-units of one unit, the oldest first. rest: how many more there are, at rest_url."""

    twigs: Sequence[Twig]
    rest: int
    rest_url: str


class Ancestor(NamedTuple):
    serial_number: str
    url: str


def ancestors_of(scope: Scope, unit_id: UUID) -> Sequence[Ancestor]:
    """The units that a unit is part of, the outermost first. A very long line is cut to the nearest ones."""
    found = list_ancestors(scope, unit_id, _HEIGHT)
    return [Ancestor(one.serial_number, unit_url(one.serial_number)) for one in reversed(found)]


def branch_of(scope: Scope, unit_id: UUID, zone: ZoneInfo, skipped: int = 0) -> Branch:
    """The sub-units of a unit, without the first `skipped`."""
    total = count_units(scope, "parent", [unit_id]).get(unit_id, 0)
    children = list_children(scope, unit_id, BREADTH, skipped) if total else []
    ids = [child.id for child in children]
    counts = count_units(scope, "parent", ids)
    lines = unit_lines(children, BesideUnits(list_last_runs(scope, ids)), zone)
    until = skipped + len(children)
    return Branch(
        [Twig(line, counts.get(one, 0), f"/genealogy/{one}") for one, line in zip(ids, lines, strict=True)],
        max(0, total - until) if children else 0,
        f"/genealogy/{unit_id}?skipped={until}",
    )
