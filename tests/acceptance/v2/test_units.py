"""Units, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorCONFLICT, ErrorNOTFOUND

from runcard.store.engine.database import Database
from tests.acceptance.conftest import Policy
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.floor import Part, make_part, moves_of, unit_of
from tests.acceptance.v2.reporting import STARTED_AT, report
from tests.world import World

Fresh = Callable[[str], str]
Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def part(user: TofuPilot) -> Part:
    return make_part(user)


def test_a_unit_comes_back_as_it_was_created(user: TofuPilot, part: Part, world: World, fresh: Fresh) -> None:
    serial = fresh("SN")
    made = user.units.create(
        serial_number=f" {serial} ",
        part_number=part.number.lower(),
        revision_number="b",
        sample="golden",
        metadata={"colour": "green", "weight": 1.5, "coated": True},
    )
    unit = unit_of(user, serial.lower())
    assert (unit["id"], unit["serial_number"], unit["sample"]) == (made.id, serial, "golden")
    assert (unit["part"]["number"], unit["part"]["name"]) == (part.number, "Main board")
    assert unit["part"]["revision"]["number"] == "B"
    assert unit["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert unit["metadata"] == {"colour": "green", "weight": 1.5, "coated": True}
    assert unit["children"] == unit["attachments"] == []
    for name in ("parent", "batch", "created_by_station", "created_during"):
        assert unit[name] is None, name


def test_a_station_creates_and_changes_units_too(
    station: TofuPilot, part: Part, world: World, fresh: Fresh
) -> None:
    serial, new_serial = fresh("SN"), fresh("SN")
    station.units.create(serial_number=serial, part_number=part.number, revision_number="A")
    station.units.update(
        serial_number=serial, new_serial_number=new_serial, revision_number="B", batch_number=fresh("LOT")
    )
    unit = unit_of(station, new_serial)
    assert unit["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert unit["created_by_user"] is None
    assert unit["part"]["revision"]["number"] == "B"


def test_a_unit_that_a_run_named_first_shows_that_run(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial = fresh("SN")
    run_id = report(user, world.acme.board.id, serial, outcome="FAIL")
    report(user, world.acme.board.id, serial)
    run = unit_of(user, serial)["created_during"]
    assert (run["id"], run["outcome"], run["duration"]) == (run_id, "FAIL", "PT5M")
    assert run["started_at"] == STARTED_AT
    assert run["procedure"] == {"id": str(world.acme.board.id), "name": "Board"}
    user.runs.delete(ids=[run_id])
    assert unit_of(user, serial)["created_during"] is None


@pytest.mark.parametrize("serial", ["a-b_C", "with/slash", "with space", "部品 42", "1" * 60])
def test_odd_serial_numbers_are_kept(wire: httpx.Client, part: Part, fresh: Fresh, serial: str) -> None:
    serial = f"{fresh('')}{serial}"[-60:].strip()
    body = {"serial_number": serial, "part_number": part.number, "revision_number": "A"}
    assert wire.post("/units", json=body).status_code == 200
    assert wire.get(f"/units/{serial}").json()["serial_number"] == serial
    assert wire.get(f"/units/{serial.replace('/', '%2F')}").json()["serial_number"] == serial


@pytest.mark.parametrize(("of_part", "revision"), [("mine", "Z"), ("nowhere", "A")])
def test_part_and_revision_must_be_there(
    user: TofuPilot, part: Part, fresh: Fresh, of_part: str, revision: str, unchanged: Unchanged
) -> None:
    number = part.number if of_part == "mine" else fresh("PN")
    with unchanged(), pytest.raises(ErrorNOTFOUND, match=r"(?i)revision"):
        user.units.create(serial_number=fresh("SN"), part_number=number, revision_number=revision)


def test_a_serial_number_is_taken_whatever_its_case(user: TofuPilot, part: Part) -> None:
    serial = part.unit()
    with pytest.raises(ErrorCONFLICT, match=r"serial number .* already exists"):
        part.unit(serial.lower())
    assert unit_of(user, serial)["serial_number"] == serial


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"serial_number": ""}, "serial_number"),
        ({"serial_number": " \t"}, "serial_number"),
        ({"serial_number": "s" * 61}, "60"),
        ({"serial_number": "nul\0"}, "serial_number"),
        ({"serial_number": 7}, "serial_number"),
        ({"part_number": ""}, "part_number"),
        ({"revision_number": "r" * 61}, "revision_number"),
        ({"sample": "broken"}, "sample"),
        ({"metadata": {"no spaces": 1}}, "no spaces"),
        ({"metadata": {"nested": {"a": 1}}}, "metadata"),
        ({"metadata": {f"k{n}": n for n in range(51)}}, "50"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    wire: httpx.Client, part: Part, fresh: Fresh, change: dict[str, Any], told: str, unchanged: Unchanged
) -> None:
    body = {"serial_number": fresh("SN"), "part_number": part.number, "revision_number": "A"} | change
    with unchanged():
        answer = wire.post("/units", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["code"], said["message"]) == ("BAD_REQUEST", "Input validation failed")
    assert told in said["issues"][0]["message"]


def test_400_is_no_error_class_of_its_own_here(user: TofuPilot, part: Part) -> None:
    with pytest.raises(APIError, match="validation") as raised:
        part.unit("s" * 61)
    assert raised.value.status_code == 400


@pytest.mark.parametrize("serial", ["nowhere", "x" * 2000, "../units"])
def test_unknown_units_are_not_found(wire: httpx.Client, serial: str, unchanged: Unchanged) -> None:
    path = f"/units/{serial.replace('..', '%2E%2E')}"
    with unchanged():
        for answer in (wire.get(path), wire.patch(path, json={"sample": "golden"})):
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_unknown_units_are_typed(user: TofuPilot, station: TofuPilot, fresh: Fresh) -> None:
    for client in (user, station):
        with pytest.raises(ErrorNOTFOUND):
            client.units.get(serial_number=fresh("SN"))
        with pytest.raises(ErrorNOTFOUND):
            client.units.update(serial_number=fresh("SN"), new_serial_number=fresh("SN"))


def test_policies_hold_for_stations(
    user: TofuPilot, station: TofuPilot, part: Part, fresh: Fresh, policy: Policy
) -> None:
    serial = part.unit()
    with policy(station_may_create_units=False, station_may_create_batches=False):
        with pytest.raises(APIError, match="Unit creation failed"):
            station.units.create(serial_number=fresh("SN"), part_number=part.number, revision_number="A")
        with pytest.raises(APIError, match="Batch creation failed"):
            station.units.update(serial_number=serial, batch_number=fresh("LOT"))
        known = fresh("LOT")
        user.units.update(serial_number=serial, batch_number=known)
        station.units.update(serial_number=part.unit(), batch_number=known)


def test_a_renamed_unit_keeps_all_else_and_runs_find_it(
    user: TofuPilot, part: Part, world: World, fresh: Fresh
) -> None:
    serial, new_serial = fresh("SN"), fresh("SN")
    made = report(user, world.acme.board.id, serial, part_number=part.number)
    changed = user.units.update(serial_number=serial, new_serial_number=new_serial)
    assert user.runs.get(id=made).unit.serial_number == new_serial
    assert user.units.get(serial_number=serial).serial_number == new_serial, "the old number leads on"
    again = report(user, world.acme.board.id, new_serial, part_number=part.number)
    assert user.runs.get(id=again).unit.id == changed.id
    # So does a station that still has the old number.
    late = report(user, world.acme.board.id, serial, part_number=part.number)
    assert user.runs.get(id=late).unit.id == changed.id


def test_the_serial_number_of_another_is_refused_its_own_is_not(user: TofuPilot, part: Part) -> None:
    one, two = part.unit(), part.unit()
    with pytest.raises(ErrorCONFLICT):
        user.units.update(serial_number=one, new_serial_number=two.lower(), sample="golden")
    assert unit_of(user, one)["sample"] is None
    user.units.update(serial_number=one, new_serial_number=one.lower())
    assert unit_of(user, one)["serial_number"] == one.lower()


def test_a_unit_moves_to_another_part_and_revision_with_a_trace(
    user: TofuPilot, part: Part, record: Database
) -> None:
    serial, other = part.unit(), make_part(user)
    user.units.update(serial_number=serial, part_number=other.number, revision_number="B")
    assert unit_of(user, serial)["part"]["number"] == other.number
    user.units.update(serial_number=serial, revision_number="A")
    user.units.update(serial_number=serial, part_number=part.number)
    shown = unit_of(user, serial)["part"]
    assert (shown["number"], shown["revision"]["number"]) == (part.number, "A")
    assert moves_of(record, serial) == [("revision", True, True)] * 3


def test_unknown_places_are_not_found(
    user: TofuPilot, part: Part, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial, bare = part.unit(revision_number="B"), fresh("PN")
    user.parts.create(number=bare, revision_number="A")
    changes: list[dict[str, Any]] = [
        {"part_number": fresh("PN")},
        {"revision_number": "Z"},
        # The other part has no revision B, which the unit would keep.
        {"part_number": bare},
    ]
    for change in changes:
        with unchanged(), pytest.raises(ErrorNOTFOUND):
            user.units.update(serial_number=serial, sample="golden", **change)


def test_batches_are_given_made_and_taken_away(
    user: TofuPilot, part: Part, fresh: Fresh, record: Database
) -> None:
    serial, known, unheard = part.unit(), fresh("LOT"), fresh("LOT")
    batch = user.batches.create(number=known)
    user.units.update(serial_number=serial, batch_number=known.lower())
    assert unit_of(user, serial)["batch"] == {"id": batch.id, "number": known}
    user.units.update(serial_number=serial, sample="golden")
    assert unit_of(user, serial)["batch"] is not None
    user.units.update(serial_number=serial, batch_number=unheard)
    assert user.batches.get(number=unheard).units[0].serial_number == serial
    user.units.update(serial_number=serial, batch_number=None)
    assert unit_of(user, serial)["batch"] is None
    assert moves_of(record, serial) == [("batch", False, True), ("batch", True, True), ("batch", True, False)]


def test_sample_and_metadata_change_and_go_away(user: TofuPilot, part: Part) -> None:
    serial = part.unit(metadata={"a": 1, "b": "two"})
    user.units.update(serial_number=serial, sample="failing", metadata={"a": None, "c": True})
    unit = unit_of(user, serial)
    assert (unit["sample"], unit["metadata"]) == ("failing", {"b": "two", "c": True})
    user.units.update(serial_number=serial, sample=None)
    unit = unit_of(user, serial)
    assert (unit["sample"], unit["metadata"]) == (None, {"b": "two", "c": True})


def test_runs_keep_the_class_of_their_time_where_that_is_asked_for(
    user: TofuPilot, wire: httpx.Client, part: Part, world: World
) -> None:
    serial = part.unit()

    def run() -> str:
        return str(report(user, world.acme.board.id, serial))

    def golden() -> set[str]:
        return {one.id for one in user.runs.list(serial_numbers=[serial], samples=["golden"]).data}

    first = run()
    later = {"sample": "golden", "sample_applies_to": "later_runs"}
    assert wire.patch(f"/units/{serial}", json=later).status_code == 200
    assert golden() == set()
    second = run()
    assert golden() == {second}
    user.units.update(serial_number=serial, sample="golden")  # as the client has it: the unit is one
    assert golden() == {first, second}
    assert user.runs.get(id=first).unit.sample == "golden"


def test_a_change_of_nothing_changes_nothing(wire: httpx.Client, part: Part, unchanged: Unchanged) -> None:
    serial = part.unit()
    with unchanged():
        assert wire.patch(f"/units/{serial}", json={}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"new_serial_number": ""},
        {"new_serial_number": "s" * 61},
        {"new_serial_number": None},
        {"batch_number": ""},
        {"batch_number": "b" * 101},
        {"sample": "broken"},
        {"attachments": ["no id"]},
        {"metadata": {"key": "x" * 50_001}},
        {"metadata": {"key": [1]}},
    ],
)
def test_bad_changes_are_told_and_change_nothing(
    wire: httpx.Client, part: Part, change: dict[str, Any], unchanged: Unchanged
) -> None:
    serial = part.unit()
    with unchanged():
        answer = wire.patch(f"/units/{serial}", json={"sample": "golden"} | change)
    assert answer.status_code == 400
    assert next(iter(change)) in answer.json()["issues"][0]["message"]


def test_a_part_way_change_is_undone(user: TofuPilot, part: Part, unchanged: Unchanged) -> None:
    serial = part.unit()
    with unchanged(), pytest.raises(ErrorNOTFOUND):
        user.units.update(
            serial_number=serial,
            revision_number="B",
            batch_number="NEW",
            attachments=["00000000-0000-7000-8000-000000000000"],
        )
    # Neither is what was undone remembered.
    user.units.update(serial_number=serial, batch_number="NEW")
    assert unit_of(user, serial)["part"]["revision"]["number"] == "A"


def test_deleted_units_are_gone(user: TofuPilot, part: Part) -> None:
    one, two = part.unit(metadata={"a": 1}), part.unit()
    ids = [unit_of(user, serial)["id"] for serial in (one, two)]
    assert user.units.delete(serial_numbers=[one, two.lower(), one]).id == ids
    for serial in (one, two):
        with pytest.raises(ErrorNOTFOUND):
            user.units.get(serial_number=serial)
    part.unit(one)
    assert unit_of(user, one)["metadata"] == {}


def test_several_units_are_deleted_all_or_none(
    user: TofuPilot, part: Part, fresh: Fresh, unchanged: Unchanged
) -> None:
    one, two = part.unit(), part.unit()
    with unchanged(), pytest.raises(ErrorNOTFOUND):
        user.units.delete(serial_numbers=[one, fresh("SN"), two])


def test_units_with_runs_are_deleted_with_them_only_when_asked_to(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial = fresh("SN")
    runs = [report(user, world.acme.board.id, serial) for _ in range(3)]
    with unchanged():
        with pytest.raises(APIError, match="still has 3 runs") as raised:
            user.units.delete(serial_numbers=[serial])
        assert raised.value.status_code == 409
    answer = wire.delete("/units", params={"serial_numbers": serial, "cascade": "true"})
    assert answer.status_code == 200
    with pytest.raises(ErrorNOTFOUND):
        user.runs.get(id=runs[0])
    assert user.runs.list(serial_numbers=[serial]).data == []


def test_children_of_a_deleted_unit_stay_and_lose_their_parent(
    user: TofuPilot, part: Part, world: World, record: Database
) -> None:
    parent, grandparent, child = part.unit(), part.unit(), part.unit()
    user.units.add_child(serial_number=grandparent, child_serial_number=parent)
    user.units.add_child(serial_number=parent, child_serial_number=child)
    # A run moves the child away, which keeps the deleted unit as where it was before.
    run_id = report(user, world.acme.board.id, grandparent, sub_units=[child])
    user.units.add_child(serial_number=parent, child_serial_number=child)
    user.units.delete(serial_numbers=[parent])
    assert unit_of(user, child)["parent"] is None
    assert moves_of(record, child)[-1] == ("parent", True, False)
    assert unit_of(user, grandparent)["children"] == []
    assert [one.serial_number for one in user.runs.get(id=run_id).sub_units or []] == [child]


@pytest.mark.parametrize("query", ["", "serial_numbers=", "serial_numbers=%20"])
def test_to_delete_nothing_is_refused(wire: httpx.Client, query: str, unchanged: Unchanged) -> None:
    with unchanged():
        answer = wire.delete(f"/units?{query}")
    assert answer.status_code == 400
    assert "serial_numbers" in answer.json()["issues"][0]["message"]


def test_stations_may_not_delete_even_what_is_not_there(station: TofuPilot, fresh: Fresh) -> None:
    for serials in ([fresh("SN")], []):
        with pytest.raises(APIError, match="Stations cannot delete units") as raised:
            station.units.delete(serial_numbers=serials)
        assert raised.value.status_code == 403


def test_viewers_only_read(sdk: Sdk, world: World, part: Part, unchanged: Unchanged) -> None:
    viewer, serial, child = sdk(world.acme.viewer.api_key), part.unit(), part.unit()
    assert viewer.units.get(serial_number=serial).serial_number == serial
    with unchanged():
        for call in (
            lambda: viewer.units.update(serial_number=serial, sample="golden"),
            lambda: viewer.units.delete(serial_numbers=[serial]),
            lambda: viewer.units.add_child(serial_number=serial, child_serial_number=child),
            lambda: viewer.units.create_attachment(serial_number=serial, name="a.txt"),
            lambda: Part(part.number, viewer).unit(),
        ):
            with pytest.raises(APIError, match="FORBIDDEN"):
                call()


def test_another_organization_sees_and_changes_nothing(
    other: TofuPilot, part: Part, unchanged: Unchanged
) -> None:
    serial = part.unit()
    with unchanged():
        for call in (
            lambda: other.units.get(serial_number=serial),
            lambda: other.units.update(serial_number=serial, sample="golden"),
            lambda: other.units.delete(serial_numbers=[serial]),
            lambda: Part(part.number, other).unit(),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()
    abroad = make_part(other)
    assert abroad.unit(serial) == serial
    assert unit_of(other, serial)["id"] != unit_of(part.client, serial)["id"]
