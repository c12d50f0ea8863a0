"""The owner of a key, in the v2 API."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.api.v2.shapes import IdName
from runcard.domain.actor import StationActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithActor, WithScope
from runcard.store.commit.lookups import get_organization
from runcard.store.people.users import get_user
from runcard.store.stations.records import get_station_record

router = APIRouter()


class WhoamiUser(Struct):
    id: UUID
    email: str
    name: str | None


class WhoamiOrganization(Struct):
    id: UUID
    slug: str
    name: str


class WhoamiResponse(Struct):
    """type: which of `station` and `user` is given; the other is null."""

    type: Literal["station", "user"]
    station: IdName | None
    user: WhoamiUser | None
    organization: WhoamiOrganization


@router.get("/whoami", openapi_extra=operation(WhoamiResponse, name="identity-whoami"))
def whoami(actor: WithActor, scope: WithScope) -> Response:
    """The station or user that owns the key, and its organization."""
    found = get_organization(scope)
    organization = WhoamiOrganization(found.id, found.slug, found.name)
    if isinstance(actor, StationActor):
        station = get_station_record(scope, actor.station_id)
        return JsonResponse(WhoamiResponse("station", IdName(station.id, station.name), None, organization))
    user = get_user(scope, str(actor.user_id))
    return JsonResponse(
        WhoamiResponse("user", None, WhoamiUser(user.id, user.email, user.name), organization)
    )
