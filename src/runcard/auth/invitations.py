"""Invite people by a one-time link, through which they choose their own name and password."""

from datetime import UTC, datetime, timedelta

from runcard.auth.tokens import digest_of, new_token
from runcard.domain.actor import Role, UserActor
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Connection
from runcard.store.people.invitations import (
    Invitation,
    create_invitation,
    delete_invitation,
    get_invitation,
)
from runcard.store.people.users import create_user

INVITATION_LIFETIME = timedelta(days=7)


def invite(tx: Transaction, actor: UserActor, email: str, role: Role) -> str:
    """Invite somebody and return the secret of the link. An earlier invitation to this e-mail stops working.

    Raises InvalidInput or AlreadyExists.
    """
    token = new_token("invitation")
    invitation = Invitation(
        id=new_id(),
        organization_id=actor.organization_id,
        email=email.strip(),
        role=role,
        created_at=tx.now,
        created_by_user_id=actor.user_id,
        expires_at=tx.now + INVITATION_LIFETIME,
    )
    create_invitation(tx, invitation, digest_of(token))
    return token


def find_invited(connection: Connection, token: str) -> Invitation:
    """The open invitation with this secret. Raises InvitationSpent."""
    return get_invitation(connection, digest_of(token), datetime.now(UTC))


def accept(tx: Transaction, token: str, name: str, password_hash: str) -> UserActor:
    """Use up the invitation and return the new member. Raises InvitationSpent, InvalidInput or AlreadyExists."""
    invitation = get_invitation(tx.connection, digest_of(token), tx.now)
    organization_id = invitation.organization_id
    user = create_user(tx, invitation.email, name=name, role=invitation.role, password_hash=password_hash)
    delete_invitation(tx, invitation.id)
    return UserActor(user.id, organization_id, user.role)
