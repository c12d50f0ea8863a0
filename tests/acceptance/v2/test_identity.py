"""Whose key it is, as the official client asks."""

import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorUNAUTHORIZED

from tests.acceptance.v2.conftest import Sdk
from tests.conftest import DatabaseKind
from tests.world import World


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def test_a_user_is_told_with_the_organization(user: TofuPilot, world: World) -> None:
    eve = world.acme.engineer
    assert user.identity.whoami().model_dump(by_alias=True) == {
        "type": "user",
        "station": None,
        "user": {"id": str(eve.actor.user_id), "email": eve.email, "name": "Eve"},
        "organization": {"id": str(world.acme.id), "slug": world.acme.slug, "name": "Acme"},
    }


def test_a_station_is_told_with_the_organization(station: TofuPilot, world: World) -> None:
    assert station.identity.whoami().model_dump(by_alias=True) == {
        "type": "station",
        "station": {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"},
        "user": None,
        "organization": {"id": str(world.acme.id), "slug": world.acme.slug, "name": "Acme"},
    }


def test_a_viewer_and_another_organization_are_told_too(sdk: Sdk, other: TofuPilot, world: World) -> None:
    assert sdk(world.acme.viewer.api_key).identity.whoami().organization.slug == world.acme.slug
    assert other.identity.whoami().organization.slug == world.globex.slug


def test_a_key_that_does_not_work_is_told_so(sdk: Sdk, world: World) -> None:
    for key in ("rc_wrong", world.acme.suspended.api_key):
        with pytest.raises(ErrorUNAUTHORIZED):
            sdk(key).identity.whoami()
