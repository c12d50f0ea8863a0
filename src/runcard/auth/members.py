"""An admin's changes to other members. One admin always remains, who can change them back."""

from uuid import UUID

from runcard.auth.permissions import check_may_administer
from runcard.domain.actor import Role, UserActor
from runcard.domain.errors import Conflict
from runcard.store.commit.transaction import Transaction
from runcard.store.people.users import count_admins, end_sessions, reinstate_user, set_role, suspend_user


def give_role(tx: Transaction, actor: UserActor, user_id: UUID, role: Role) -> None:
    """Give a member another role. Raises PermissionDenied, NotFound, or Conflict if no admin would be left."""
    check_may_administer(actor, "change roles")
    set_role(tx, user_id, role)
    _check_an_admin_is_left(tx)


def suspend(tx: Transaction, actor: UserActor, user_id: UUID) -> None:
    """Suspend a member. Raises PermissionDenied, NotFound, or Conflict if no admin would be left."""
    check_may_administer(actor, "suspend members")
    suspend_user(tx, user_id)
    _check_an_admin_is_left(tx)


def reinstate(tx: Transaction, actor: UserActor, user_id: UUID) -> None:
    """Reinstate a suspended member. Raises PermissionDenied or NotFound."""
    check_may_administer(actor, "reinstate members")
    reinstate_user(tx, user_id)


def end_log_ins(tx: Transaction, actor: UserActor, user_id: UUID) -> None:
    """End all log-ins of a member, who may log in again. Raises PermissionDenied or NotFound."""
    check_may_administer(actor, "end log-ins of members")
    end_sessions(tx, user_id)


def _check_an_admin_is_left(tx: Transaction) -> None:
    if not count_admins(tx.scope):
        raise Conflict("No admin would be left. Make somebody else admin first.")
