"""Revisions of parts, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorCONFLICT, ErrorNOTFOUND

from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, revisions
from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.reporting import report
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture
def part(user: TofuPilot, fresh: Fresh) -> str:
    """The number of a part with the revision A."""
    number = fresh("PN")
    user.parts.create(number=number, name="Board", revision_number="A")
    return number


@pytest.fixture
def upload(server: Server) -> str:
    """The id of an upload whose bytes have not come."""
    with server.client(server.world.acme.engineer.api_key) as v1:
        return str(v1.post("/uploads/initialize", json={"name": "board.png"}).json()["id"])


def test_a_revision_is_read_as_it_was_made(user: TofuPilot, world: World, part: str) -> None:
    made = user.parts.revisions.create(part_number=part.lower(), number="B", metadata={"layers": 4})
    shown = user.parts.revisions.get(part_number=part, revision_number="b").model_dump()
    assert (shown["id"], shown["number"], shown["units"]) == (made.id, "B", [])
    assert shown["part"] == {"id": user.parts.get(number=part).id, "number": part, "name": "Board"}
    assert shown["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert shown["created_by_station"] is None
    assert shown["created_at"] is not None
    assert shown["metadata"] == {"layers": 4}
    assert [one.number for one in user.parts.get(number=part).revisions] == ["A", "B"]


def test_a_station_creates_and_reads_revisions_too(station: TofuPilot, world: World, part: str) -> None:
    station.parts.revisions.create(part_number=part, number="B")
    shown = station.parts.revisions.get(part_number=part, revision_number="B").model_dump()
    assert shown["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert shown["created_by_user"] is None


def test_a_viewer_reads_only(sdk: Sdk, world: World, part: str, unchanged: Unchanged) -> None:
    viewer = sdk(world.acme.viewer.api_key)
    assert viewer.parts.revisions.get(part_number=part, revision_number="A").number == "A"
    for call in (
        lambda: viewer.parts.revisions.create(part_number=part, number="B"),
        lambda: viewer.parts.revisions.update(part_number=part, revision_number="A", number="B"),
        lambda: viewer.parts.revisions.delete(part_number=part, revision_number="A"),
    ):
        with unchanged(), pytest.raises(APIError, match=r"permission|viewer") as raised:
            call()
        assert raised.value.status_code == 403


def test_units_are_shown_newest_first(user: TofuPilot, world: World, part: str, fresh: Fresh) -> None:
    serials = [fresh("SN") for _ in range(3)]
    for serial in serials:
        report(user, world.acme.board.id, serial, part_number=part, revision_number="A")
    units = user.parts.revisions.get(part_number=part, revision_number="A").units
    assert [unit.serial_number for unit in units] == serials[::-1]


def test_a_number_is_taken_in_its_part_only_whatever_its_case(
    user: TofuPilot, part: str, fresh: Fresh
) -> None:
    user.parts.revisions.create(part_number=part, number="rev-1")
    with pytest.raises(ErrorCONFLICT, match="already exists"):
        user.parts.revisions.create(part_number=part, number="REV-1")
    another = fresh("PN")
    user.parts.create(number=another)
    user.parts.revisions.create(part_number=another, number="REV-1")


@pytest.mark.parametrize("part_number", ["nowhere", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_an_unknown_part_is_not_found(user: TofuPilot, station: TofuPilot, part_number: str) -> None:
    for client in (user, station):
        with pytest.raises(ErrorNOTFOUND, match="not found"):
            client.parts.revisions.create(part_number=part_number, number="A")
        with pytest.raises(ErrorNOTFOUND, match="not found"):
            client.parts.revisions.get(part_number=part_number, revision_number="A")
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.update(part_number=part_number, revision_number="A", number="B")
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.delete(part_number=part_number, revision_number="A")


def test_an_unknown_revision_is_not_found(user: TofuPilot, station: TofuPilot, part: str) -> None:
    for client in (user, station):
        with pytest.raises(ErrorNOTFOUND, match="not found"):
            client.parts.revisions.get(part_number=part, revision_number="Z")
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.update(part_number=part, revision_number="Z", number="B")
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.delete(part_number=part, revision_number="Z")


def test_numbers_may_hold_slashes(wire: httpx.Client, fresh: Fresh) -> None:
    number = f"{fresh('PN')}/1"
    assert wire.post("/parts", json={"number": number}).status_code == 200
    assert wire.post(f"/parts/{number}/revisions", json={"number": "2/b"}).status_code == 200
    escaped = f"/parts/{number.replace('/', '%2F')}/revisions/2%2Fb"
    for path in (f"/parts/{number}/revisions/2/b", escaped):
        shown = wire.get(path).json()
        assert (shown["number"], shown["part"]["number"]) == ("2/b", number)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "number"),
        ({"number": ""}, "number"),
        ({"number": "   "}, "number"),
        ({"number": "x" * 61}, "60"),
        ({"number": "nul\0"}, "number"),
        ({"number": 5}, "number"),
        ({"number": "x", "metadata": {"no spaces": 1}}, "no spaces"),
        ({"number": "x", "metadata": {"key": None}}, "null"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    wire: httpx.Client, part: str, body: dict[str, object], told: str, unchanged: Unchanged
) -> None:
    with unchanged():
        answer = wire.post(f"/parts/{part}/revisions", json=body)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "BAD_REQUEST")
    assert "validation" in said["message"]
    assert told in said["issues"][0]["message"]


@pytest.mark.parametrize("number", ["", "x" * 61])
def test_400_is_no_error_class_of_its_own_here(user: TofuPilot, part: str, number: str) -> None:
    with pytest.raises(APIError, match="validation") as raised:
        user.parts.revisions.create(part_number=part, number=number)
    assert raised.value.status_code == 400


def test_a_revision_is_renumbered_with_a_new_image(
    user: TofuPilot, part: str, upload: str, record: Database
) -> None:
    made = user.parts.revisions.create(part_number=part, number="B", metadata={"a": 1, "b": "two"})
    changed = user.parts.revisions.update(
        part_number=part, revision_number="B", number="C", image_id=upload, metadata={"a": None, "c": True}
    )
    assert changed.id == made.id
    shown = user.parts.revisions.get(part_number=part, revision_number="C")
    assert (shown.id, shown.metadata) == (made.id, {"b": "two", "c": True})
    assert _image_of(record, made.id) == UUID(upload)
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.get(part_number=part, revision_number="B")


def test_an_empty_text_takes_the_image_away(
    user: TofuPilot, part: str, upload: str, record: Database
) -> None:
    made = user.parts.revisions.create(part_number=part, number="B")
    for image_id in (upload, "", ""):
        user.parts.revisions.update(part_number=part, revision_number="B", image_id=image_id)
        assert _image_of(record, made.id) == (UUID(image_id) if image_id else None)


@pytest.mark.parametrize("image_id", ["00000000-0000-4000-8000-000000000000", "no id", "nul\0"])
def test_an_unknown_image_is_not_found_and_nothing_changes(
    user: TofuPilot, part: str, image_id: str, unchanged: Unchanged
) -> None:
    with unchanged(), pytest.raises(ErrorNOTFOUND, match="Upload not found"):
        user.parts.revisions.update(part_number=part, revision_number="A", number="B", image_id=image_id)


def test_the_image_of_another_organization_is_not_found(
    other: TofuPilot, fresh: Fresh, upload: str, unchanged: Unchanged
) -> None:
    number = fresh("PN")
    other.parts.create(number=number, revision_number="A")
    with unchanged(), pytest.raises(ErrorNOTFOUND):
        other.parts.revisions.update(part_number=number, revision_number="A", image_id=upload)


def test_the_number_of_another_revision_is_refused_its_own_is_not(user: TofuPilot, part: str) -> None:
    user.parts.revisions.create(part_number=part, number="B")
    with pytest.raises(ErrorCONFLICT):
        user.parts.revisions.update(part_number=part, revision_number="B", number="a")
    user.parts.revisions.update(part_number=part, revision_number="B", number="b")
    assert user.parts.revisions.get(part_number=part, revision_number="B").number == "b"


def test_an_empty_change_is_refused(wire: httpx.Client, part: str, unchanged: Unchanged) -> None:
    with unchanged():
        answer = wire.patch(f"/parts/{part}/revisions/A", json={})
    assert answer.status_code == 400
    assert "number, image_id or metadata" in answer.json()["issues"][0]["message"]


def test_a_deleted_revision_is_gone(user: TofuPilot, part: str, record: Database) -> None:
    made = user.parts.revisions.create(part_number=part, number="B", metadata={"a": 1})
    assert user.parts.revisions.delete(part_number=part, revision_number="b").id == made.id
    with pytest.raises(ErrorNOTFOUND):
        user.parts.revisions.get(part_number=part, revision_number="B")
    with record.read() as connection:
        kinds = select(changes.c.kind).where(changes.c.entity_id == UUID(made.id)).order_by(changes.c.seq)
        assert connection.execute(kinds).scalars().all() == ["revision_created", "revision_deleted"]


def test_the_last_revision_stays(user: TofuPilot, part: str, unchanged: Unchanged) -> None:
    with unchanged(), pytest.raises(APIError, match="is its only revision") as raised:
        user.parts.revisions.delete(part_number=part, revision_number="A")
    assert raised.value.status_code == 409


def test_the_oldest_that_remains_is_the_next_default(
    user: TofuPilot, world: World, part: str, fresh: Fresh
) -> None:
    user.parts.revisions.create(part_number=part, number="B")
    user.parts.revisions.create(part_number=part, number="C")
    user.parts.revisions.delete(part_number=part, revision_number="A")
    serial = fresh("SN")
    report(user, world.acme.board.id, serial, part_number=part)
    of_b = user.parts.revisions.get(part_number=part, revision_number="B")
    assert [unit.serial_number for unit in of_b.units] == [serial]


def test_a_revision_in_use_stays(user: TofuPilot, world: World, part: str, fresh: Fresh) -> None:
    user.parts.revisions.create(part_number=part, number="B")
    serial = fresh("SN")
    report(user, world.acme.board.id, serial, part_number=part, revision_number="B")
    with pytest.raises(APIError, match="still has 1 units") as raised:
        user.parts.revisions.delete(part_number=part, revision_number="B")
    assert raised.value.status_code == 409
    # The unit goes to another revision; what was tested before was of this one.
    report(user, world.acme.board.id, serial, part_number=part, revision_number="A")
    with pytest.raises(APIError, match="still has 1 runs"):
        user.parts.revisions.delete(part_number=part, revision_number="B")


def test_runs_find_a_revision_under_its_new_number(
    user: TofuPilot, world: World, part: str, fresh: Fresh
) -> None:
    first, second = fresh("SN"), fresh("SN")
    report(user, world.acme.board.id, first, part_number=part, revision_number="A")
    user.parts.revisions.update(part_number=part, revision_number="A", number="A1")
    report(user, world.acme.board.id, second, part_number=part, revision_number="a1")
    assert [one.number for one in user.parts.get(number=part).revisions] == ["A1"]
    assert len(user.parts.revisions.get(part_number=part, revision_number="A1").units) == 2


def test_stations_may_not_change_or_delete_even_what_is_not_there(station: TofuPilot) -> None:
    for call in (
        lambda: station.parts.revisions.update(part_number="nowhere", revision_number="A", number=""),
        lambda: station.parts.revisions.delete(part_number="nowhere", revision_number="A"),
    ):
        with pytest.raises(APIError, match="Stations cannot") as raised:
            call()
        assert raised.value.status_code == 403


def test_other_organizations_see_and_change_nothing(
    other: TofuPilot, part: str, unchanged: Unchanged
) -> None:
    calls = (
        lambda: other.parts.revisions.create(part_number=part, number="B"),
        lambda: other.parts.revisions.get(part_number=part, revision_number="A"),
        lambda: other.parts.revisions.update(part_number=part, revision_number="A", number="B"),
        lambda: other.parts.revisions.delete(part_number=part, revision_number="A"),
    )
    with unchanged():
        for call in calls:
            with pytest.raises(ErrorNOTFOUND):
                call()


def _image_of(record: Database, revision_id: str) -> UUID | None:
    with record.read() as connection:
        image = select(revisions.c.image_id).where(revisions.c.id == UUID(revision_id))
        found: UUID | None = connection.execute(image).scalar_one()
    return found
