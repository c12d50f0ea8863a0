"""Lists of units, as the official client filters, sorts and pages them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.v2.floor import Part, make_part
from tests.acceptance.v2.reporting import STARTED_AT, report
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def part(user: TofuPilot) -> Part:
    return make_part(user)


class Floor(NamedTuple):
    """Four units, by the letter that their serial numbers end in, in order of creation.

    a: never tested; golden. b: failed on Board, passed on Final a day later. c: of revision B and in the batch; passed
    on Final two days later. d: part of c, and made by the station; failed on Board three days later.
    """

    prefix: str
    part: Part
    batch: str
    ids: dict[str, str]

    def serials(self, letters: str) -> list[str]:
        return [f"{self.prefix}-{letter}" for letter in letters]


@pytest.fixture(scope="module")
def floor(user: TofuPilot, station: TofuPilot, world: World, part: Part) -> Floor:
    prefix, batch = f"L-{uuid4().hex[:8]}", f"LOT-{uuid4().hex[:8]}"
    board, final = world.acme.board.id, world.acme.final.id

    def run(letter: str, procedure_id: object, days: int, outcome: str) -> None:
        started_at = STARTED_AT + timedelta(days=days)
        times = {"started_at": started_at, "ended_at": started_at + timedelta(minutes=1)}
        serial = f"{prefix}-{letter}"
        report(user, procedure_id, serial, outcome=outcome, part_number=part.number, **times)

    part.unit(f"{prefix}-a", sample="golden", metadata={"rev": 1, "note": "first one"})
    part.unit(f"{prefix}-b", metadata={"rev": 2})
    # Reported in the other order than they were made in.
    run("b", final, 1, "PASS")
    run("b", board, 0, "FAIL")
    part.unit(f"{prefix}-c", revision_number="B")
    user.units.update(serial_number=f"{prefix}-c", batch_number=batch)
    run("c", final, 2, "PASS")
    Part(part.number, station).unit(f"{prefix}-d")
    run("d", board, 3, "FAIL")
    user.units.add_child(serial_number=f"{prefix}-c", child_serial_number=f"{prefix}-d")
    ids = {unit.serial_number[-1]: unit.id for unit in user.units.list(search_query=prefix).data}
    return Floor(prefix, part, batch, ids)


@pytest.fixture
def found(user: TofuPilot, floor: Floor) -> Callable[..., str]:
    """The letters of the floor's units that a query finds, in its order; oldest first unless it says otherwise."""

    def listed(**asked: Any) -> str:
        query = {"search_query": floor.prefix, "sort_order": "asc"} | asked
        return "".join(unit.serial_number[-1] for unit in user.units.list(**query).data)

    return listed


