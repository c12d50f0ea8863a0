"""Invitations: one-time links by which people become members. Only the digest of the link's secret is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select

from runcard.domain.actor import Role
from runcard.domain.errors import InvitationSpent, NotFound
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import invitations
from runcard.store.people.users import check_free_email
from runcard.store.trail.watching import note_event


class Invitation(NamedTuple):
    id: UUID
    organization_id: UUID
    email: str
    role: Role
    created_at: datetime
    created_by_user_id: UUID
    expires_at: datetime


_COLUMNS = [invitations.c[name] for name in Invitation._fields]


def create_invitation(tx: Transaction, invitation: Invitation, digest: bytes) -> None:
    """Keep an invitation in place of an earlier one to this e-mail, and delete those that have expired.

    Raises InvalidInput, and AlreadyExists if a member has the e-mail. It does not reveal users of other organizations:
    the invited person learns that when they accept.
    """
    check_free_email(tx.connection, invitation.email, invitation.organization_id)
    i, key = invitations.c, lookup_key(invitation.email)
    earlier = (owned_by(invitation.organization_id, i)) & (i.email_key == key)
    tx.connection.execute(delete(invitations).where(or_(i.expires_at < tx.now, earlier)))
    tx.connection.execute(insert(invitations).values(**invitation._asdict(), digest=digest, email_key=key))
    note_event(tx, "invitation_created", invitation.id, invitation.email, what={"role": invitation.role})


def list_invitations(scope: Scope, now: datetime) -> Sequence[Invitation]:
    """The open invitations of the organization, newest first."""
    i = invitations.c
    query = select(*_COLUMNS).where(scope.owns(i), i.expires_at > now)
    return [
        Invitation(*row) for row in scope.connection.execute(query.order_by(i.created_at.desc(), i.id.desc()))
    ]


# Unscoped: an invitation is found by its secret.
def get_invitation(connection: Connection, digest: bytes, now: datetime) -> Invitation:
    """The open invitation behind a link. Raises InvitationSpent."""
    i = invitations.c
    row = connection.execute(select(*_COLUMNS).where(i.digest == digest, i.expires_at > now)).one_or_none()
    if row is None:
        raise InvitationSpent
    return Invitation(*row)


def delete_invitation(tx: Transaction, invitation_id: UUID) -> None:
    """Delete an invitation that was accepted or is withdrawn. Raises NotFound."""
    i = invitations.c
    mine = (tx.owns(i), i.id == invitation_id)
    gone = tx.connection.execute(delete(invitations).where(*mine).returning(i.email)).scalar_one_or_none()
    if gone is None:
        raise NotFound(f"Invitation not found: {invitation_id}")
    note_event(tx, "invitation_deleted", invitation_id, gone)
