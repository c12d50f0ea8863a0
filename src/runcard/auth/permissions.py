"""What an actor may do beyond recording, which `ingest` decides."""

from runcard.domain.actor import Actor, StationActor
from runcard.domain.errors import PermissionDenied


def check_may_delete(actor: Actor, noun: str) -> None:
    """Only admins and engineers delete. Raises PermissionDenied."""
    if isinstance(actor, StationActor):
        raise PermissionDenied(f"Stations cannot delete {noun}. Use the API key of a user.")
    if actor.role not in ("admin", "engineer"):
        raise PermissionDenied(f"Role {actor.role} has no permission to delete {noun}. Ask an admin.")


def check_may_change_units(actor: Actor) -> None:
    """Everyone but viewers may assemble units. Raises PermissionDenied."""
    if not isinstance(actor, StationActor) and actor.role == "viewer":
        raise PermissionDenied("Role viewer has no permission to change units. Ask an admin.")