def test_an_item_says_what_a_unit_is(user: TofuPilot, floor: Floor, world: World) -> None:
    page = user.units.list(search_query=floor.prefix)
    a, b, c, d = (unit.model_dump() for unit in reversed(page.data))
    assert (a["sample"], a["children"]) == ("golden", [])
    for name in ("last_run", "parent", "batch", "created_by_station"):
        assert a[name] is None, name
    assert a["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert (b["last_run"]["outcome"], b["last_run"]["procedure"]["name"]) == ("PASS", "Final")
    assert b["last_run"]["started_at"] == STARTED_AT + timedelta(days=1)
    assert b["last_run"]["ended_at"] == STARTED_AT + timedelta(days=1, minutes=1)
    assert (c["part"]["number"], c["part"]["name"]) == (floor.part.number, "Main board")
    assert (c["part"]["revision"]["number"], c["batch"]["number"]) == ("B", floor.batch)
    assert c["children"] == [{"id": d["id"], "serial_number": d["serial_number"]}]
    assert d["parent"] == {"id": c["id"], "serial_number": c["serial_number"]}
    assert d["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert d["created_by_user"] is None


def test_orders(found: Callable[..., str]) -> None:
    assert found(sort_order="desc") == "dcba"
    assert found() == found(sort_by="created_at") == "abcd"
    assert found(sort_by="serial_number") == "abcd"
    assert found(sort_by="serial_number", sort_order="desc") == "dcba"
    # One that never ran is before all others, and equal ones stand in order of creation.
    assert found(sort_by="last_run_at") == "abcd"
    assert found(sort_by="last_run_at", sort_order="desc") == "dcba"
    assert found(sort_by="last_run_procedure") == "adbc"
    assert found(sort_by="last_run_procedure", sort_order="desc") == "cbda"


def test_order_by_part(user: TofuPilot, fresh: Fresh) -> None:
    prefix, high, low = fresh("ORD"), fresh("Z"), fresh("A")
    for number in (high, low):
        user.parts.create(number=number, revision_number="A")
    for letter, number in (("a", high), ("b", low), ("c", high)):
        Part(number, user).unit(f"{prefix}-{letter}")

    def listed(**asked: Any) -> str:
        page = user.units.list(search_query=prefix, sort_by="part_number", **asked)
        return "".join(unit.serial_number[-1] for unit in page.data)

    assert (listed(sort_order="asc"), listed(sort_order="desc")) == ("bac", "cab")


def test_filters_by_what_a_unit_is(found: Callable[..., str], floor: Floor, world: World) -> None:
    assert found(search_query=f"{floor.prefix}-B".upper()) == "b"
    assert found(ids=[floor.ids["c"], floor.ids["a"]]) == "ac"
    assert found(search_query="", serial_numbers=[s.upper() for s in floor.serials("bd")]) == "bd"
    assert found(batch_numbers=[floor.batch.lower()]) == "c"
    assert found(samples=["golden"]) == "a"
    assert found(samples=["production"]) == "bcd"
    assert found(samples=["production", "golden"]) == "abcd"
    assert found(samples=["failing", "ignored"]) == ""
    assert found(exclude_units_with_parent=True) == "abc"
    assert found(created_by_user_ids=[str(world.acme.engineer.actor.user_id)]) == "abc"
    assert found(created_by_station_ids=[str(world.acme.ict.actor.station_id)]) == "d"
    assert found(created_by_user_ids=[str(uuid4())]) == ""


def test_filters_by_part_and_revision(user: TofuPilot, fresh: Fresh) -> None:
    one, two, prefix = make_part(user), make_part(user), fresh("PRT")
    one.unit(f"{prefix}-a")
    one.unit(f"{prefix}-b", revision_number="B")
    two.unit(f"{prefix}-c", revision_number="B")

    def listed(**asked: Any) -> str:
        page = user.units.list(search_query=prefix, sort_order="asc", **asked)
        return "".join(unit.serial_number[-1] for unit in page.data)

    assert listed(part_numbers=[one.number.lower()]) == "ab"
    assert listed(part_numbers=[one.number, two.number]) == "abc"
    assert listed(revision_numbers=["b"]) == "bc"
    assert listed(part_numbers=[one.number], revision_numbers=["B"]) == "b"
    assert listed(part_numbers=["nowhere"]) == ""


def test_filters_by_runs(found: Callable[..., str], world: World) -> None:
    board, final = str(world.acme.board.id), str(world.acme.final.id)
    assert found(procedure_ids=[board]) == "bd"
    assert found(procedure_ids=[board, final]) == "bcd"
    assert found(outcomes=["FAIL"]) == "bd"
    assert found(outcomes=["FAIL"], procedure_ids=[final]) == ""
    assert found(started_after=STARTED_AT + timedelta(days=2)) == "cd"
    assert found(started_before=STARTED_AT) == "b"
    assert (
        found(started_after=STARTED_AT + timedelta(hours=1), started_before=STARTED_AT + timedelta(days=2))
        == "bc"
    )
    assert found(started_before=datetime(2026, 3, 2, 8, 30)) == "b"  # noqa: DTZ001 (clients send some without a zone)


def test_only_the_latest_run_counts_when_asked_for(found: Callable[..., str], world: World) -> None:
    assert found(latest_only=True) == "abcd"
    assert found(latest_only=True, outcomes=["FAIL"]) == "d"
    assert found(latest_only=True, outcomes=["PASS"]) == "bc"
    assert found(latest_only=True, procedure_ids=[str(world.acme.board.id)]) == "d"
    assert found(latest_only=True, started_before=STARTED_AT + timedelta(days=1)) == "b"


def test_filters_by_number_of_runs(found: Callable[..., str]) -> None:
    assert found(run_count_min=1) == "bcd"
    assert found(run_count_min=2) == "b"
    assert found(run_count_max=0) == "a"
    assert found(run_count_min=0, run_count_max=1) == "acd"
    assert found(run_count_min=3) == ""


def test_filters_by_time_of_creation(user: TofuPilot, found: Callable[..., str], floor: Floor) -> None:
    (b,) = user.units.list(serial_numbers=floor.serials("b")).data
    assert found(created_after=b.created_at) == "bcd"
    assert found(created_before=b.created_at) == "ab"
    assert found(created_after=datetime.now(UTC) + timedelta(days=1)) == ""


def test_metadata_is_filtered_and_shown(user: TofuPilot, floor: Floor, found: Callable[..., str]) -> None:
    assert found(metadata={"rev": {"gte": 1, "lt": 2}}) == "a"
    assert found(metadata={"rev": {"gte": 1}}) == "ab"
    assert found(metadata={"note": {"contains": "FIRST"}, "rev": {"eq": 1}}) == "a"
    page = user.units.list(search_query=floor.prefix, include_metadata=True, sort_order="asc")
    assert [unit.metadata for unit in page.data] == [{"rev": 1, "note": "first one"}, {"rev": 2}, {}, {}]


def test_pages_stay_true_while_units_come_and_change(user: TofuPilot, part: Part, fresh: Fresh) -> None:
    prefix = fresh("GROW")
    for number in range(5):
        part.unit(f"{prefix}-{number}")
    first = user.units.list(search_query=prefix, limit=2)
    part.unit(f"{prefix}-late")
    user.units.update(serial_number=f"{prefix}-0", sample="golden")
    second = user.units.list(search_query=prefix, limit=2, cursor=first.meta.next_cursor)
    third = user.units.list(search_query=prefix, limit=2, cursor=second.meta.next_cursor)
    shown = [unit.serial_number[-1] for page in (first, second, third) for unit in page.data]
    assert shown == ["4", "3", "2", "1", "0"]
    assert (second.meta.has_more, third.meta.has_more, third.meta.next_cursor) == (True, False, None)


def test_units_are_listed_at_once_by_either_key(user: TofuPilot, station: TofuPilot, part: Part) -> None:
    serial = part.unit()
    for client in (user, station):
        assert [unit.serial_number for unit in client.units.list(serial_numbers=[serial]).data] == [serial]
        assert client.units.list(limit=1).data[0].serial_number == serial


def test_another_organization_sees_none(other: TofuPilot, floor: Floor) -> None:
    assert other.units.list(search_query=floor.prefix).data == []
    assert other.units.list(ids=list(floor.ids.values())).data == []
    assert other.units.list(serial_numbers=floor.serials("abcd")).data == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("sort_by=colour", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("ids=x", "ids"),
        ("outcomes=GOOD", "outcomes"),
        ("samples=silver", "samples"),
        ("started_after=yesterday", "started_after"),
        ("started_before=0001-01-01T00:00:00%2B14:00", "started_before"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
        ("run_count_min=-1", "run_count_min"),
        ("run_count_max=99999999999999999999999", "run_count_max"),
        ("latest_only=maybe", "latest_only"),
        ("metadata={", "metadata"),
        ("search_query=%00", "search_query"),
        ("serial_numbers=a%00b", "serial_numbers"),
    ],
)
def test_bad_queries_are_told(wire: httpx.Client, query: str, told: str) -> None:
    answer = wire.get(f"/units?{query}")
    assert answer.status_code == 400
    assert told in answer.json()["issues"][0]["message"]


@pytest.mark.parametrize("text", ["%25", "_", "\\", "'", "%F0%9F%94%A7", "x" * 2000, "%27%3B--"])
def test_odd_texts_find_nothing(wire: httpx.Client, text: str) -> None:
    for parameter in ("search_query", "serial_numbers", "part_numbers", "revision_numbers", "batch_numbers"):
        answer = wire.get(f"/units?{parameter}=qqq{text}")
        assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_blank_parameters_ask_for_nothing(wire: httpx.Client) -> None:
    blank = "search_query=&metadata=&ids=&outcomes=&started_after=&run_count_min=&sort_by=&limit=1.0"
    assert len(wire.get(f"/units?{blank}").json()["data"]) == 1
