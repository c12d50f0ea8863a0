"""Organizations: who owns everything else."""

import re
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from runcard.domain.errors import AlreadyExists, InvalidInput
from runcard.domain.ids import new_id
from runcard.domain.organization import Organization
from runcard.domain.pattern import compile_pattern
from runcard.store.tables import organizations
from runcard.store.transaction import Transaction


def create_organization(tx: Transaction, name: str) -> Organization:
    """A new organization with every policy open. Raises AlreadyExists where its name makes a taken slug."""
    name = name.strip()
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "organization"
    if not name:
        raise InvalidInput.at("name", "Name is empty; give at least 1 character")
    if tx.connection.execute(select(organizations.c.id).where(organizations.c.slug == slug)).first():
        raise AlreadyExists("Organization", name)
    organization = Organization(id=new_id(), slug=slug, name=name)
    row = {field: getattr(organization, field) for field in organization.__struct_fields__}
    tx.connection.execute(insert(organizations).values(**row, created_at=tx.now))
    return organization


def update_organization(tx: Transaction, organization: Organization) -> None:
    """Keep this organization's new policies. Raises InvalidInput for a pattern that cannot be used."""
    if organization.serial_number_pattern is not None:
        compile_pattern(organization.serial_number_pattern)
    row = {field: getattr(organization, field) for field in organization.__struct_fields__}
    tx.connection.execute(update(organizations).where(organizations.c.id == organization.id).values(**row))


def count_organizations(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(organizations)).scalar_one()


def list_organizations(connection: Connection) -> list[Organization]:
    """All organizations of this installation, oldest first."""
    o = organizations.c
    columns = [o[name] for name in Organization.__struct_fields__]
    return [Organization(*row) for row in connection.execute(select(*columns).order_by(o.created_at, o.id))]


def find_only_organization(connection: Connection) -> UUID | None:
    """The organization of an installation that has one; None where it has none or several."""
    found = connection.execute(select(organizations.c.id).limit(2)).scalars().all()
    return found[0] if len(found) == 1 else None
