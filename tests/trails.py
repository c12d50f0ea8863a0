"""The check that everything that a test did stands in the audit trail."""

from collections import Counter
from itertools import chain
from uuid import UUID

from sqlalchemy import select

from runcard.domain.evidence.entry import decode_entry
from runcard.store.bin.check import check_bin
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import changes
from runcard.store.people.organizations import list_organizations
from runcard.store.trail.check import check_records

# Records that tests of this process changed past Runcard.
_CHANGED: set[UUID] = set()


def changed_past_runcard(*ids: UUID) -> None:
    """Say that a test changes or adds these records with SQL of its own, so that nobody misses their entries."""
    _CHANGED.update(ids)


def assert_trail_fits(database: Database) -> None:
    """Every record of every organization is what the trail says last of it, and the trail knows them all."""
    with database.read() as connection:
        for organization in list_organizations(connection):
            scope = Scope(connection, organization.id)
            for page in chain(check_records(scope), check_bin(scope)):
                misfits = [one for one in page.misfits if one.thing_id not in _CHANGED]
                assert misfits == []
                assert page.waiting == 0, f"{page.waiting} records of {organization.name} have no digest"
        _assert_one_entry_a_thing(connection)


def _assert_one_entry_a_thing(connection: Connection) -> None:
    """No request left two entries of one kind for one thing."""
    c = changes.c
    told: Counter[tuple[str, str, UUID]] = Counter()
    for kind, thing_id, text in connection.execute(
        select(c.kind, c.entity_id, c.entry).where(c.entry.is_not(None))
    ):
        request_id = decode_entry(text).request_id
        if request_id is not None:
            told[request_id, kind, thing_id] += 1
    assert [one for one, count in told.items() if count > 1] == []
