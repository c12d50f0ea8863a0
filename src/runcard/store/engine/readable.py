"""What can be read: a database, or a database together with a replica of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from sqlalchemy import Connection

from runcard.store.engine.scope import Scope


class Readable(ABC):
    """Gives connections to read with. Each sees all that was committed before it was asked for."""

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """A connection whose statements all see one state of the database, and change nothing."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections that nobody uses now."""

    @contextmanager
    def read_in(self, organization_id: UUID) -> Iterator[Scope]:
        """As `read`, for the rows of one organization."""
        with self.read() as connection:
            yield Scope(connection, organization_id)
