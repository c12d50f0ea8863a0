"""Parts, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorCONFLICT, ErrorNOTFOUND

from tests.acceptance.v2.reporting import report
from tests.world import World

Fresh = Callable[[str], str]


def test_a_part_comes_with_a_first_revision(user: TofuPilot, world: World, fresh: Fresh) -> None:
    number = fresh("PN")
    made = user.parts.create(
        number=number, name="Main board", revision_number="REV-A", metadata={"layers": 4}
    )
    part = user.parts.get(number=number.lower()).model_dump()
    assert (part["id"], part["number"], part["name"]) == (made.id, number, "Main board")
    assert [revision["number"] for revision in part["revisions"]] == ["REV-A"]
    assert part["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert part["created_by_station"] is None
    assert part["metadata"] == {"layers": 4}


def test_a_station_creates_parts_too(station: TofuPilot, world: World, fresh: Fresh) -> None:
    number = fresh("PN")
    station.parts.create(number=number)
    part = station.parts.get(number=number).model_dump()
    assert (part["name"], [revision["number"] for revision in part["revisions"]]) == (number, ["A"])
    assert part["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert part["created_by_user"] is None


@pytest.mark.parametrize("number", ["a-b_c.d/e\\f", "(1) [2]", "部品-42", "🔧 tool"])
def test_odd_numbers_are_kept(wire: httpx.Client, fresh: Fresh, number: str) -> None:
    number = f"{fresh('PN')} {number}"
    assert wire.post("/parts", json={"number": number}).status_code == 200
    found = wire.get("/parts", params={"search_query": number}).json()["data"]
    assert [part["number"] for part in found] == [number]


def test_a_number_is_taken_whatever_its_case(user: TofuPilot, fresh: Fresh) -> None:
    number = fresh("PN")
    user.parts.create(number=number)
    with pytest.raises(ErrorCONFLICT, match="already exists"):
        user.parts.create(number=number.lower())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"number": ""}, "number"),
        ({"number": "   "}, "number"),
        ({"number": "x" * 61}, "60"),
        ({"number": "x", "name": "n" * 256}, "255"),
        ({"number": "x", "revision_number": "r" * 61}, "60"),
        ({"number": "nul\0"}, "number"),
        ({"number": "x", "metadata": {"no spaces": 1}}, "no spaces"),
        ({"number": "x", "metadata": {f"k{n}": n for n in range(51)}}, "50"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    wire: httpx.Client,
    body: dict[str, object],
    told: str,
    unchanged: Callable[[], AbstractContextManager[None]],
) -> None:
    with unchanged():
        answer = wire.post("/parts", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["code"], "validation" in said["message"]) == ("BAD_REQUEST", True)
    assert told in said["issues"][0]["message"]


def test_400_is_no_error_class_of_its_own_here(user: TofuPilot) -> None:
    with pytest.raises(APIError) as raised:
        user.parts.create(number="x" * 61)
    assert raised.value.status_code == 400


def test_pages_by_each_order(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("ORD")
    names = {f"{prefix}-b": "zeta", f"{prefix}-a": "alpha", f"{prefix}-c": "mid"}
    for number, name in names.items():
        user.parts.create(number=number, name=name)

    def numbers(**query: str) -> list[str]:
        found: list[str] = []
        cursor: int | None = None
        while True:
            page = user.parts.list(search_query=prefix, limit=1, cursor=cursor, **query)  # type: ignore[arg-type]  # plain data for typed dicts
            found += [part.number[-1] for part in page.data]
            if not page.meta.has_more:
                assert page.meta.next_cursor is None
                return found
            cursor = page.meta.next_cursor

    assert numbers() == ["c", "a", "b"]
    assert numbers(sort_by="created_at", sort_order="asc") == ["b", "a", "c"]
    assert numbers(sort_by="number", sort_order="asc") == ["a", "b", "c"]
    assert numbers(sort_by="name", sort_order="desc") == ["b", "c", "a"]


def test_pages_stay_true_while_parts_are_added(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("GROW")
    for number in range(4):
        user.parts.create(number=f"{prefix}-{number}")
    first = user.parts.list(search_query=prefix, limit=2)
    user.parts.create(number=f"{prefix}-late")
    second = user.parts.list(search_query=prefix, limit=2, cursor=first.meta.next_cursor)
    shown = [part.number[-1] for part in (*first.data, *second.data)]
    assert (shown, second.meta.has_more) == (["3", "2", "1", "0"], False)


def test_metadata_filters(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("META")
    user.parts.create(number=f"{prefix}-1", metadata={"layers": 4, "finish": "ENIG gold", "lead_free": True})
    user.parts.create(number=f"{prefix}-2", metadata={"layers": 8, "finish": "HASL", "lead_free": False})

    def found(**asked: dict[str, object]) -> list[str]:
        page = user.parts.list(
            search_query=prefix,
            metadata=asked,  # type: ignore[arg-type]  # plain data for typed dicts
            include_metadata=True,
            sort_order="asc",
        )
        assert all(part.metadata for part in page.data)
        return [part.number[-1] for part in page.data]

    assert found(layers={"gte": 4, "lt": 8}) == ["1"]
    assert found(layers={"eq": 8}) == ["2"]
    assert found(finish={"contains": "gold"}) == ["1"]
    assert found(finish={"in": ["HASL", "ENIG gold"]}) == ["1", "2"]
    assert found(lead_free={"eq": False}) == ["2"]
    assert found(layers={"gt": 1}, lead_free={"eq": True}) == ["1"]


def test_a_part_is_renumbered_renamed_and_annotated(user: TofuPilot, fresh: Fresh) -> None:
    number, new_number = fresh("PN"), fresh("PN")
    made = user.parts.create(number=number, metadata={"a": 1, "b": "two"})
    changed = user.parts.update(
        number=number, new_number=new_number, name="New", metadata={"a": None, "c": True}
    )
    assert (changed.id, changed.number, changed.name) == (made.id, new_number, "New")
    assert user.parts.get(number=new_number).metadata == {"b": "two", "c": True}
    assert user.parts.get(number=number).number == new_number


def test_an_old_number_leads_on(user: TofuPilot, world: World, wire: httpx.Client, fresh: Fresh) -> None:
    old, new, batch = fresh("PN"), fresh("PN"), fresh("LOT")
    for serial, number in ((fresh("SN"), old), (fresh("SN"), old.lower())):
        report(user, world.acme.board.id, serial, part_number=number, batch_number=batch)
        if number == old:
            user.parts.update(number=old, new_number=new)
    assert {unit.part.number for unit in user.units.list(part_numbers=[new]).data} == {new}
    for path in ("/units", "/runs", "/batches"):
        of_old, of_new = (
            [row["id"] for row in wire.get(path, params={"part_numbers": one}).json()["data"]]
            for one in (old, new)
        )
        assert len(of_new) == (1 if path == "/batches" else 2)
        assert of_old == of_new
    assert [one.number for one in user.parts.list(search_query=old).data] == [new]
    assert user.parts.revisions.get(part_number=old, revision_number="A").part.number == new
    # No other part gets it, by any of its names; the part itself does.
    for taken in (old, old.lower()):
        refused = wire.post("/parts", json={"number": taken})
        assert (refused.status_code, f"was that of part {new}" in refused.json()["message"]) == (409, True)
    assert user.parts.update(number=old, new_number=old).number == old
    assert user.parts.get(number=new).number == old


def test_the_number_of_another_part_is_refused_its_own_is_not(user: TofuPilot, fresh: Fresh) -> None:
    one, two = fresh("PN"), fresh("PN")
    user.parts.create(number=one)
    user.parts.create(number=two)
    with pytest.raises(ErrorCONFLICT):
        user.parts.update(number=one, new_number=two.lower())
    assert user.parts.update(number=one, new_number=one.lower()).number == one.lower()


def test_an_empty_change_is_refused(user: TofuPilot, fresh: Fresh) -> None:
    number = fresh("PN")
    user.parts.create(number=number)
    with pytest.raises(APIError) as raised:
        user.parts.update(number=number)
    assert raised.value.status_code == 400


def test_a_deleted_part_is_gone_with_its_revisions(user: TofuPilot, fresh: Fresh) -> None:
    number = fresh("PN")
    made = user.parts.create(number=number)
    deleted = user.parts.delete(number=number)
    assert (deleted.id, len(deleted.deleted_revision_ids)) == (made.id, 1)
    with pytest.raises(ErrorNOTFOUND):
        user.parts.delete(number=number)


def test_stations_may_not_change_or_delete_even_what_is_not_there(station: TofuPilot) -> None:
    for call in (
        lambda: station.parts.update(number="nowhere"),
        lambda: station.parts.delete(number="nowhere"),
    ):
        with pytest.raises(APIError) as raised:
            call()
        assert raised.value.status_code == 403
        assert "Stations cannot" in str(raised.value)
