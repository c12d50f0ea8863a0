"""How many rows a list has, beside a page of it."""

from typing import NamedTuple

import pytest

from runcard.domain.runs.report import RunReport
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.lists.pages import Page
from runcard.store.products.parts import PartFilter, list_parts
from runcard.store.units.lists import UnitFilter, list_units
from tests.histories import Floor
from tests.world import World


class Totals(NamedTuple):
    units: int | None
    found_units: int | None
    parts: int | None


@pytest.mark.parametrize(
    ("counted", "totals"), [(0, Totals(None, None, None)), (3, Totals(3, 2, 3)), (99, Totals(7, 2, 7))]
)
def test_a_list_is_counted_as_far_as_is_asked(
    database: Database, writer: Writer, world: World, counted: int, totals: Totals
) -> None:
    floor = Floor(database, writer, world)
    reports = [
        RunReport(procedure="", serial_number=f"{'AB'[at > 1]}-{at}", part_number=f"P-{at}", outcome="PASS")
        for at in range(7)
    ]
    floor.record(floor.procedure(), reports)
    page = Page(2, offset=2, counted=counted)
    with database.read_in(floor.home) as scope:
        units = list_units(scope, UnitFilter(), "part_number", page, descending=True)
        found = list_units(scope, UnitFilter(search="a-"), "created_at", page, descending=True)
        parts = list_parts(scope, PartFilter(), "number", page, descending=False)
    assert Totals(units.total, found.total, parts.total) == totals
    assert len(units.rows) == 2
