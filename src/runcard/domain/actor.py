"""Who acts: a user or a station of one organization."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import PermissionDenied

Role = Literal["admin", "engineer", "operator", "viewer"]


class UserActor(Struct, frozen=True):
    user_id: UUID
    organization_id: UUID
    role: Role


class StationActor(Struct, frozen=True):
    station_id: UUID
    organization_id: UUID


Actor = UserActor | StationActor


def check_may_record(actor: Actor) -> None:
    """Check that this actor may add runs, files and sub-units: everyone but viewers. Raises PermissionDenied."""
    if isinstance(actor, UserActor) and actor.role == "viewer":
        raise PermissionDenied("Role viewer can read but not record. Ask an admin for another role.")
