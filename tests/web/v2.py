"""The v2 API, for what pages show and v1 cannot say."""

import httpx

from tests.servers import DEADLINE_S, Server


def v2_client(server: Server, api_key: str | None = None) -> httpx.Client:
    """HTTP to the v2 API, as Acme's engineer unless another key is given; what is refused is raised."""
    headers = {"Authorization": f"Bearer {api_key or server.world.acme.engineer.api_key}"}

    def check(answer: httpx.Response) -> None:
        answer.read()
        answer.raise_for_status()

    return httpx.Client(
        base_url=f"{server.url}/api/v2",
        headers=headers,
        timeout=DEADLINE_S,
        event_hooks={"response": [check]},
    )
