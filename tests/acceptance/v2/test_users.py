"""Members of an organization, as the official client sees them."""

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorFORBIDDEN, ErrorUNAUTHORIZED

from tests.acceptance.v2.conftest import Sdk
from tests.servers import Server
from tests.world import World


def test_all_members_are_listed_for_both_kinds_of_key(
    user: TofuPilot, station: TofuPilot, world: World
) -> None:
    listed = [one.model_dump() for one in user.users.list()]
    acme = world.acme
    assert [one["email"] for one in listed] == [
        one.email for one in (acme.admin, acme.suspended, acme.engineer, acme.viewer)
    ]
    assert listed[2] == {
        "id": str(world.acme.engineer.actor.user_id),
        "email": world.acme.engineer.email,
        "name": "Eve",
        "image": None,
        "banned": False,
    }
    assert [one["banned"] for one in listed] == [False, True, False, False]
    assert [one.model_dump() for one in station.users.list()] == listed


def test_a_list_is_of_one_organization(other: TofuPilot, world: World) -> None:
    assert [one.email for one in other.users.list()] == [world.globex.admin.email]


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_clients_of_before_ask_for_the_current_user(
    wire: httpx.Client, server: Server, world: World, value: str
) -> None:
    asked = {"current": value}
    assert [one["email"] for one in wire.get("/users", params=asked).json()] == [world.acme.engineer.email]
    of_station = {"Authorization": f"Bearer {world.acme.ict.api_key}"}
    assert wire.get("/users", params=asked, headers=of_station).json() == []


def test_current_may_be_denied_or_nonsense(wire: httpx.Client) -> None:
    for value in ("false", ""):
        assert len(wire.get("/users", params={"current": value}).json()) == 4
    refused = wire.get("/users", params={"current": "maybe"})
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_REQUEST")
    assert "current" in refused.json()["issues"][0]["message"]


def test_the_current_user_is_that_of_the_key(user: TofuPilot, world: World) -> None:
    assert user.users.get_current().model_dump() == {
        "id": str(world.acme.engineer.actor.user_id),
        "email": world.acme.engineer.email,
        "name": "Eve",
        "image": None,
        "banned": False,
    }


def test_stations_have_no_current_user(station: TofuPilot) -> None:
    with pytest.raises(ErrorFORBIDDEN, match="Stations cannot"):
        station.users.get_current()


def test_suspended_members_and_strangers_are_told_nothing(sdk: Sdk, world: World) -> None:
    for key in (world.acme.suspended.api_key, "rc_wrong"):
        with pytest.raises(ErrorUNAUTHORIZED):
            sdk(key).users.list()
        with pytest.raises(ErrorUNAUTHORIZED):
            sdk(key).users.get_current()
