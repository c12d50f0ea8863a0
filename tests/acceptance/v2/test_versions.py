"""Versions of procedures, as the official client creates, reads and deletes them."""

from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorCONFLICT, ErrorNOTFOUND

from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes
from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.reporting import report
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def board(world: World) -> str:
    """The procedure that ICT-1 is linked to."""
    return str(world.acme.board.id)


@pytest.fixture(scope="module")
def final(world: World) -> str:
    """A procedure that it is not linked to."""
    return str(world.acme.final.id)


def test_a_version_is_read_as_it_was_made(user: TofuPilot, world: World, board: str, fresh: Fresh) -> None:
    tag = fresh("V1.0")
    made = user.procedures.versions.create(procedure_id=board, tag=tag)
    shown = user.procedures.versions.get(procedure_id=board, tag=tag.lower()).model_dump()
    assert (shown["id"], shown["tag"], shown["run_count"]) == (made.id, tag, 0)
    assert shown["procedure"] == {"id": board, "name": "Board"}
    assert shown["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert shown["created_by_station"] is None


def test_a_station_makes_versions_of_procedures_that_it_is_linked_to(
    station: TofuPilot, world: World, board: str, fresh: Fresh
) -> None:
    tag = fresh("v")
    station.procedures.versions.create(procedure_id=board, tag=tag)
    shown = station.procedures.versions.get(procedure_id=board, tag=tag).model_dump()
    assert shown["created_by_station"] == {"id": str(world.acme.ict.actor.station_id), "name": "ICT-1"}
    assert shown["created_by_user"] is None


def test_a_station_makes_no_others_whether_the_procedure_exists_or_not(
    station: TofuPilot, final: str, fresh: Fresh, unchanged: Unchanged
) -> None:
    for procedure_id in (final, str(uuid4())):
        with unchanged(), pytest.raises(APIError, match="FORBIDDEN") as raised:
            station.procedures.versions.create(procedure_id=procedure_id, tag=fresh("v"))
        assert raised.value.status_code == 403


def test_a_station_reads_versions_of_any_procedure(
    user: TofuPilot, station: TofuPilot, final: str, fresh: Fresh
) -> None:
    tag = fresh("v")
    user.procedures.versions.create(procedure_id=final, tag=tag)
    assert station.procedures.versions.get(procedure_id=final, tag=tag).tag == tag


def test_a_viewer_reads_only(
    user: TofuPilot, sdk: Sdk, world: World, board: str, fresh: Fresh, unchanged: Unchanged
) -> None:
    tag, viewer = fresh("v"), sdk(world.acme.viewer.api_key)
    user.procedures.versions.create(procedure_id=board, tag=tag)
    assert viewer.procedures.versions.get(procedure_id=board, tag=tag).tag == tag
    for call in (
        lambda: viewer.procedures.versions.create(procedure_id=board, tag="new"),
        lambda: viewer.procedures.versions.delete(procedure_id=board, tag=tag),
    ):
        with unchanged(), pytest.raises(APIError, match=r"permission|viewer") as raised:
            call()
        assert raised.value.status_code == 403


@pytest.mark.parametrize("procedure_id", ["no id", "FVT1", "0"])
def test_a_malformed_procedure_id_is_400_for_both_kinds_of_key(
    user: TofuPilot, station: TofuPilot, procedure_id: str
) -> None:
    for client in (user, station):
        with pytest.raises(APIError, match="validation") as raised:
            client.procedures.versions.create(procedure_id=procedure_id, tag="v1")
        assert raised.value.status_code == 400


def test_an_unknown_procedure_is_not_found(user: TofuPilot, station: TofuPilot) -> None:
    nowhere = str(uuid4())
    with pytest.raises(ErrorNOTFOUND) as raised:
        user.procedures.versions.create(procedure_id=nowhere, tag="v1")
    assert "procedure" in raised.value.message
    for client in (user, station):
        for procedure_id in (nowhere, "no id"):
            with pytest.raises(ErrorNOTFOUND, match="not found"):
                client.procedures.versions.get(procedure_id=procedure_id, tag="v1")
    with pytest.raises(ErrorNOTFOUND):
        user.procedures.versions.delete(procedure_id=nowhere, tag="v1")


def test_an_unknown_tag_is_not_found(user: TofuPilot, station: TofuPilot, board: str) -> None:
    for client in (user, station):
        with pytest.raises(ErrorNOTFOUND, match="not found"):
            client.procedures.versions.get(procedure_id=board, tag="nowhere")
    with pytest.raises(ErrorNOTFOUND, match="not found"):
        user.procedures.versions.delete(procedure_id=board, tag="nowhere")


@pytest.mark.parametrize(
    ("tag", "told"),
    [("", "Tag"), ("  ", "Tag"), ("x" * 61, "60 character"), ("nul\0", "Tag")],
)
def test_a_tag_of_another_length_is_refused(
    user: TofuPilot, board: str, tag: str, told: str, unchanged: Unchanged
) -> None:
    with unchanged(), pytest.raises(APIError, match=told) as raised:
        user.procedures.versions.create(procedure_id=board, tag=tag)
    assert raised.value.status_code == 400


@pytest.mark.parametrize("body", [{}, {"tag": None}, {"tag": 1}, [], "x"])
def test_a_body_without_a_tag_is_refused(
    wire: httpx.Client, board: str, body: object, unchanged: Unchanged
) -> None:
    with unchanged():
        answer = wire.post(f"/procedures/{board}/versions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("tag", ["x" * 60, "v1.2.3+build/4", "版本 2", "main@{1}"])
def test_tags_are_kept_as_they_are(wire: httpx.Client, board: str, tag: str) -> None:
    assert wire.post(f"/procedures/{board}/versions", json={"tag": f" {tag} "}).status_code == 200
    assert wire.get(f"/procedures/{board}/versions/{tag}").json()["tag"] == tag
    assert wire.delete(f"/procedures/{board}/versions/{tag}").status_code == 200


def test_a_tag_is_taken_in_its_procedure_only_whatever_its_case(
    user: TofuPilot, board: str, final: str, fresh: Fresh
) -> None:
    tag = fresh("V")
    user.procedures.versions.create(procedure_id=board, tag=tag)
    with pytest.raises(ErrorCONFLICT, match="already exists"):
        user.procedures.versions.create(procedure_id=board, tag=tag.lower())
    user.procedures.versions.create(procedure_id=final, tag=tag)


def test_a_version_that_runs_name_stays(
    user: TofuPilot, board: str, fresh: Fresh, unchanged: Unchanged
) -> None:
    tag = fresh("v")
    runs = [report(user, board, fresh("SN"), procedure_version=tag) for _ in range(2)]
    assert user.procedures.versions.get(procedure_id=board, tag=tag).run_count == 2
    with unchanged(), pytest.raises(ErrorCONFLICT, match="still has 2 runs"):
        user.procedures.versions.delete(procedure_id=board, tag=tag)
    user.runs.delete(ids=runs)
    user.procedures.versions.delete(procedure_id=board, tag=tag)


def test_a_deleted_version_is_gone_and_its_tag_is_free(
    user: TofuPilot, board: str, fresh: Fresh, record: Database
) -> None:
    tag = fresh("v")
    made = user.procedures.versions.create(procedure_id=board, tag=tag)
    assert user.procedures.versions.delete(procedure_id=board, tag=tag.upper()).id == made.id
    with pytest.raises(ErrorNOTFOUND):
        user.procedures.versions.get(procedure_id=board, tag=tag)
    with record.read() as connection:
        kinds = select(changes.c.kind).where(changes.c.entity_id == UUID(made.id)).order_by(changes.c.seq)
        assert connection.execute(kinds).scalars().all() == ["version_created", "version_deleted"]
    report(user, board, fresh("SN"), procedure_version=tag)
    again = user.procedures.versions.get(procedure_id=board, tag=tag)
    assert (again.id != made.id, again.run_count) == (True, 1)


def test_stations_may_not_delete_even_what_is_not_there(station: TofuPilot, board: str) -> None:
    for procedure_id in (board, str(uuid4()), "no id"):
        with pytest.raises(APIError, match="Stations cannot") as raised:
            station.procedures.versions.delete(procedure_id=procedure_id, tag="nowhere")
        assert raised.value.status_code == 403


def test_other_organizations_see_and_change_nothing(
    user: TofuPilot, other: TofuPilot, board: str, fresh: Fresh, unchanged: Unchanged
) -> None:
    tag = fresh("v")
    user.procedures.versions.create(procedure_id=board, tag=tag)
    calls = (
        lambda: other.procedures.versions.create(procedure_id=board, tag="new"),
        lambda: other.procedures.versions.get(procedure_id=board, tag=tag),
        lambda: other.procedures.versions.delete(procedure_id=board, tag=tag),
    )
    with unchanged():
        for call in calls:
            with pytest.raises(ErrorNOTFOUND):
                call()
