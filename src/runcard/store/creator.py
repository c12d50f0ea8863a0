"""Who made a record: exactly one of a user and a station."""

from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, StationActor


class Creator(NamedTuple):
    """by_report: the record was made because a report named it."""

    user_id: UUID | None
    station_id: UUID | None
    by_report: bool = False

    @classmethod
    def of(cls, actor: Actor, *, by_report: bool = False) -> "Creator":
        if isinstance(actor, StationActor):
            return cls(None, actor.station_id, by_report)
        return cls(actor.user_id, None, by_report)

    @property
    def columns(self) -> dict[str, UUID | None]:
        """The values of the two columns that say who created a row."""
        return {"created_by_user_id": self.user_id, "created_by_station_id": self.station_id}
