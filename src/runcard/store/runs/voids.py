"""Voiding runs: a voided run stays in the record, and no figure counts it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from runcard.domain.actor import UserActor
from runcard.domain.errors import Conflict, RunNotFound
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import get_rows, in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import runs
from runcard.store.trail.watching import watch


def void_runs(tx: Transaction, by: UserActor, run_ids: Sequence[UUID], reason: str) -> None:
    """Void all of these runs. Raises RunNotFound, and Conflict for a run that is voided already."""
    for run_id, voided_at in _find(tx, run_ids):
        if voided_at is not None:
            raise Conflict(
                f"Run {run_id} is voided already, since {voided_at:%Y-%m-%d %H:%M} UTC. Leave it out, or let it count "
                "again first."
            )
    watch(tx, runs, run_ids, kind="run_voided", why=reason)
    _update(tx, run_ids, voided_at=tx.now, void_reason=reason, voided_by_id=by.user_id)


def end_voids(tx: Transaction, run_ids: Sequence[UUID], reason: str | None) -> None:
    """Let all of these voided runs count again. Raises RunNotFound, and Conflict for a run that is not voided."""
    for run_id, voided_at in _find(tx, run_ids):
        if voided_at is None:
            raise Conflict(f"Run {run_id} is not voided, so it counts already. Leave it out.")
    watch(tx, runs, run_ids, kind="run_unvoided", why=reason)
    _update(tx, run_ids, voided_at=None, void_reason=None, voided_by_id=None)


def list_voided_at(scope: Scope, at: datetime) -> Mapping[UUID, str]:
    """The runs that were voided at this very moment, which one write did, each with the reason."""
    r = runs.c
    query = select(r.id, r.void_reason).where(scope.owns(r), r.voided_at == at).order_by(r.id)
    return {row.id: row.void_reason for row in scope.connection.execute(query)}


def _find(tx: Transaction, run_ids: Sequence[UUID]) -> Sequence[tuple[UUID, Any]]:
    """Each run, and when it was voided. On PostgreSQL nobody else may change them until the commit."""
    r = runs.c
    query = select(r.id, r.voided_at).where(tx.owns(r)).with_for_update()
    rows = get_rows(tx.connection, query, run_ids, RunNotFound)
    return [(run_id, row.voided_at) for run_id, row in rows.items()]


def _update(tx: Transaction, run_ids: Sequence[UUID], **values: Any) -> None:
    r = runs.c
    for some in in_chunks(run_ids):
        tx.connection.execute(update(runs).where(tx.owns(r), r.id.in_(some)).values(values))
