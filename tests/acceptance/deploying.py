"""Deploying code as a command line does it: upload an archive, then create a deployment of it."""

import hashlib
from typing import Any

import httpx

from tests.acceptance.wire import Json
from tests.servers import DEADLINE_S, Server

ARCHIVE = b"print('hello')\n" * 100
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
COMMIT: Json = {
    "sha": "1F2E3D4C5B6A79880011223344556677889900AA",
    "message": "Tighten the limits",
    "author_username": "eve",
    "author_avatar_url": "https://example.com/eve.png",
    "committed_at": "2026-01-02T03:04:05+02:00",
    "branch": "main",
}
REPOSITORY: Json = {"full_name": "acme/tests/board", "provider": "gitlab"}


def command_line(server: Server, api_key: str | None) -> httpx.Client:
    """HTTP to the API of command lines, with this key."""
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=f"{server.url}/api/cli", headers=headers, timeout=DEADLINE_S)


def upload_archive(client: httpx.Client, content: bytes = ARCHIVE) -> str:
    """Id of an archive whose bytes have arrived, sent without a key."""
    slot = client.post(
        "/deployments/upload", json={"name": "board.tar.gz", "size_bytes": len(content)}
    ).json()
    put = httpx.put(slot["upload_url"], content=content, timeout=DEADLINE_S)
    assert put.status_code == 200, put.text
    upload_id: str = slot["id"]
    return upload_id


def deploy(client: httpx.Client, procedure: object, **members: Any) -> Json:
    """What is answered to a new deployment of a procedure."""
    members = {"upload_id": upload_archive(client), **members}
    answer = client.post("/deployments", json={"procedure_id": str(procedure), **members})
    assert answer.status_code == 200, answer.text
    deployed: Json = answer.json()
    return deployed
