"""What a read or a write may see: the rows of one organization. Every row belongs to one."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

Columns = ReadOnlyColumnCollection[str, Column[Any]]


class Scope(NamedTuple):
    """A connection and the organization whose rows are read through it."""

    connection: Connection
    organization_id: UUID

    def owns(self, columns: Columns) -> ColumnElement[bool]:
        """The condition that a row belongs to the organization. columns: the columns of its table."""
        return owned_by(self.organization_id, columns)


def owned_by(organization_id: UUID, columns: Columns) -> ColumnElement[bool]:
    """The condition that a row belongs to an organization. SQL says this here and nowhere else."""
    return columns.organization_id == organization_id
