"""What a key of one scope may at every JSON door, v1 and Runcard's own, and at both ways in for runs."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from runcard.domain.actor import KEY_SCOPES
from tests.acceptance.conftest import Unchanged
from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server

# They tell a program whose key it has, and an old client that nobody listens.
FREE = {"/api/v2/whoami", "/api/v1/streaming", "/api/v1/rooms"}
# Only managers may see these, so a key needs both scopes.
FOR_MANAGERS = {"/api/trail", "/api/trail/export", "/api/bin", "/api/bin/{id}"}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The two cannot differ in what is asked here."""
    return "sqlite"


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key of Acme's admin for each scope."""
    acme = server.world.acme
    made = (
        server.runcard(
            *("key", "create", "--user", acme.admin.email, "--scope", one, "--organization", acme.slug)
        )
        for one in KEY_SCOPES
    )
    return {scope: key["api_key"] for scope, key in zip(KEY_SCOPES, made, strict=True)}


@pytest.fixture(scope="module")
def operations(server: Server) -> list[tuple[str, str]]:
    """The method and the path of everything that the doors serve."""
    paths: dict[str, Any] = httpx.get(f"{server.url}/api/openapi.json", timeout=DEADLINE_S).json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def ask(server: Server, method: str, path: str, key: str) -> httpx.Response:
    filled = "/".join(str(UUID(int=1)) if step.startswith("{") else step for step in path.split("/"))
    body: Any = None if method == "GET" else {}
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.request(method, f"{server.url}{filled}", json=body, headers=headers, timeout=DEADLINE_S)


def test_no_door_lets_a_key_read_without_the_scope(
    server: Server, keys: dict[str, str], operations: list[tuple[str, str]]
) -> None:
    gets = [path for method, path in operations if method == "GET" and path not in FREE]
    assert len(gets) > 40
    for path in gets:
        for scope in ("record", "manage"):
            answer = ask(server, "GET", path, keys[scope])
            assert (path, answer.status_code) == (path, 403)
            assert answer.json()["message"].endswith("Use a key with the scope read.")
        refused = ask(server, "GET", path, keys["read"]).status_code == 403
        assert refused == (path in FOR_MANAGERS or "pull" in path or path.endswith("/stations/current")), path
    for path in FREE:
        assert ask(server, "GET", path, keys["record"]).status_code == 200


def test_a_key_that_may_only_read_changes_nothing_at_any_door(
    server: Server, keys: dict[str, str], operations: list[tuple[str, str]], unchanged: Unchanged
) -> None:
    others = [(method, path) for method, path in operations if method != "GET"]
    assert len(others) > 40
    with unchanged():
        for method, path in others:
            answer = ask(server, method, path, keys["read"])
            assert answer.status_code in (400, 403, 404), (method, path, answer.text)


def test_runs_are_recorded_by_keys_with_the_scope(
    server: Server, keys: dict[str, str], serial: str, unchanged: Unchanged
) -> None:
    for scope in ("read", "manage"):
        with server.client(keys[scope]) as client, unchanged():
            answer = client.post("/runs", json=run_of(serial))
            assert answer.status_code == 403
            told = f"This key may only {scope}. Use a key with the scope record."
            assert answer.json()["error"]["message"] == told
    with server.client(keys["record"]) as client:
        assert create_run(client, run_of(serial))


def test_deleting_needs_the_scope(server: Server, keys: dict[str, str], serial: str) -> None:
    with server.client(keys["record"]) as recording, server.client(keys["manage"]) as managing:
        run_id = create_run(recording, run_of(serial))
        refused = recording.delete(f"/runs/{run_id}")
        assert refused.status_code == 403
        assert "Use a key with the scope manage" in refused.text
        assert managing.delete(f"/runs/{run_id}").status_code == 200
