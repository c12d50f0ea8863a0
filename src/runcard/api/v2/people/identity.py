"""The owner of a key, in the v2 API."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.api.v2.shapes import IdName
from runcard.domain.actor import Actor, StationActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithCaller, WithServices
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
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
def whoami(actor: WithCaller, services: WithServices) -> Response:
    """The station or user that owns the key, and its organization. A key needs no scope for it."""
    with services.database.read_in(actor.organization_id) as scope:
        return JsonResponse(_answer(actor, scope))


def _answer(actor: Actor, scope: Scope) -> WhoamiResponse:
    found = get_organization(scope)
    organization = WhoamiOrganization(found.id, found.slug, found.name)
    if isinstance(actor, StationActor):
        station = get_station_record(scope, actor.station_id)
        return WhoamiResponse("station", IdName(station.id, station.name), None, organization)
    user = get_user(scope, str(actor.user_id))
    return WhoamiResponse("user", None, WhoamiUser(user.id, user.email, user.name), organization)
