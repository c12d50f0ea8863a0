"""Who acts: a user or a station of one organization."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

Role = Literal["admin", "engineer", "operator", "viewer"]


class UserActor(Struct, frozen=True):
    user_id: UUID
    organization_id: UUID
    role: Role


class StationActor(Struct, frozen=True):
    station_id: UUID
    organization_id: UUID


Actor = UserActor | StationActor
