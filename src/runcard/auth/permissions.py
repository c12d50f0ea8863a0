"""What an actor may do beyond recording (`domain.actor.check_may_record`)."""

from runcard.domain.actor import Actor, StationActor, UserActor, check_scope
from runcard.domain.errors import PermissionDenied


def may_manage(actor: Actor) -> bool:
    """Whether the actor may change and delete what is recorded: only admins and engineers may, and no key without the
    scope.
    """
    has_scope = actor.scopes is None or "manage" in actor.scopes
    return has_scope and isinstance(actor, UserActor) and actor.role in ("admin", "engineer")


def check_may_manage(actor: Actor, deed: str) -> UserActor:
    """The user, if they may change and delete what is recorded: admins and engineers. Raises PermissionDenied.

    deed: what the actor wants to do, such as "delete runs". The message says it.
    """
    user = check_is_user(actor, deed)
    check_scope(user, "manage")
    if not may_manage(user):
        raise PermissionDenied(f"Role {user.role} has no permission to {deed}. Ask an admin.")
    return user


def may_delete(actor: Actor) -> bool:
    """Whether the actor may delete what is recorded on a page, or remove it from the bin: only admins may, and no key
    without the scope. Clients of TofuPilot delete as managers, as their contract says.
    """
    return may_manage(actor) and isinstance(actor, UserActor) and actor.role == "admin"


def check_may_delete(actor: Actor, deed: str) -> UserActor:
    """The user, if `may_delete` says that they may. Raises PermissionDenied. deed: as in `check_may_manage`."""
    user = check_may_manage(actor, deed)
    if not may_delete(user):
        raise PermissionDenied(
            f"Role {user.role} has no permission to {deed}. Ask an admin, or void runs that should not count."
        )
    return user


def may_administer(user: UserActor) -> bool:
    """Whether a user may change the organization and its members."""
    return user.role == "admin"


def check_may_administer(user: UserActor, deed: str) -> None:
    """Check that a user may change the organization and its members: only admins may. Raises PermissionDenied."""
    check_scope(user, "manage")
    if not may_administer(user):
        raise PermissionDenied(f"Role {user.role} has no permission to {deed}. Ask an admin.")


def check_is_user(actor: Actor, deed: str) -> UserActor:
    """The actor as a user, for what only people may do, in any role. Raises PermissionDenied."""
    if isinstance(actor, StationActor):
        raise PermissionDenied(f"Stations cannot {deed}. Use the API key of a user.")
    return actor


def check_is_station(actor: Actor, deed: str) -> StationActor:
    """The actor as a station, for what only stations may do. Raises PermissionDenied."""
    if isinstance(actor, UserActor):
        raise PermissionDenied(f"Users have no permission to {deed}. Use the API key of a station.")
    return actor
