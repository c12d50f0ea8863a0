"""Where old clients stream a test to, for an operator's page. There is no such page, but their tests must go on."""

from typing import Any

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.api.v1.bodies import RoomBody
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.connections.rooms import ROOM_PATH
from runcard.edge.requests.services import WithCaller, WithServices

router = APIRouter()


class StreamingBody(Struct, rename="camel"):
    """Credentials in the form that the client passes to its MQTT library."""

    token: str
    operator_page: str
    client_options: dict[str, Any]
    will_options: dict[str, Any]
    connect_options: dict[str, Any]
    publish_options: dict[str, Any]
    subscribe_options: dict[str, Any]


# Port 9 (discard) of the client's own machine is closed: the client warns once, goes on without streaming, and uploads
# as usual. An error from here would make it log errors or retry for ever.
_NOWHERE = StreamingBody(
    token="",
    operator_page="",
    client_options={"transport": "websockets", "protocol": 5, "reconnect_on_failure": False},
    will_options={"topic": "runcard", "payload": "", "qos": 0, "retain": False},
    connect_options={"host": "127.0.0.1", "port": 9, "keepalive": 60},
    publish_options={"topic": "runcard", "qos": 0, "retain": False},
    subscribe_options={"topic": "runcard", "qos": 0},
)


@router.get("/streaming", openapi_extra=operation(StreamingBody))
def streaming(_actor: WithCaller) -> Response:
    """Where to stream to: nowhere."""
    return JsonResponse(_NOWHERE)


@router.get("/rooms", openapi_extra=operation(RoomBody))
def rooms(request: Request, _actor: WithCaller, services: WithServices) -> Response:
    """Where clients before 1.11 stream to: a websocket that drops all. Without it, 1.6 and 1.6.1 never end."""
    root = services.links.root(str(request.base_url))
    return JsonResponse(RoomBody(f"ws{root.removeprefix('http')}{ROOM_PATH}"))
