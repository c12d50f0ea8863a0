"""Records from before the audit trail get their digests, and are covered from then on."""

from sqlalchemy import delete, insert

from runcard.domain.actor import SystemActor
from runcard.store.commit.changes import list_changes
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, trail_adoptions
from runcard.store.people.users import rename_user
from runcard.store.trail.adoption import adopt_some, list_adoptions
from runcard.store.trail.check import check_records
from tests.trails import assert_trail_fits
from tests.world import World


def _forget(database: Database, world: World) -> None:
    """What an upgrade finds: no change has a digest, and each organization is to be adopted."""
    with database.engine.begin() as connection:
        connection.execute(delete(changes))
        for organization_id in (world.acme.id, world.globex.id):
            row = {"organization_id": organization_id, "noun": "organization"}
            connection.execute(insert(trail_adoptions).values(row))


def test_all_records_are_covered_afterwards(database: Database, writer: Writer, world: World) -> None:
    _forget(database, world)
    with database.read_in(world.acme.id) as scope:
        pages = list(check_records(scope))
        assert [one for page in pages for one in page.misfits] == []
        assert sum(page.waiting for page in pages) > 10
    for organization_id in (world.acme.id, world.globex.id):
        author = SystemActor(organization_id, "adoption")
        while writer.write(author, adopt_some):
            pass
    with database.read() as connection:
        assert list_adoptions(connection) == []
        assert {one.kind for one in list_changes(connection, 0, 1000)} == {"record_adopted"}
    assert_trail_fits(database)


def test_what_was_changed_in_the_meantime_keeps_its_own_digest(
    database: Database, writer: Writer, world: World
) -> None:
    _forget(database, world)
    admin = world.acme.admin.actor
    writer.write(admin, lambda tx: rename_user(tx, admin.user_id, "Ada L."))
    for organization_id in (world.acme.id, world.globex.id):
        author = SystemActor(organization_id, "adoption")
        while writer.write(author, adopt_some):
            pass
    with database.read() as connection:
        kinds = [one.kind for one in list_changes(connection, 0, 1000) if one.entity_id == admin.user_id]
    assert kinds == ["user_changed"]
