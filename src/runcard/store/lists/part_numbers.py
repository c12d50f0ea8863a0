"""Parts by number, which means the part that has it, or else the part that had it before.

A number of a part that was merged means the part that it was merged into.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, func, or_, select, union_all

from runcard.domain.text import lookup_key
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import former_part_numbers, parts

_MEANT = func.coalesce(parts.c.merged_into_id, parts.c.id)
_FORMER = former_part_numbers.join(parts, parts.c.id == former_part_numbers.c.part_id)


def parts_called(organization_id: UUID, numbers: Collection[str]) -> CompoundSelect[tuple[UUID]]:
    """The query of the ids of the parts that these numbers mean. Case does not count."""
    p, f = parts.c, former_part_numbers.c
    keys = [lookup_key(number) for number in numbers]
    return union_all(
        select(_MEANT).where(owned_by(organization_id, p), p.number_key.in_(keys)),
        select(_MEANT).select_from(_FORMER).where(owned_by(organization_id, f), f.number_key.in_(keys)),
    )


def had_number_with(organization_id: UUID, text: str) -> ColumnElement[bool]:
    """The condition that a text is part of a number that leads on to a part, in any case."""
    f, one, key = former_part_numbers.c, parts.alias(), text.casefold()
    meant = func.coalesce(one.c.merged_into_id, one.c.id)
    merged = select(one.c.merged_into_id).where(
        owned_by(organization_id, one.c),
        one.c.merged_into_id.is_not(None),
        one.c.number_key.contains(key, autoescape=True),
    )
    had = (
        select(meant)
        .join_from(former_part_numbers, one, one.c.id == f.part_id)
        .where(owned_by(organization_id, f), f.number_key.contains(key, autoescape=True))
    )
    return or_(parts.c.id.in_(merged), parts.c.id.in_(had))


def list_former_part_numbers(scope: Scope, part_ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """The numbers that find each of these parts, besides its own. No entry for a part that has no other.

    The numbers of parts that were merged into it come first, then former numbers, the newest first.
    """
    f, p = former_part_numbers.c, parts.c
    found: dict[UUID, list[str]] = {}
    for some in in_chunks(part_ids):
        merged = select(p.merged_into_id, p.number).where(scope.owns(p), p.merged_into_id.in_(some))
        former = (
            select(_MEANT, f.number)
            .select_from(_FORMER)
            .where(scope.owns(f), or_(p.id.in_(some), p.merged_into_id.in_(some)))
        )
        for query in (
            merged.order_by(p.created_at, p.id),
            former.order_by(f.given_up_at.desc(), f.number_key),
        ):
            for part_id, number in scope.connection.execute(query):
                found.setdefault(part_id, []).append(number)
    return found
