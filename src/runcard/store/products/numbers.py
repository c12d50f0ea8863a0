"""Numbers that parts had before. One still finds its part, and no other part gets it."""

from uuid import UUID

from sqlalchemy import delete, insert, select

from runcard.domain.errors import AlreadyExists, Conflict
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import former_part_numbers, parts


def check_part_number_is_free(tx: Transaction, number: str, *, but: UUID | None = None) -> None:
    """Check that a part may take this number.

    Raises AlreadyExists if another part than `but` has it, and Conflict if it had it and is still found by it.
    """
    p, found = parts.c, tx.catalog.part(tx.organization_id, number)
    if found is None or found == but:
        return
    now = tx.connection.execute(select(p.number).where(tx.owns(p), p.id == found)).scalar_one_or_none()
    if now is None or lookup_key(now) == lookup_key(number):
        raise AlreadyExists("Part", number)
    raise Conflict(
        f"The part number {number} was that of part {now}, and still finds it. Choose another number."
    )


def exchange_part_number(tx: Transaction, part_id: UUID, before: str, after: str) -> None:
    """Keep the number that a part gives up as a former one. The one that it takes is a former one no more."""
    f = former_part_numbers.c
    if lookup_key(before) == lookup_key(after):
        return
    tx.connection.execute(delete(former_part_numbers).where(tx.owns(f), f.number_key == lookup_key(after)))
    row = {
        "organization_id": tx.organization_id,
        "number_key": lookup_key(before),
        "number": before,
        "part_id": part_id,
        "given_up_at": tx.now,
    }
    tx.connection.execute(insert(former_part_numbers).values(row))
