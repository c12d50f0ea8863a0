"""An installation, as commands open it. They work beside a running server: the database keeps the two apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from runcard.app import open_database
from runcard.domain.actor import UserActor
from runcard.domain.errors import NotFound
from runcard.domain.organization import Organization
from runcard.settings import Settings, check_is_there, load_settings
from runcard.store.database import Database, naming_failures
from runcard.store.organizations import get_organization
from runcard.store.users import list_users
from runcard.store.writer import Writer


class Installation(NamedTuple):
    settings: Settings
    database: Database
    writer: Writer

    def organization(self, slug: str | None) -> Organization:
        """The organization with this slug, or the only one. Raises NotFound; InvalidInput where there are several."""
        with self.database.read() as connection:
            return get_organization(connection, slug)

    def admin(self, organization: Organization) -> UserActor:
        """Whom records made on the command line are ascribed to: the first admin. Raises NotFound."""
        with self.database.read() as connection:
            members = list_users(connection, organization.id)
        for user in members:
            if user.role == "admin" and user.suspended_at is None:
                return UserActor(user.id, organization.id, user.role)
        raise NotFound(
            f"{organization.name} has no admin. `runcard user create EMAIL --role admin` makes one."
        )


@contextmanager
def open_installation(data_dir: Path | None, database_url: str | None) -> Iterator[Installation]:
    """An installation that is there already. Raises SettingsError, DatabaseUrlInvalid, DatabaseFailed."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    with open_or_create(settings) as installation:
        yield installation


@contextmanager
def open_or_create(settings: Settings) -> Iterator[Installation]:
    """An installation, made where there is none. Raises DatabaseUrlInvalid, DatabaseFailed."""
    with naming_failures():
        database = open_database(settings)
        writer = Writer(database)
        try:
            yield Installation(settings, database, writer)
        finally:
            writer.close()
            database.close()
