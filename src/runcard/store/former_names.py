"""Names that things had before: a name that a thing gives up still finds it."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete, insert

from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t


class FormerNames(NamedTuple):
    """A table of former names. key, name, thing: its columns for the form that is looked up, the name, and the id."""

    table: Table
    key: str
    name: str
    thing: str


IDENTIFIERS = FormerNames(t.former_identifiers, "identifier_key", "identifier", "procedure_id")
PART_NUMBERS = FormerNames(t.former_part_numbers, "number_key", "number", "part_id")
SERIAL_NUMBERS = FormerNames(t.former_serial_numbers, "serial_key", "serial_number", "unit_id")


def exchange_name(tx: Transaction, names: FormerNames, thing_id: UUID, before: str, after: str) -> None:
    """Keep the name that a thing gives up as a former one. The one that it takes is a former one no more."""
    take_name(tx, names, after)
    if lookup_key(before) != lookup_key(after):
        lead_on(tx, names, before, thing_id)


def take_name(tx: Transaction, names: FormerNames, name: str) -> None:
    """Forget that a thing had this name before, because it has it now."""
    c = names.table.c
    tx.connection.execute(delete(names.table).where(tx.owns(c), c[names.key] == lookup_key(name)))


def lead_on(tx: Transaction, names: FormerNames, name: str, thing_id: UUID | None) -> None:
    """Let a name that nothing has find this thing. None: nothing, and nothing else gets it."""
    row = {
        "organization_id": tx.organization_id,
        names.key: lookup_key(name),
        names.name: name,
        names.thing: thing_id,
        "given_up_at": tx.now,
    }
    tx.connection.execute(insert(names.table).values(row))
