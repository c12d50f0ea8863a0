"""Set up an organization with its first admin and a key for them."""

from typing import NamedTuple

from runcard.domain.actor import SystemActor
from runcard.domain.floor.organization import Organization
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.people.api_keys import ApiKey, KeptSecret, create_user_key
from runcard.store.people.organizations import create_organization
from runcard.store.people.sessions import close_setup_links
from runcard.store.people.users import User, create_user


class SetUp(NamedTuple):
    organization: Organization
    admin: User
    key: ApiKey


def set_up_organization(
    shared: SharedTransaction,
    name: str,
    email: str,
    *,
    password_hash: str,
    secret: KeptSecret,
    person: str = "",
) -> SetUp:
    """Make an organization, its admin and a key for them, and close the set-up links that are still open.

    person: the name of the admin; blank: their e-mail.
    Raises InvalidInput or AlreadyExists.
    """
    organization = create_organization(shared, name)
    tx = shared.of(SystemActor(organization.id, "set-up"))
    admin = create_user(tx, email, name=person, role="admin", password_hash=password_hash)
    key = create_user_key(tx, admin.id, secret)
    close_setup_links(shared)
    return SetUp(organization, admin, key)
