"""What lies inside a run and has notes."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.ids import last_part_id
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import comments, taggings, thing_causes


def count_notes_inside(scope: Scope, run_id: UUID) -> Mapping[UUID, int]:
    """How many comments, tags and causes each phase and measurement of a run has; no entry for one without notes."""
    found: Counter[UUID] = Counter()
    for c in (comments.c, taggings.c, thing_causes.c):
        inside = c.thing_id.between(run_id, last_part_id(run_id)) & (c.thing_id != run_id)
        query = select(c.thing_id, func.count()).where(scope.owns(c), inside).group_by(c.thing_id)
        if c is comments.c:
            query = query.where(comments.c.deleted_at.is_(None))
        for thing_id, count in scope.connection.execute(query):
            found[thing_id] += count
    return found
