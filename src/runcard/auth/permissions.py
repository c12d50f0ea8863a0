"""What an actor may do beyond recording (`domain.actor.check_may_record`)."""

from runcard.domain.actor import Actor, StationActor, UserActor
from runcard.domain.errors import PermissionDenied


def may_manage(user: UserActor) -> bool:
    """Whether `check_may_manage` lets a user pass."""
    return user.role in ("admin", "engineer")


def check_may_manage(actor: Actor, deed: str) -> UserActor:
    """Only admins and engineers change and delete what is recorded. Raises PermissionDenied.

    deed: what the actor wants to do, such as "delete runs".
    """
    user = check_is_user(actor, deed)
    if not may_manage(user):
        raise PermissionDenied(f"Role {user.role} has no permission to {deed}. Ask an admin.")
    return user


def check_is_user(actor: Actor, deed: str) -> UserActor:
    """What only people do, in whichever role. Raises PermissionDenied."""
    if isinstance(actor, StationActor):
        raise PermissionDenied(f"Stations cannot {deed}. Use the API key of a user.")
    return actor


def check_is_station(actor: Actor, deed: str) -> StationActor:
    """What only stations do. Raises PermissionDenied."""
    if isinstance(actor, UserActor):
        raise PermissionDenied(f"Users have no permission to {deed}. Use the API key of a station.")
    return actor
