"""Assemblies under any history of moves stay trees."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from runcard.domain.actor import SystemActor
from runcard.domain.errors import CircularParentage, PermissionDenied, UnitNotFound
from runcard.domain.runs.report import RunReport
from runcard.ingest.assembly import add_sub_units
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.tables import units
from tests.world import World, build_world

SERIALS = "abcdef"
moves = st.lists(
    st.tuples(st.sampled_from(SERIALS), st.sets(st.sampled_from(SERIALS), max_size=3)), max_size=12
)


class Floor:
    """Six units, and a plain model of which is part of which."""

    def __init__(self, folder: Path) -> None:
        self.database = Database.open(None, folder / "floor.sqlite3")
        migrate(self.database)
        self.writer = Writer(self.database)
        self.world: World = build_world(self.writer)
        for serial in SERIALS:
            report = RunReport(procedure="FVT1", serial_number=serial, part_number="P", outcome="PASS")
            run = prepare_run(report)
            record = partial(record_run, actor=self.world.acme.admin.actor, run=run)
            self.writer.write(SystemActor(self.world.acme.id, "test"), record)

    def take_apart(self) -> None:
        self.writer.write_shared(lambda tx: tx.connection.execute(units.update().values(parent_id=None)))

    def add(self, parent: str, children: set[str]) -> None:
        self.writer.write_shared(
            lambda tx: add_sub_units(
                tx.of(self.world.acme.ict.actor),
                self.world.acme.ict.actor,
                parent,
                sorted(children),
            )
        )

    def parents(self) -> dict[str, str | None]:
        with self.database.read() as connection:
            rows = connection.execute(select(units.c.id, units.c.serial_number, units.c.parent_id)).all()
        names = {row.id: row.serial_number for row in rows}
        return {row.serial_number: names.get(row.parent_id) for row in rows}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    made = Floor(tmp_path_factory.mktemp("floor"))
    yield made
    made.writer.close()
    made.database.close()


def ancestors(model: dict[str, str | None], serial: str) -> set[str]:
    line: set[str] = set()
    at: str | None = serial
    while at is not None:
        line.add(at)
        at = model[at]
    return line


@given(moves)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_moves_never_close_a_ring(floor: Floor, history: list[tuple[str, set[str]]]) -> None:
    floor.take_apart()
    model: dict[str, str | None] = dict.fromkeys(SERIALS)
    for parent, children in history:
        would_close = bool(children & ancestors(model, parent))
        if would_close:
            with pytest.raises(CircularParentage):
                floor.add(parent, children)
        else:
            floor.add(parent, children)
            model.update(dict.fromkeys(children, parent))
        assert floor.parents() == model


def test_a_unit_that_is_not_there(floor: Floor) -> None:
    with pytest.raises(UnitNotFound, match="Unit not found: zz"):
        floor.writer.write_shared(
            lambda tx: add_sub_units(
                tx.of(SystemActor(floor.world.acme.admin.actor.organization_id, "test")),
                floor.world.acme.admin.actor,
                "zz",
                ["a"],
            )
        )
    with pytest.raises(UnitNotFound):
        floor.writer.write_shared(
            lambda tx: add_sub_units(
                tx.of(SystemActor(floor.world.globex.admin.actor.organization_id, "test")),
                floor.world.globex.admin.actor,
                "a",
                [],
            )
        )


def test_viewers_assemble_nothing(floor: Floor) -> None:
    with pytest.raises(PermissionDenied, match="Role viewer"):
        floor.writer.write_shared(
            lambda tx: add_sub_units(
                tx.of(SystemActor(floor.world.acme.viewer.actor.organization_id, "test")),
                floor.world.acme.viewer.actor,
                "a",
                ["b"],
            )
        )
