"""The change log: what happened, in the order of the commits. A follower keeps the last `seq` that it has seen.

A sequence hands out its numbers before the commit. So on PostgreSQL two open transactions could commit in the other
order, and a follower would skip the slower one for ever. `SharedTransaction.finish` therefore takes a lock before it
appends, and holds it until the commit.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select

from runcard.store.engine.tables import changes, organizations

# Unscoped: a follower of the change log follows all organizations.

ChangeKind = Literal[
    "run_recorded",
    "run_changed",
    "run_deleted",
    "run_restored",
    "run_voided",
    "run_unvoided",
    "run_corrected",
    "run_purged",
    "attachment_linked",
    "attachment_deleted",
    "attachment_restored",
    "attachment_purged",
    "repair_recorded",
    "repair_changed",
    "unit_created",
    "unit_moved",
    "unit_followed",
    "unit_changed",
    "unit_corrected",
    "unit_deleted",
    "unit_restored",
    "unit_purged",
    "unit_merged",
    "unit_took_over",
    "unit_split",
    "tombstone_changed",
    "part_created",
    "part_changed",
    "part_deleted",
    "part_merged",
    "part_split",
    "revision_created",
    "revision_changed",
    "revision_deleted",
    "batch_created",
    "batch_changed",
    "batch_deleted",
    "batch_restored",
    "batch_purged",
    "procedure_created",
    "procedure_changed",
    "procedure_deleted",
    "procedure_restored",
    "procedure_purged",
    "procedure_merged",
    "procedure_split",
    "version_created",
    "version_deleted",
    "version_restored",
    "version_purged",
    "station_created",
    "station_changed",
    "station_deleted",
    "deployment_created",
    "deployment_changed",
    "import_template_created",
    "import_template_deleted",
    "file_imported",
    "file_quarantined",
    "file_tried_again",
    "file_released",
    "file_discarded",
    "attachment_created",
    "attachment_changed",
    "deployment_deleted",
    "deployment_restored",
    "deployment_purged",
    "import_deleted",
    "repair_deleted",
    "repair_restored",
    "repair_purged",
    "version_changed",
    "record_adopted",
    "organization_created",
    "organization_changed",
    "organization_exported",
    "organization_added",
    "backup_restored",
    "user_created",
    "user_changed",
    "user_logged_in",
    "user_logged_out",
    "user_log_in_failed",
    "user_sessions_ended",
    "team_created",
    "key_created",
    "key_changed",
    "key_deleted",
    "invitation_created",
    "invitation_deleted",
    "comment_created",
    "comment_changed",
    "comment_moved",
    "comment_withdrawn",
    "comment_deleted",
    "tag_created",
    "tag_changed",
    "tag_deleted",
    "cause_created",
    "cause_changed",
    "cause_deleted",
    "thing_tagged",
    "thing_cause_changed",
]


class Trace(NamedTuple):
    """What a change leaves in the audit trail.

    actor_id: the user or the station that made it. entry: see `domain.evidence.entry`; None: the record itself says who
    made it. state: the digest of the record after the change, or what makes it, which is called before the commit, when
    all writes of the group are done; None: the record is gone, or nothing of it is proven.
    """

    actor_id: UUID | None = None
    entry: str | None = None
    state: bytes | Callable[[], bytes] | None = None


NO_TRACE = Trace()


class Change(NamedTuple):
    seq: int
    organization_id: UUID
    kind: ChangeKind
    entity_id: UUID
    changed_at: datetime


def list_changes(connection: Connection, after_seq: int, limit: int) -> Sequence[Change]:
    """At most `limit` changes that were committed after the one numbered `after_seq`, oldest first."""
    c = changes.c
    query = (
        select(*(c[name] for name in Change._fields)).where(c.seq > after_seq).order_by(c.seq).limit(limit)
    )
    return [Change(*row) for row in connection.execute(query)]


def list_changed_organizations(connection: Connection, after_seq: int | None) -> Sequence[UUID]:
    """The organizations with changes after the one numbered `after_seq`; None: all organizations."""
    c = changes.c
    if after_seq is None:
        query = select(organizations.c.id)
    else:
        query = select(c.organization_id).where(c.seq > after_seq).distinct()
    return connection.execute(query).scalars().all()


def last_seq(connection: Connection) -> int:
    """The number of the newest change; 0 where nothing has happened yet."""
    return connection.execute(select(func.max(changes.c.seq))).scalar_one() or 0
