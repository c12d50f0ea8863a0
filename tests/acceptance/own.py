"""Runcard's own API beside v1 and v2, as one of the people."""

from typing import Any

import httpx

from tests.acceptance.wire import Json
from tests.servers import DEADLINE_S, Server


class Own(httpx.Client):
    """The whole server as one of Acme's people."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__(
            base_url=f"{server.url}/api", headers={"Authorization": f"Bearer {key}"}, timeout=DEADLINE_S
        )

    def found(self, path: str, **query: Any) -> Json:
        answer = self.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found
