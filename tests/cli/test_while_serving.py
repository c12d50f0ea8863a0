"""What commands change holds at the next request, though the server has seen the key before."""

from uuid import uuid4

import httpx
import pytest

from tests.servers import Server


@pytest.fixture
def serial() -> str:
    return f"SN-{uuid4().hex[:12]}"


@pytest.fixture
def station(server: Server) -> str:
    """The name of a fresh station that may report FVT1."""
    name = f"Station {uuid4().hex[:8]}"
    server.runcard("station", "create", name, "--procedure", "FVT1", "--organization", "acme")
    return name


def new_key(server: Server, *owner: str) -> dict[str, str]:
    made: dict[str, str] = server.runcard("key", "create", *owner, "--organization", "acme")
    return made


def report(server: Server, api_key: str, serial: str) -> httpx.Response:
    body = {
        "run_passed": True,
        "procedure_id": "FVT1",
        "unit_under_test": {"serial_number": serial, "part_number": "PCB-100"},
    }
    with server.client(api_key) as client:
        return client.post("/runs", json=body)


def test_a_revoked_key_is_worthless_at_once(server: Server, station: str, serial: str) -> None:
    key = new_key(server, "--station", station)
    assert report(server, key["api_key"], serial).status_code == 200
    server.runcard("key", "revoke", key["id"], "--organization", "acme")
    assert report(server, key["api_key"], serial).status_code == 401


def test_an_unlinked_procedure_is_refused_until_it_is_linked(
    server: Server, station: str, serial: str
) -> None:
    key = new_key(server, "--station", station)["api_key"]
    change = (station, "--procedure", "FVT1", "--organization", "acme")
    assert report(server, key, serial).status_code == 200
    server.runcard("station", "unlink", *change)
    assert report(server, key, serial).status_code == 403
    server.runcard("station", "link", *change)
    assert report(server, key, serial).status_code == 200


def test_the_keys_of_a_suspended_user_stop_until_they_are_reinstated(server: Server, serial: str) -> None:
    email = f"{uuid4().hex[:8]}@acme.test"
    server.runcard("user", "create", email, "--organization", "acme")
    key = new_key(server, "--user", email)["api_key"]
    assert report(server, key, serial).status_code == 200
    server.runcard("user", "suspend", email, "--organization", "acme")
    assert report(server, key, serial).status_code == 401
    server.runcard("user", "reinstate", email, "--organization", "acme")
    assert report(server, key, serial).status_code == 200


def test_a_policy_holds_at_once(server: Server, station: str, serial: str) -> None:
    key = new_key(server, "--station", station)["api_key"]
    assert report(server, key, serial).status_code == 200
    server.runcard("organization", "set", "--no-stations-may-create-units", "--organization", "acme")
    refused = report(server, key, f"{serial}-2")
    server.runcard("organization", "set", "--stations-may-create-units", "--organization", "acme")
    assert (refused.status_code, refused.json()["message"]) == (403, "Unit creation failed.")
    assert report(server, key, f"{serial}-2").status_code == 200


def test_doctor_finds_nothing_wrong_beside_a_running_server(server: Server) -> None:
    done = server.runcard("doctor")
    assert done["ok"]
    assert done["findings"] == []
