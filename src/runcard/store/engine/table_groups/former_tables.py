"""What things were called before. An old name still finds its thing, and is given to no other."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import metadata, only_where, reference

former_identifiers = Table(
    "former_identifiers",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("identifier_key", Text, primary_key=True),
    Column("identifier", Text, nullable=False),
    # None: the procedure was deleted.
    reference("procedure_id", "procedures"),
    Column("given_up_at", Instant, nullable=False),
    Index(None, "procedure_id", **only_where("procedure_id")),
)

former_serial_numbers = Table(
    "former_serial_numbers",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("serial_key", Text, primary_key=True),
    Column("serial_number", Text, nullable=False),
    reference("unit_id", "units", required=True, cascade=True),
    Column("given_up_at", Instant, nullable=False),
    Index(None, "unit_id"),
)

former_part_numbers = Table(
    "former_part_numbers",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("number_key", Text, primary_key=True),
    Column("number", Text, nullable=False),
    reference("part_id", "parts", required=True, cascade=True),
    Column("given_up_at", Instant, nullable=False),
    Index(None, "part_id"),
)
