"""The spelling of API paths. Duplicate slashes, case, a trailing slash, and a missing /api before /v1 and /v2 do not
matter. HEAD tells whether a path exists.
"""

import re
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from runcard.edge.requests.unknown_names import telling

# The prefix and the collection. The rest may be a serial number and is left as it is.
_PREFIX = re.compile(r"/+(?:api/+)?v[12](?:/+[a-z]+(?:/+(?:initialize|sync))?)?(?=/|$)", re.IGNORECASE)
_SLASHES = re.compile(r"/+")
# The end of a path that no route of either API has.
_NOWHERE = "/-"


class ApiPaths:
    """Rewrites API paths into the spelling of the routes before they are routed. Never redirects."""

    def __init__(self, app: FastAPI, direct: Mapping[str, ASGIApp]) -> None:
        """direct: endpoints for POST, by path. They are called without routing and middleware."""
        self.app = app
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if scope["method"] == "POST" and path in self._direct:
                scope["app"] = self.app
                await self._direct[path](scope, receive, send)
                return
            if prefix := _PREFIX.match(path):
                # No record has a NUL in its name, and databases differ in how they treat it.
                canonical = _canonical(path, prefix)
                scope["path"] = canonical[: len("/api/v1")] + _NOWHERE if "\0" in path else canonical
                if scope["method"] == "HEAD":
                    await self._answer_head(scope, send)
                    return
                send = telling(scope, send)
        await self.app(scope, receive, send)

    async def _answer_head(self, scope: Scope, send: Send) -> None:
        known = any(route.matches(scope)[0] is not Match.NONE for route in self.app.routes)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _canonical(path: str, prefix: re.Match[str]) -> str:
    head = _SLASHES.sub("/", prefix[0]).lower()
    root = "" if head.startswith("/api/") else "/api"
    return root + head + path[prefix.end() :].removesuffix("/")
