"""Organizations: the owners of everything else."""

import re
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from runcard.domain.actor import SystemActor
from runcard.domain.errors import AlreadyExists, InvalidInput, NotFound
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import check_days
from runcard.domain.ids import new_id
from runcard.domain.pattern import compile_pattern
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.engine.tables import organizations
from runcard.store.retention.log import note_set
from runcard.store.trail.watching import watch, watch_new

# Unscoped: an organization is itself the scope of everything else.

MAX_QUOTA = 2**31 - 1


def create_organization(shared: SharedTransaction, name: str) -> Organization:
    """Add an organization with every policy open, and return it. Raises AlreadyExists if its slug is taken."""
    name = name.strip()
    _check_name(name)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "organization"
    if shared.connection.execute(select(organizations.c.id).where(organizations.c.slug == slug)).first():
        raise AlreadyExists("Organization", name)
    organization = Organization(id=new_id(), slug=slug, name=name)
    row = {field: getattr(organization, field) for field in organization.__struct_fields__}
    shared.connection.execute(insert(organizations).values(**row, created_at=shared.now))
    watch_new(shared.of(SystemActor(organization.id, "set-up")), organizations, organization.id)
    return organization


def update_organization(tx: Transaction, organization: Organization) -> None:
    """Change the name and the policies of an organization. Raises InvalidInput, also for a bad pattern."""
    _check_name(organization.name)
    pattern, quota = organization.serial_number_pattern, organization.monthly_run_quota
    if pattern is not None:
        compile_pattern(pattern)
    if quota is not None and not 0 <= quota <= MAX_QUOTA:
        raise InvalidInput.at("monthly_run_quota", f"{quota} is no number of runs; use 0 to {MAX_QUOTA}")
    check_days("run_retention_days", organization.run_retention_days)
    check_days("file_retention_days", organization.file_retention_days)
    check_days("bin_days", organization.bin_days)
    row = {field: getattr(organization, field) for field in organization.__struct_fields__}
    o = organizations.c
    kept_for = select(o.run_retention_days, o.file_retention_days).where(o.id == organization.id)
    if tuple(tx.connection.execute(kept_for).one()) != organization.retention:
        note_set(tx)
    watch(tx, organizations, [organization.id])
    tx.connection.execute(update(organizations).where(o.id == organization.id).values(**row))


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidInput.at("name", "Name is empty; use at least 1 character")
    if len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInput.at("name", f"{name!r} is no name; use 1 to {MAX_NAME_LENGTH} characters")


def count_organizations(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(organizations)).scalar_one()


def list_organizations(connection: Connection) -> list[Organization]:
    """All organizations of this installation, oldest first."""
    o = organizations.c
    columns = [o[name] for name in Organization.__struct_fields__]
    return [Organization(*row) for row in connection.execute(select(*columns).order_by(o.created_at, o.id))]


def get_organization_by_slug(connection: Connection, slug: str | None) -> Organization:
    """The organization with this slug; None: the only one. Raises NotFound, and InvalidInput if there are several."""
    existing = list_organizations(connection)
    if not existing:
        raise NotFound("There is no organization yet. `runcard init` makes one.")
    chosen = [organization for organization in existing if slug is None or organization.slug == slug]
    names = ", ".join(organization.slug for organization in existing)
    if not chosen:
        raise NotFound(f"Organization not found: {slug}. Use one of: {names}.")
    if len(chosen) > 1:
        raise InvalidInput.at(
            "organization",
            f"There are several organizations: {names}. Choose one with --organization SLUG, "
            'or organization="SLUG" in Python.',
        )
    return chosen[0]


def find_only_organization(connection: Connection) -> UUID | None:
    """The organization of this installation if it has exactly one; else None."""
    found = connection.execute(select(organizations.c.id).limit(2)).scalars().all()
    return found[0] if len(found) == 1 else None
