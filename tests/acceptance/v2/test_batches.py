"""Batches, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorCONFLICT, ErrorNOTFOUND

from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, runs, unit_moves
from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.reporting import report
from tests.acceptance.wire import create_run, run_of
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture
def batch(user: TofuPilot, fresh: Fresh) -> str:
    """The number of a batch without units."""
    number = fresh("LOT")
    user.batches.create(number=number)
    return number


def test_a_batch_is_read_as_it_was_made(user: TofuPilot, world: World, fresh: Fresh) -> None:
    number = fresh("Lot")
    made = user.batches.create(number=number)
    batch = user.batches.get(number=number.lower()).model_dump()
    assert (batch["id"], batch["number"], batch["units"]) == (made.id, number, [])
    assert batch["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert batch["created_by_station"] is None
    (listed,) = user.batches.list(ids=[made.id]).model_dump()["data"]
    assert listed == {**{name: batch[name] for name in batch if name != "units"}, "unit_count": 0}


def test_a_station_creates_and_reads_batches_too(station: TofuPilot, world: World, fresh: Fresh) -> None:
    number = fresh("LOT")
    station.batches.create(number=number)
    batch = station.batches.get(number=number).model_dump()
    assert batch["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert batch["created_by_user"] is None
    assert len(station.batches.list(numbers=[number]).data) == 1


def test_a_viewer_reads_only(sdk: Sdk, world: World, batch: str, unchanged: Unchanged) -> None:
    viewer = sdk(world.acme.viewer.api_key)
    assert viewer.batches.get(number=batch).number == batch
    for call in (
        lambda: viewer.batches.create(number="new"),
        lambda: viewer.batches.update(number=batch, new_number="new"),
        lambda: viewer.batches.delete(number=batch),
    ):
        with unchanged(), pytest.raises(APIError, match=r"permission|viewer") as raised:
            call()
        assert raised.value.status_code == 403


def test_units_are_shown_with_their_part(user: TofuPilot, world: World, batch: str, fresh: Fresh) -> None:
    number, serials = fresh("PN"), [fresh("SN"), fresh("SN")]
    for serial in serials:
        report(
            user,
            world.acme.board.id,
            serial,
            part_number=number,
            revision_number="R2",
            batch_number=batch.lower(),
        )
    part = user.parts.get(number=number)
    shown = user.batches.get(number=batch).model_dump()["units"]
    assert [unit["serial_number"] for unit in shown] == serials[::-1]
    revision = next(one for one in part.revisions if one.number == "R2")
    assert shown[0]["part"] == {
        "id": part.id,
        "number": number,
        "name": number,
        "revision": {"id": revision.id, "number": "R2"},
    }
    assert user.batches.list(numbers=[batch]).data[0].unit_count == 2


@pytest.mark.parametrize("number", ["a", "7", "A-b_9", "0123456789" * 10])
def test_letters_digits_and_two_marks_make_a_number(other: TofuPilot, number: str) -> None:
    other.batches.create(number=number)
    assert other.batches.get(number=number).number == number
    other.batches.delete(number=number)


@pytest.mark.parametrize(
    "number", ["", " ", "x" * 101, "é", "批", *(f"a{mark}b" for mark in "/\\ ()[]#@&=,;\"'\0")]
)
def test_other_numbers_are_refused(user: TofuPilot, batch: str, number: str, unchanged: Unchanged) -> None:
    with unchanged():
        with pytest.raises(ErrorBADREQUEST, match=r"validation failed.*[Nn]umber"):
            user.batches.create(number=number)
        with pytest.raises(APIError) as raised:
            user.batches.update(number=batch, new_number=number)
    assert raised.value.status_code == 400


@pytest.mark.parametrize("body", [{}, {"number": None}, {"number": 1}, [], "x"])
def test_a_body_without_a_number_is_refused(wire: httpx.Client, body: object, unchanged: Unchanged) -> None:
    with unchanged():
        answer = wire.post("/batches", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_a_number_is_taken_whatever_its_case(user: TofuPilot, batch: str) -> None:
    with pytest.raises(ErrorCONFLICT, match="already exists"):
        user.batches.create(number=batch.lower())


def test_an_unknown_batch_is_not_found(user: TofuPilot, station: TofuPilot, unchanged: Unchanged) -> None:
    calls = (
        lambda: user.batches.get(number="nowhere"),
        lambda: station.batches.get(number="nowhere"),
        lambda: user.batches.update(number="nowhere", new_number="new"),
        lambda: user.batches.delete(number="nowhere"),
    )
    with unchanged():
        for call in calls:
            with pytest.raises(ErrorNOTFOUND, match="not found"):
                call()


def test_pages_by_each_order(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("ORD")
    for end in "bac":
        user.batches.create(number=f"{prefix}-{end}")

    def numbers(**query: str) -> list[str]:
        found: list[str] = []
        cursor: int | None = None
        while True:
            page = user.batches.list(search_query=prefix.lower(), limit=1, cursor=cursor, **query)  # type: ignore[arg-type]  # plain data for typed dicts
            found += [batch.number[-1] for batch in page.data]
            if not page.meta.has_more:
                assert page.meta.next_cursor is None
                return found
            cursor = page.meta.next_cursor

    assert numbers() == ["c", "a", "b"]
    assert numbers(sort_by="created_at", sort_order="asc") == ["b", "a", "c"]
    assert numbers(sort_by="number", sort_order="asc") == ["a", "b", "c"]
    assert numbers(sort_by="number") == ["c", "b", "a"]


def test_pages_stay_true_while_batches_are_added(user: TofuPilot, world: World, fresh: Fresh) -> None:
    prefix = fresh("GROW")
    for number in range(4):
        user.batches.create(number=f"{prefix}-{number}")
    first = user.batches.list(search_query=prefix, limit=2)
    user.batches.create(number=f"{prefix}-late")
    report(user, world.acme.board.id, fresh("SN"), batch_number=f"{prefix}-later")
    second = user.batches.list(search_query=prefix, limit=2, cursor=first.meta.next_cursor)
    shown = [batch.number[-1] for batch in (*first.data, *second.data)]
    assert (shown, second.meta.has_more) == (["3", "2", "1", "0"], False)


def test_filters(user: TofuPilot, world: World, fresh: Fresh) -> None:
    prefix, part, another = fresh("LOT"), fresh("PN"), fresh("PN")
    ids = {end: user.batches.create(number=f"{prefix}-{end}").id for end in "ABC"}
    units = (("A", part, "R1"), ("B", part, "R2"), ("B", another, "R1"))
    for end, number, revision in units:
        report(
            user,
            world.acme.board.id,
            fresh("SN"),
            part_number=number,
            revision_number=revision,
            batch_number=f"{prefix}-{end}",
        )

    def found(**asked: object) -> str:
        query = {"search_query": prefix, "sort_order": "asc", **asked}
        return "".join(batch.number[-1] for batch in user.batches.list(**query).data)  # type: ignore[arg-type]  # plain data for typed dicts

    assert found() == "ABC"
    assert found(ids=[ids["A"], ids["C"]]) == "AC"
    assert found(numbers=[f"{prefix}-b".lower(), "nowhere"]) == "B"
    assert found(part_numbers=[part.lower()]) == "AB"
    assert found(part_numbers=[another]) == "B"
    assert found(revision_numbers=["r1"]) == "AB"
    # One unit has to be of both.
    assert found(part_numbers=[part], revision_numbers=["R1"]) == "A"
    assert found(part_numbers=[part, another], revision_numbers=["R1", "R2"]) == "AB"
    assert found(search_query=f"{prefix}-a".lower()) == "A"
    assert found(search_query="%") == ""
    assert found(ids=[], search_query=f"{prefix}") == "ABC"


def test_filters_by_creation(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("LOT")
    for end in "ABC":
        user.batches.create(number=f"{prefix}-{end}")
    times = [batch.created_at for batch in user.batches.list(search_query=prefix, sort_order="asc").data]

    def found(after: datetime | None = None, before: datetime | None = None) -> str:
        page = user.batches.list(
            search_query=prefix, created_after=after, created_before=before, sort_order="asc"
        )
        return "".join(batch.number[-1] for batch in page.data)

    assert found(after=times[1]) == "BC"
    assert found(before=times[1]) == "AB"
    assert found(times[1], times[1]) == "B"
    assert found(after=times[2] + timedelta(microseconds=1)) == ""
    # Without a zone: UTC.
    assert found(after=times[1].astimezone(UTC).replace(tzinfo=None)) == "BC"


@pytest.mark.parametrize(
    "asked",
    [
        {"ids": "no id"},
        {"created_after": "yesterday"},
        {"created_before": "0001-01-01T00:00:00+14:00"},
        {"sort_by": "units"},
        {"sort_order": "up"},
        {"limit": "0"},
        {"limit": "1001"},
        {"cursor": "-1"},
        {"cursor": "99999999999999999999999"},
        {"search_query": "nul\0"},
        {"numbers": "nul\0"},
    ],
)
def test_a_wrong_query_is_told(wire: httpx.Client, asked: dict[str, str]) -> None:
    answer = wire.get("/batches", params=asked)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "BAD_REQUEST")
    assert said["issues"][0]["path"] == list(asked)


def test_a_wrong_query_is_an_error_of_its_own(user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="limit"):
        user.batches.list(limit=0)


def test_a_batch_is_renumbered(user: TofuPilot, world: World, batch: str, fresh: Fresh) -> None:
    serial, new_number = fresh("SN"), fresh("LOT")
    report(user, world.acme.board.id, serial, batch_number=batch)
    made = user.batches.get(number=batch)
    assert user.batches.update(number=batch, new_number=new_number).id == made.id
    with pytest.raises(ErrorNOTFOUND):
        user.batches.get(number=batch)
    # Runs find it under its new number, and make another one under the old.
    report(user, world.acme.board.id, fresh("SN"), batch_number=new_number)
    report(user, world.acme.board.id, fresh("SN"), batch_number=batch)
    assert len(user.batches.get(number=new_number).units) == 2
    assert user.batches.get(number=batch).id != made.id


def test_the_number_of_another_batch_is_refused_its_own_is_not(
    user: TofuPilot, batch: str, fresh: Fresh
) -> None:
    another = fresh("LOT")
    user.batches.create(number=another)
    with pytest.raises(ErrorCONFLICT, match="already exists"):
        user.batches.update(number=batch, new_number=another.lower())
    user.batches.update(number=batch, new_number=batch.lower())
    assert user.batches.get(number=batch).number == batch.lower()


def test_units_and_runs_outlive_their_batch(
    user: TofuPilot, world: World, batch: str, fresh: Fresh, record: Database
) -> None:
    serial = fresh("SN")
    run_id = UUID(report(user, world.acme.board.id, serial, batch_number=batch))
    batch_id = UUID(user.batches.get(number=batch).id)
    unit_id = UUID(user.batches.get(number=batch).units[0].id)
    assert user.batches.delete(number=batch).id == [str(batch_id)]
    with pytest.raises(ErrorNOTFOUND):
        user.batches.get(number=batch)
    assert user.runs.get(id=str(run_id)).unit.batch is None
    m, c = unit_moves.c, changes.c
    with record.read() as connection:
        moves = select(m.kind, m.from_id, m.to_id, m.run_id).where(m.unit_id == unit_id)
        assert connection.execute(moves).all() == [("batch", batch_id, None, None)]
        assert connection.execute(select(runs.c.batch_id).where(runs.c.id == run_id)).scalar_one() is None
        noted = select(c.kind).where(c.entity_id.in_([unit_id, run_id, batch_id])).order_by(c.seq)
        kinds = list(connection.execute(noted).scalars())
        assert kinds[-3:] == ["unit_moved", "run_changed", "batch_deleted"]
    # The same number is that of a new batch from now on.
    report(user, world.acme.board.id, serial, batch_number=batch)
    assert user.batches.get(number=batch).id != str(batch_id)


def test_a_batch_that_a_run_named_otherwise_is_reached_all_the_same(
    user: TofuPilot, admin: httpx.Client, fresh: Fresh
) -> None:
    number = f"{fresh('LOT')} / 7"
    create_run(admin, run_of(fresh("SN"), unit={"batch_number": number}))
    assert user.batches.get(number=number).number == number
    user.batches.update(number=number, new_number=fresh("LOT"))
    assert user.batches.list(numbers=[number]).data == []


def test_stations_may_not_change_or_delete_even_what_is_not_there(station: TofuPilot) -> None:
    for call in (
        lambda: station.batches.update(number="nowhere", new_number=""),
        lambda: station.batches.delete(number="nowhere"),
    ):
        with pytest.raises(APIError, match="Stations cannot") as raised:
            call()
        assert raised.value.status_code == 403


def test_other_organizations_see_and_change_nothing(
    other: TofuPilot, user: TofuPilot, batch: str, unchanged: Unchanged
) -> None:
    batch_id = user.batches.get(number=batch).id
    calls = (
        lambda: other.batches.get(number=batch),
        lambda: other.batches.update(number=batch, new_number="new"),
        lambda: other.batches.delete(number=batch),
    )
    with unchanged():
        assert other.batches.list(ids=[batch_id]).data == []
        assert other.batches.list(search_query=batch).data == []
        for call in calls:
            with pytest.raises(ErrorNOTFOUND):
                call()
    other.batches.create(number=batch)
    assert other.batches.delete(number=batch).id != [batch_id]
