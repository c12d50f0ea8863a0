"""The check that everything that a test did stands in the audit trail."""

from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.people.organizations import list_organizations
from runcard.store.trail.check import check_records


def assert_trail_fits(database: Database) -> None:
    """Every record of every organization is what the trail says last of it, and the trail knows them all."""
    with database.read() as connection:
        for organization in list_organizations(connection):
            for page in check_records(Scope(connection, organization.id)):
                assert not page.misfits, page.misfits
                assert page.waiting == 0, f"{page.waiting} records of {organization.name} have no digest"
