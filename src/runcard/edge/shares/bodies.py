"""Large bodies take turns, by their size, so that the memory for many at once is limited (ADR 35)."""

from contextlib import AsyncExitStack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.domain.errors import TooManyLargeBodies
from runcard.edge.answers.responses import header_of
from runcard.edge.fair_share import FairShare, ShareLimits, ShareQueue
from runcard.edge.requests.services import services_of

# Stations send less than this, so their bodies never wait.
_SMALL_BYTES = 1024 * 1024
_QUEUE = ShareQueue(most=32, wait_s=10.0, refusal=TooManyLargeBodies)
# Bodies that go straight to the disk take no memory, so they do not count.
_TO_DISK = "/files/"
_FORM_OF_FILES = "multipart/form-data"


def share_of_bodies(bytes_at_once: int) -> FairShare:
    """The turns of large bodies, counted in bytes. A body alone always gets a turn, however large it is."""
    return FairShare(ShareLimits(bytes_at_once, bytes_at_once // 2), _QUEUE)


class LargeBodies:
    """Lets `app` read a large body as soon as there is room for it, and holds that room until `app` has answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_small(scope):
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as held:
            await self._app(scope, _Held(scope, receive, held), send)


class _Held:
    """Receives a body; a large one waits until there is room."""

    def __init__(self, scope: Scope, receive: Receive, held: AsyncExitStack) -> None:
        self._scope = scope
        self._receive = receive
        self._held = held
        self._is_held = False
        self._arrived_bytes = 0

    async def __call__(self) -> Message:
        declared = _declared_bytes(self._scope)
        if declared is not None:
            await self._hold(declared)
        message = await self._receive()
        self._arrived_bytes += len(message.get("body", b""))
        if self._arrived_bytes > _SMALL_BYTES:
            await self._hold(services_of(self._scope).max_body_bytes)  # the most that may still arrive
        return message

    async def _hold(self, size: int) -> None:
        if self._is_held:
            return
        services = services_of(self._scope)
        caller = header_of(self._scope, b"authorization") or ""
        await self._held.enter_async_context(
            services.shares.large_bodies.taken(caller, min(size, services.max_body_bytes))
        )
        self._is_held = True


def _is_small(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) <= _SMALL_BYTES or _goes_to_disk(scope)
        if name == b"transfer-encoding":
            return _goes_to_disk(scope)
    return True


def _goes_to_disk(scope: Scope) -> bool:
    content_type = header_of(scope, b"content-type") or ""
    return scope["path"].startswith(_TO_DISK) or content_type.startswith(_FORM_OF_FILES)


def _declared_bytes(scope: Scope) -> int | None:
    text = header_of(scope, b"content-length")
    return None if text is None else int(text)
