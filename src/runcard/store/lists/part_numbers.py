"""Parts by number, which means the part that has it, or else the part that had it before."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, select, union_all

from runcard.domain.text import lookup_key
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import former_part_numbers, parts


def parts_called(organization_id: UUID, numbers: Collection[str]) -> CompoundSelect[tuple[UUID]]:
    """The query of the ids of the parts that these numbers mean. Case does not count."""
    p, f = parts.c, former_part_numbers.c
    keys = [lookup_key(number) for number in numbers]
    return union_all(
        select(p.id).where(owned_by(organization_id, p), p.number_key.in_(keys)),
        select(f.part_id).where(owned_by(organization_id, f), f.number_key.in_(keys)),
    )


def had_number_with(organization_id: UUID, text: str) -> ColumnElement[bool]:
    """The condition that a text is part of a number that a part had before, in any case."""
    f = former_part_numbers.c
    had = select(f.part_id).where(
        owned_by(organization_id, f), f.number_key.contains(text.casefold(), autoescape=True)
    )
    return parts.c.id.in_(had)


def list_former_part_numbers(scope: Scope, part_ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """The numbers that still find each of these parts, besides its own, the newest first.

    No entry for a part that had no other.
    """
    f = former_part_numbers.c
    found: dict[UUID, list[str]] = {}
    for some in in_chunks(part_ids):
        query = select(f.part_id, f.number).where(scope.owns(f), f.part_id.in_(some))
        for part_id, number in scope.connection.execute(query.order_by(f.given_up_at.desc(), f.number_key)):
            found.setdefault(part_id, []).append(number)
    return found
