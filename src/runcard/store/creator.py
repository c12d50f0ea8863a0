"""Who made a record: exactly one of a user and a station."""

from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, StationActor


class Creator(NamedTuple):
    user_id: UUID | None
    station_id: UUID | None

    @classmethod
    def of(cls, actor: Actor) -> "Creator":
        if isinstance(actor, StationActor):
            return cls(None, actor.station_id)
        return cls(actor.user_id, None)

    @property
    def columns(self) -> dict[str, UUID | None]:
        """The values of the two columns that say who created a row."""
        return {"created_by_user_id": self.user_id, "created_by_station_id": self.station_id}
