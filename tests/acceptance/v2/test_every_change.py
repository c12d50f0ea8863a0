"""What each operation of v2 leaves in the audit trail: one entry for each thing that it changes."""

from collections import Counter
from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import or_, select

from runcard.store.commit.changes import last_seq
from runcard.store.engine.tables import changes
from tests.acceptance.v2 import test_rights as rights
from tests.acceptance.v2.test_rights import OPERATIONS, Things, ask, make_things
from tests.conftest import DatabaseKind
from tests.servers import Server

# What an admin changes by each operation. What a report makes has a digest and no text, so it counts too.
LEAVES: Mapping[str, Mapping[str, int]] = {
    "attachment-delete": {"attachment_deleted": 1},
    "attachment-initialize": {"attachment_created": 1},
    "batch-create": {"batch_created": 1},
    "batch-delete": {"batch_deleted": 1, "unit_moved": 1, "run_changed": 1},
    "batch-update": {"batch_changed": 1},
    "importTemplate-create": {"import_template_created": 1},
    "importTemplate-delete": {"import_template_deleted": 1},
    "part-create": {"part_created": 1, "revision_created": 1},
    "part-createRevision": {"revision_created": 1},
    "part-update": {"part_changed": 1},
    "part-updateRevision": {"revision_changed": 1},
    "procedure-create": {"procedure_created": 1},
    "procedure-createVersion": {"version_created": 1},
    "procedure-delete": {"procedure_deleted": 1},
    "procedure-update": {"procedure_changed": 1},
    "run-create": {"run_recorded": 1, "unit_created": 1},
    "run-createAttachment": {"attachment_created": 1},
    "run-delete": {"run_deleted": 1},
    "run-update": {"attachment_changed": 1},
    "run-updateMetadata": {"run_changed": 1},
    "station-create": {"station_created": 1},
    "station-remove": {"station_deleted": 1},
    "station-update": {"station_changed": 1},
    "unit-addChild": {"unit_moved": 1},
    "unit-create": {"unit_created": 1},
    "unit-createAttachment": {"attachment_created": 1},
    "unit-delete": {"unit_deleted": 1},
    "unit-deleteAttachment": {"attachment_deleted": 1},
    "unit-removeChild": {"unit_moved": 1},
    "unit-update": {"unit_changed": 1, "run_changed": 1},
    # Refused here for a reason of its own, and then it leaves nothing. Tests of imports ask for the others.
    "attachment-finalize": {},
    "import-structured": {},
    "import-tabular": {},
    "part-delete": {},
    "part-deleteRevision": {},
    "procedure-deleteVersion": {},
}
CHANGING = sorted(name for name, operation in OPERATIONS.items() if operation.method != "GET")
# Asked for so that something is another afterwards.
_ASKED = {
    "batch-update": OPERATIONS["batch-update"]._replace(body={"new_number": "{new}"}),
    "unit-addChild": OPERATIONS["unit-addChild"]._replace(body={"child_serial_number": "{spare}"}),
}

caller = rights.caller
things = rights.things


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """What is left is the same in both databases."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """Nobody else writes to it."""
    return own_server


@pytest.mark.parametrize("name", CHANGING)
def test_each_thing_that_it_changes_has_one_entry(
    server: Server, caller: httpx.Client, things: Things, name: str
) -> None:
    own = make_things(server, caller, things.names["deployment"])
    with server.database() as database, database.read() as connection:
        before = last_seq(connection)
    ask(caller, own, _ASKED.get(name, OPERATIONS[name]), server.world.acme.admin.api_key)
    c = changes.c
    query = select(c.kind, c.entity_id).where(c.seq > before, or_(c.entry.is_not(None), c.state.is_not(None)))
    with server.database() as database, database.read() as connection:
        left = connection.execute(query).all()
    assert Counter(row.kind for row in left) == LEAVES[name]
    assert max(Counter(row.entity_id for row in left).values(), default=0) <= 1
