"""Identifiers of procedures. One means the procedure that has it, or else the procedure that had it before."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, or_, select, update

from runcard.domain.errors import IdentifierTaken
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import former_identifiers, procedures
from runcard.store.former_names import IDENTIFIERS, lead_on


def list_taken_identifiers(scope: Scope) -> Sequence[str]:
    """All identifiers that procedures of the organization have or ever had."""
    tables = (procedures.c, former_identifiers.c)
    return [
        identifier
        for c in tables
        for identifier in scope.connection.execute(select(c.identifier).where(scope.owns(c))).scalars()
    ]


def list_former_identifiers(scope: Scope, procedure_ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """The identifiers, besides its own, by which each of these procedures is found.

    The identifiers of procedures that were merged into it come first, then former identifiers, newest first.
    """
    f, p = former_identifiers.c, procedures.c
    found: dict[UUID, list[str]] = defaultdict(list)
    for some in in_chunks(procedure_ids):
        merged = select(p.merged_into_id, p.identifier).where(scope.owns(p), p.merged_into_id.in_(some))
        meant = func.coalesce(p.merged_into_id, p.id)
        former = (
            select(meant, f.identifier)
            .join_from(former_identifiers, procedures, p.id == f.procedure_id)
            .where(scope.owns(f), or_(p.id.in_(some), p.merged_into_id.in_(some)))
        )
        for query in (merged.order_by(p.created_at), former.order_by(f.given_up_at.desc(), f.identifier_key)):
            for procedure_id, identifier in scope.connection.execute(query):
                found[procedure_id].append(identifier)
    return found


def check_identifier_is_free(scope: Scope, identifier: str, *, but: UUID | None = None) -> None:
    """Check that a procedure may take this identifier.

    Raises IdentifierTaken if another procedure than `but`, even a deleted one, has it or had it.
    """
    f, p, key = former_identifiers.c, procedures.c, lookup_key(identifier)
    query = select(p.id, p.name, p.merged_into_id).where(scope.owns(p), p.identifier_key == key)
    if (now := scope.connection.execute(query).one_or_none()) is not None:
        if now.merged_into_id is not None:
            whose = (
                f"is that of {now.name!r}, which was merged into another procedure, and now finds that one"
            )
            raise IdentifierTaken(identifier, whose)
        if now.id != but:
            raise IdentifierTaken(identifier, f"is that of the procedure {now.name!r}")
        return
    before = (
        select(f.procedure_id, p.name, p.identifier)
        .join_from(former_identifiers, procedures, p.id == f.procedure_id, isouter=True)
        .where(scope.owns(f), f.identifier_key == key)
    )
    row = scope.connection.execute(before).one_or_none()
    if row is None:
        return
    if row.procedure_id is None:
        raise IdentifierTaken(identifier, "was that of a procedure that is deleted")
    if row.procedure_id != but:
        raise IdentifierTaken(
            identifier, f"was that of the procedure {row.name!r} ({row.identifier}), and still finds it"
        )


def retire_identifiers(tx: Transaction, procedure_id: UUID, identifier: str) -> None:
    """Keep the identifiers of a procedure that is about to be deleted, so that no other procedure gets one of them."""
    f = former_identifiers.c
    mine = (tx.owns(f), f.procedure_id == procedure_id)
    tx.connection.execute(update(former_identifiers).where(*mine).values(procedure_id=None))
    lead_on(tx, IDENTIFIERS, identifier, None)
