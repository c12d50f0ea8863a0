"""Links of many stations to procedures at once: with an entry for each that changes."""

from collections.abc import Collection
from uuid import UUID

import pytest
from sqlalchemy import select

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, ProcedureNotFound
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes
from runcard.store.stations.links import LinkPlan, apply_links, plan_links
from runcard.store.stations.records import remove_station
from runcard.store.stations.rows import list_linked_procedures
from tests.world import World


@pytest.fixture
def actor(world: World) -> UserActor:
    return world.acme.engineer.actor


@pytest.fixture
def ids(world: World) -> list[UUID]:
    """ICT-1, which is linked to Board; FCT-1, which may report all; and Lonely, which may report nothing."""
    return [station.actor.station_id for station in (world.acme.ict, world.acme.fct, world.acme.lonely)]


def change(
    writer: Writer, actor: UserActor, ids: Collection[UUID], procedures: Collection[UUID], *, linked: bool
) -> LinkPlan:
    def apply(tx: Transaction) -> LinkPlan:
        plan = plan_links(tx.scope, ids, procedures, are_linked=linked)
        apply_links(tx, plan)
        return plan

    return writer.write_catalog(actor, apply)


def linked_to(database: Database, actor: UserActor, station_id: UUID) -> set[UUID]:
    with database.read_in(actor.organization_id) as scope:
        return {one.id for one in list_linked_procedures(scope, station_id)}


def changed(database: Database, actor: UserActor) -> list[UUID]:
    """The stations that have entries of changes by the actor, in the order of these."""
    c = changes.c
    with database.read_in(actor.organization_id) as scope:
        mine = (scope.owns(c), c.kind == "station_changed", c.actor_id == actor.user_id)
        return list(scope.connection.execute(select(c.entity_id).where(*mine).order_by(c.seq)).scalars())


def test_only_stations_that_lack_a_link_change(
    database: Database, writer: Writer, actor: UserActor, ids: list[UUID], world: World
) -> None:
    ict, fct, lonely = ids
    board, final = world.acme.board.id, world.acme.final.id
    plan = change(writer, actor, ids, [board, board], linked=True)
    assert plan.changing == {lonely: [board]}
    assert list(plan.free) == [fct]
    assert plan.same_count == 1
    assert [station.name for station in plan.stations] == ["FCT-1", "ICT-1", "Lonely"]
    assert changed(database, actor) == [lonely]
    change(writer, actor, ids, [board, final], linked=True)
    assert linked_to(database, actor, ict) == linked_to(database, actor, lonely) == {board, final}
    assert linked_to(database, actor, fct) == set()
    assert sorted(changed(database, actor)) == sorted([ict, lonely, lonely])
    assert change(writer, actor, ids, [final], linked=False).changing == {ict: [final], lonely: [final]}
    assert linked_to(database, actor, ict) == {board}
    assert change(writer, actor, ids, [final], linked=False).changing == {}
    assert len(changed(database, actor)) == 5


def test_stations_of_others_and_archived_ones_are_left_out(
    database: Database, writer: Writer, actor: UserActor, ids: list[UUID], world: World
) -> None:
    board = world.acme.board.id
    stranger = world.globex.admin.actor
    assert change(writer, stranger, ids, [world.globex.board.id], linked=True).stations == []
    writer.write_catalog(actor, lambda tx: remove_station(tx, ids[2]))
    assert change(writer, actor, [*ids, new_id()], [board], linked=True).changing == {}


def test_foreign_procedures_and_too_many_stations_are_refused(
    database: Database, writer: Writer, actor: UserActor, ids: list[UUID], world: World
) -> None:
    board = world.acme.board.id
    for strange in (world.globex.board.id, new_id()):
        with pytest.raises(ProcedureNotFound):
            change(writer, actor, ids, [board, strange], linked=True)
    with pytest.raises(InvalidInput):
        change(writer, actor, [new_id() for _ in range(10_001)], [board], linked=True)
    assert changed(database, actor) == []
