"""The owner of a command line's key, and the settings of the server."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard import __version__
from runcard.domain.actor import StationActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithActor, WithScope, WithServices
from runcard.store.commit.lookups import get_organization
from runcard.store.people.users import get_user
from runcard.store.stations.records import get_station_record

router = APIRouter()


class CliWhoami(Struct, kw_only=True):
    """For the key of a user, the fields of a station are null, and the other way round."""

    auth_type: Literal["user", "station"]
    user_id: UUID | None = None
    user_name: str | None = None
    user_email: str | None = None
    station_id: UUID | None = None
    station_name: str | None = None
    organization_id: UUID
    organization_name: str
    organization_slug: str


@router.get("/whoami", openapi_extra=operation(CliWhoami, name="cli-whoami"))
def whoami(actor: WithActor, scope: WithScope) -> Response:
    """The station or user that owns the key, and its organization."""
    organization = get_organization(scope)
    answer = CliWhoami(
        auth_type="user",
        organization_id=organization.id,
        organization_name=organization.name,
        organization_slug=organization.slug,
    )
    if isinstance(actor, StationActor):
        station = get_station_record(scope, actor.station_id)
        answer.auth_type, answer.station_id, answer.station_name = "station", station.id, station.name
    else:
        user = get_user(scope, str(actor.user_id))
        answer.user_id, answer.user_name, answer.user_email = user.id, user.name, user.email
    return JsonResponse(answer)


@router.get("/config", openapi_extra=operation(dict[str, str], name="cli-config"))
def config(request: Request, services: WithServices, scope: WithScope) -> Response:
    """What a command line needs to know of this server, as texts by name."""
    organization = get_organization(scope)
    return JsonResponse(
        {
            "api_url": f"{services.links.root(str(request.base_url))}/api",
            "organization_slug": organization.slug,
            "server_version": __version__,
            "max_body_bytes": str(services.max_body_bytes),
            "max_upload_bytes": str(services.max_upload_bytes),
            "upload_expires_s": str(services.links.expires_s["upload"]),
        }
    )
