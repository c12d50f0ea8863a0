"""Numbers that parts had before. One still finds its part, and no other part gets it."""

from uuid import UUID

from sqlalchemy import select

from runcard.domain.errors import AlreadyExists, Conflict
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import parts


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
