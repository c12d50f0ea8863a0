"""The class of many units at once: with an entry each, all or none."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, UnitNotFound
from runcard.domain.floor.sample import SampleClass
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, runs, units
from runcard.store.units.classes import Classified, classify_units
from tests.old_runs import record_at
from tests.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def engineer(world: World) -> UserActor:
    return world.acme.engineer.actor


@pytest.fixture
def ids(database: Database, writer: Writer, engineer: UserActor) -> list[UUID]:
    """Three units of two runs each; the last is golden, with its second run."""

    def record(tx: SharedTransaction) -> None:
        for serial in ("SN-1", "SN-2", "SN-3", "SN-1", "SN-2"):
            record_at(tx, engineer, START, serial)

    writer.write_shared(record)
    with database.read_in(engineer.organization_id) as scope:
        query = select(units.c.id).where(scope.owns(units.c)).order_by(units.c.serial_number)
        found = list(scope.connection.execute(query).scalars())
    classify(writer, engineer, [found[2]], "golden", with_runs=False)
    writer.write_shared(lambda tx: record_at(tx, engineer, START, "SN-3"))
    return found


def classify(
    writer: Writer, actor: UserActor, ids: list[UUID], sample: SampleClass | None, *, with_runs: bool
) -> Classified:
    return writer.write_catalog(actor, lambda tx: classify_units(tx, ids, sample, with_runs=with_runs))


def classes(database: Database, actor: UserActor) -> tuple[list[str | None], list[str | None]]:
    """The classes of the units, and those of the runs."""
    with database.read_in(actor.organization_id) as scope:
        of_units = select(units.c.sample).where(scope.owns(units.c)).order_by(units.c.serial_number)
        of_runs = select(runs.c.sample).where(scope.owns(runs.c)).order_by(runs.c.serial_number, runs.c.id)
        return (
            list(scope.connection.execute(of_units).scalars()),
            list(scope.connection.execute(of_runs).scalars()),
        )


def entries(database: Database, actor: UserActor, kind: str) -> list[UUID]:
    c = changes.c
    with database.read_in(actor.organization_id) as scope:
        told = select(c.entity_id).where(scope.owns(c), c.kind == kind).order_by(c.seq)
        return list(scope.connection.execute(told).scalars())


def test_only_what_differs_changes_with_one_entry_each(
    database: Database, writer: Writer, engineer: UserActor, ids: list[UUID]
) -> None:
    before = entries(database, engineer, "unit_changed")
    found = classify(writer, engineer, ids, "golden", with_runs=False)
    assert found == Classified(ids[:2], [])
    assert classes(database, engineer) == (["golden"] * 3, [None] * 5 + ["golden"])
    assert entries(database, engineer, "unit_changed")[len(before) :] == ids[:2]
    followed = classify(writer, engineer, ids, "golden", with_runs=True)
    assert followed.unit_ids == []
    assert len(followed.run_ids) == 5
    assert classes(database, engineer) == (["golden"] * 3, ["golden"] * 6)
    assert sorted(entries(database, engineer, "run_changed")) == sorted(followed.run_ids)
    assert classify(writer, engineer, ids, "golden", with_runs=True) == Classified([], [])
    classify(writer, engineer, ids, None, with_runs=True)
    assert classes(database, engineer) == ([None] * 3, [None] * 6)


def test_all_or_none(
    database: Database, writer: Writer, engineer: UserActor, ids: list[UUID], world: World
) -> None:
    before = classes(database, engineer)
    with pytest.raises(UnitNotFound):
        classify(writer, engineer, [*ids, new_id()], "failing", with_runs=True)
    with pytest.raises(UnitNotFound):
        classify(writer, world.globex.admin.actor, ids, "failing", with_runs=True)
    with pytest.raises(InvalidInput):
        classify(writer, engineer, [new_id() for _ in range(10_001)], "failing", with_runs=True)
    assert classes(database, engineer) == before
