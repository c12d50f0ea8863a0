"""Calls of the API, for the page of its activity to have something to show."""

import httpx

from tests.servers import DEADLINE_S


def make_calls(url: str, api_key: str) -> None:
    """Some that succeed, and at last one that fails."""
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        for path in ("/runs", "/units", "/stations", "/procedures"):
            client.get(path).raise_for_status()
        assert client.post("/runs", json={"serial_number": "AM2648-00001", "outcome": "MAYBE"}).is_error
