"""When keys were last used: noted at the gate, and written beside the runs."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from runcard.auth.key_uses import KeyUses
from runcard.domain.actor import SystemActor
from runcard.domain.errors import Unauthenticated
from runcard.edge.gate import Gate
from runcard.intake.arrived_files import Stores
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.files.blobs import Blobs
from runcard.store.people.api_keys import list_keys, revoke_key
from runcard.store.people.key_uses import KeyUse, keep_uses
from runcard.store.stations.records import remove_station
from runcard.upkeep.key_uses import KeyUseWriter
from tests.world import Acme, World

MOMENT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def used_at(database: Database, acme: Acme) -> dict[UUID, datetime | None]:
    """When each key was last used, by its owner."""
    with database.read_in(acme.id) as scope:
        return {key.user_id or key.station_id or acme.id: key.used_at for key in list_keys(scope)}


def test_a_use_is_written_when_the_server_ends(
    database: Database, writer: Writer, world: World, tmp_path: Path
) -> None:
    uses = KeyUses()
    gate = Gate(database, uses)
    working = KeyUseWriter(Stores(database, writer, Blobs.open(None, None, tmp_path / "files")), uses)
    before = datetime.now(UTC)
    acme, globex = world.acme, world.globex
    gate.identify(f"Bearer {acme.ict.api_key}")
    gate.identify(f"Bearer {globex.admin.api_key}")
    with pytest.raises(Unauthenticated):
        gate.identify("Bearer rc_nobody")
    working.close()
    found = used_at(database, acme)
    moment = found.pop(acme.ict.actor.station_id)
    assert moment is not None
    assert before <= moment <= datetime.now(UTC)
    assert set(found.values()) == {None}
    assert uses.take() == []


def test_each_way_through_the_gate_is_a_use(database: Database, world: World) -> None:
    uses = KeyUses()
    gate = Gate(database, uses)
    for _ in range(2):  # as a stranger, and as one that is known
        asyncio.run(gate.admit(f"Bearer {world.acme.ict.api_key}"))
        [use] = uses.take()
        assert use.organization_id == world.acme.id


def test_the_later_use_stays(database: Database, writer: Writer, world: World) -> None:
    acme, station_id = world.acme, world.acme.fct.actor.station_id
    with database.read_in(acme.id) as scope:
        [key_id] = [key.id for key in list_keys(scope, station_id)]
    author = SystemActor(acme.id, "test")
    for hours, kept in ((0, 0), (2, 2), (1, 2)):
        use = KeyUse(key_id, acme.id, MOMENT + timedelta(hours=hours))
        uses = [use, use._replace(key_id=acme.id)]  # the second of a key that is gone
        writer.write(author, partial(keep_uses, uses=uses))
        assert used_at(database, acme)[station_id] == MOMENT + timedelta(hours=kept)


def test_a_station_that_is_deleted_takes_the_uses_of_its_keys_along(
    database: Database, writer: Writer, world: World
) -> None:
    acme, station_id = world.acme, world.acme.lonely.actor.station_id
    with database.read_in(acme.id) as scope:
        [key_id] = [key.id for key in list_keys(scope, station_id)]
    author = SystemActor(acme.id, "test")
    writer.write(author, lambda tx: keep_uses(tx, [KeyUse(key_id, acme.id, MOMENT)]))
    writer.write_catalog(author, lambda tx: remove_station(tx, station_id))
    assert station_id not in used_at(database, acme)


def test_uses_that_could_not_be_written_are_not_lost(database: Database, world: World) -> None:
    uses = KeyUses()
    gate = Gate(database, uses)
    gate.identify(f"Bearer {world.acme.ict.api_key}")
    [first] = uses.take()
    uses.put_back([first])
    assert uses.take() == [first]
    gate.identify(f"Bearer {world.acme.ict.api_key}")
    uses.put_back([first])
    [last] = uses.take()
    assert last.used_at > first.used_at


def test_a_revoked_key_is_not_used(database: Database, writer: Writer, world: World) -> None:
    uses = KeyUses()
    gate = Gate(database, uses)
    with database.read_in(world.acme.id) as scope:
        [key_id] = [key.id for key in list_keys(scope, world.acme.fct.actor.station_id)]
    writer.write_catalog(SystemActor(world.acme.id, "test"), lambda tx: revoke_key(tx, key_id))
    with pytest.raises(Unauthenticated):
        gate.identify(f"Bearer {world.acme.fct.api_key}")
    assert uses.take() == []
