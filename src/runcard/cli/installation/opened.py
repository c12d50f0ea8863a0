"""Open an installation for a command. Commands may run beside a server: the database's locks keep them apart."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click

from runcard.cli.installation.private_files import keep_private
from runcard.domain.actor import Actor, StationActor, SystemActor, UserActor, check_may_record
from runcard.domain.errors import InvalidInput, NotFound, PermissionDenied
from runcard.domain.floor.organization import Organization
from runcard.opening import open_database
from runcard.settings import Settings, check_is_there, load_settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database, naming_failures
from runcard.store.people.organizations import get_organization_by_slug
from runcard.store.people.users import get_user, list_users
from runcard.store.stations.rows import get_station


class Installation(NamedTuple):
    settings: Settings
    database: Database
    writer: Writer

    def organization(self, slug: str | None) -> Organization:
        """The organization with this slug, or the only one. Raises NotFound; InvalidInput where there are several."""
        with self.database.read() as connection:
            return get_organization_by_slug(connection, slug)

    def sender(self, organization: Organization, station: str | None, user: str | None) -> Actor:
        """The actor that records: the named station (name or id) or user (e-mail or id), else the first admin.

        Raises NotFound, InvalidInput where both are named, and PermissionDenied for a viewer or a suspended user.
        """
        if station is not None and user is not None:
            raise InvalidInput.at("station", "Both --station and --user are given; name one of them.")
        if station is None and user is None:
            return self.admin(organization)
        with self.database.read_in(organization.id) as scope:
            if station is not None:
                return StationActor(get_station(scope, station).id, organization.id)
            member = get_user(scope, user or "")
        if member.suspended_at is not None:
            raise PermissionDenied(
                f"User {member.email} is suspended. `runcard user reinstate` lets them in again."
            )
        actor = UserActor(member.id, organization.id, member.role)
        check_may_record(actor)
        return actor

    def admin(self, organization: Organization) -> UserActor:
        """The first admin, who is named as the creator of records made on the command line. Raises NotFound."""
        with self.database.read_in(organization.id) as scope:
            members = list_users(scope)
        for user in members:
            if user.role == "admin" and user.suspended_at is None:
                return UserActor(user.id, organization.id, user.role)
        raise NotFound(
            f"{organization.name} has no admin. `runcard user create EMAIL --role admin` creates one."
        )


def command_author(organization_id: UUID) -> SystemActor:
    """Who changes an organization by the command that runs now: the command, and the account that started it."""
    context = click.get_current_context(silent=True)
    login = None
    with suppress(OSError, KeyError):  # the account has no name
        login = getpass.getuser()
    return SystemActor(organization_id, "runcard" if context is None else context.command_path, login)


@contextmanager
def open_installation(data_dir: Path | None, database_url: str | None) -> Iterator[Installation]:
    """An existing installation. Raises SettingsError, DatabaseUrlInvalid and DatabaseFailed."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    with open_or_create(settings) as installation:
        yield installation


@contextmanager
def open_or_create(settings: Settings) -> Iterator[Installation]:
    """An installation, which is created where there is none. Raises DatabaseUrlInvalid and DatabaseFailed."""
    keep_private(settings.data_dir)
    with naming_failures():
        database = open_database(settings)
        writer = Writer(database)
        try:
            yield Installation(settings, database, writer)
        finally:
            writer.close()
            database.close()
