"""The parts that tables are made of: their names, and the columns and indexes that many of them have."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, MetaData, Text, text

from runcard.store.engine.column_types import Id, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column[UUID]:
    return Column("id", Id, primary_key=True)


def organization_column() -> Column[UUID]:
    return Column("organization_id", Id, ForeignKey("organizations.id"), nullable=False)


def reference(name: str, target: str, *, required: bool = False, cascade: bool = False) -> Column[UUID]:
    key = ForeignKey(f"{target}.id", ondelete="CASCADE" if cascade else None)
    return Column(name, Id, key, nullable=not required)


def created_columns() -> list[Column[Any]]:
    return [
        Column("created_at", Instant, nullable=False),
        reference("created_by_user_id", "users"),
        reference("created_by_station_id", "stations"),
    ]


def text_columns(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def only_where(name: str) -> dict[str, Any]:
    """The options of an index that holds only rows with a value in this column."""
    given = text(f"{name} IS NOT NULL")
    return {"sqlite_where": given, "postgresql_where": given}


def unique_where(*names: str) -> Index:
    """An index that lets no two rows of an organization share these values. It ignores rows without the last one."""
    return Index(None, "organization_id", *names, unique=True, **only_where(names[-1]))
