"""Stations, as the official client creates, reads, changes and removes them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorFORBIDDEN, ErrorNOTFOUND, ErrorUNAUTHORIZED

from runcard.domain.actor import SystemActor
from runcard.store.stations.rows import link_procedures
from tests.acceptance.files import initialize
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.wire import create_run, run_of, runs_of
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]
Unchanged = Callable[[], AbstractContextManager[None]]

NOWHERE = "00000000-0000-4000-8000-000000000000"


def _team(server: Server, name: str, organization: str | None = None) -> str:
    """organization: its slug; None: Acme's."""
    home = organization or server.world.acme.slug
    team: str = server.runcard("team", "create", name, "--organization", home)["id"]
    return team


def _keyed(server: Server, name: str, *options: str) -> dict[str, Any]:
    """A station with a key, made on the command line."""
    made: dict[str, Any] = server.runcard(
        "station", "create", name, "--organization", server.world.acme.slug, *options
    )
    return made


def test_a_fresh_station_has_nothing(user: TofuPilot, world: World, fresh: Fresh) -> None:
    name = fresh("ICT")
    made = user.stations.create(name=f"  {name} ")
    assert user.stations.get(id=made.id).model_dump() == {
        "id": made.id,
        "name": name,
        "api_key": None,
        "procedures": [],
        "organization_slug": world.acme.slug,
        "team": None,
        "metadata": {},
    }


def test_clients_of_before_read_what_they_need(user: TofuPilot, wire: httpx.Client, fresh: Fresh) -> None:
    made = user.stations.create(name=fresh("ICT"))
    station = wire.get(f"/stations/{made.id}").json()
    assert (station["connection_status"], station["archived_at"]) == (None, None)


def test_a_station_comes_with_its_procedure_team_and_metadata(
    user: TofuPilot, server: Server, world: World, wire: httpx.Client, fresh: Fresh
) -> None:
    name, team = fresh("ICT"), fresh("Team")
    team_id = _team(server, team)
    made = user.stations.create(
        name=name,
        procedure_id=str(world.acme.board.id),
        team_id=team_id,
        metadata={"line": 3, "esd": True, "hall": "B"},
    )
    station = wire.get(f"/stations/{made.id}").json()
    assert station["team"] == {"id": team_id, "name": team}
    assert station["metadata"] == {"line": 3, "esd": True, "hall": "B"}
    assert station["procedures"] == [
        {
            "id": str(world.acme.board.id),
            "name": "Board",
            "identifier": "FVT1",
            "runs_count": 0,
            "deployment": None,
        }
    ]
    assert user.stations.get(id=made.id).procedures[0].runs_count == 0


def test_what_it_names_must_be_there(
    user: TofuPilot, server: Server, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    foreign_team = _team(server, fresh("Team"), server.world.globex.slug)
    with unchanged():
        for procedure_id in (NOWHERE, str(world.globex.board.id)):
            with pytest.raises(ErrorNOTFOUND):
                user.stations.create(name=fresh("ICT"), procedure_id=procedure_id)
        for team_id in (NOWHERE, foreign_team):
            with pytest.raises(ErrorNOTFOUND):
                user.stations.create(name=fresh("ICT"), team_id=team_id)


def test_a_name_is_taken_whatever_its_case(user: TofuPilot, other: TofuPilot, fresh: Fresh) -> None:
    name = fresh("ICT")
    user.stations.create(name=name)
    with pytest.raises(APIError, match="already exists") as raised:
        user.stations.create(name=name.lower())
    assert raised.value.status_code == 409
    other.stations.create(name=name)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 256}, "255"),
        ({"name": "nul\0"}, "name"),
        ({"name": "x", "procedure_id": "FVT1"}, "procedure_id"),
        ({"name": "x", "team_id": ""}, "team_id"),
        ({"name": "x", "metadata": {"no spaces": 1}}, "no spaces"),
        ({"name": "x", "metadata": {"k": None}}, "metadata"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    wire: httpx.Client, body: dict[str, object], told: str, unchanged: Unchanged
) -> None:
    with unchanged():
        answer = wire.post("/stations", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["code"], "validation" in said["message"]) == ("BAD_REQUEST", True)
    assert told in said["issues"][0]["message"]


def test_400_is_an_error_class_of_its_own_here(user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST):
        user.stations.create(name="")


@pytest.mark.parametrize("name", ["Línea 1 / links", "部品 🔧", "a%b_c\\d", "?#&="])
def test_odd_names_are_kept_and_found(wire: httpx.Client, fresh: Fresh, name: str) -> None:
    name = f"{fresh('ICT')} {name}"
    assert wire.post("/stations", json={"name": name}).status_code == 200
    found = wire.get("/stations", params={"search_query": name}).json()["data"]
    assert [station["name"] for station in found] == [name]


def test_stations_are_listed_newest_first_in_pages_that_stay_true(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("ORD")
    for number in range(4):
        user.stations.create(name=f"{prefix}-{number}")
    first = user.stations.list(search_query=prefix.lower(), limit=2)
    assert first.meta.has_more
    user.stations.create(name=f"{prefix}-late")
    second = user.stations.list(search_query=prefix, limit=2, cursor=first.meta.next_cursor)
    assert [one.name[-1] for one in (*first.data, *second.data)] == ["3", "2", "1", "0"]
    assert (second.meta.has_more, second.meta.next_cursor) == (False, None)


def test_a_listed_station_shows_its_procedures(user: TofuPilot, server: Server, world: World) -> None:
    listed = {one.name: one.model_dump() for one in user.stations.list(limit=1000).data}
    assert listed["ICT-1"]["procedures"] == [{"id": str(world.acme.board.id), "name": "Board"}]
    assert (listed["ICT-1"]["procedures_count"], listed["ICT-1"]["team"]) == (1, None)
    assert listed["Lonely"]["procedures"] == []
    count = len(server.runcard("procedure", "list", "--organization", server.world.acme.slug))
    assert listed["FCT-1"]["procedures_count"] == len(listed["FCT-1"]["procedures"]) == count


def test_lists_are_of_those_that_may_report_a_procedure(user: TofuPilot, world: World, fresh: Fresh) -> None:
    name = fresh("ICT")
    made = user.stations.create(name=name, procedure_id=str(world.acme.final.id))

    def found(*procedures: UUID) -> set[str]:
        page = user.stations.list(procedure_ids=[str(one) for one in procedures], limit=1000)
        return {one.name for one in page.data}

    assert {name, "FCT-1"} <= found(world.acme.final.id)
    assert "ICT-1" not in found(world.acme.final.id)
    assert {name, "FCT-1", "ICT-1"} <= found(world.acme.final.id, world.acme.board.id)
    assert found(world.globex.board.id) == found(UUID(NOWHERE)) == set()
    user.stations.remove(id=made.id)


def test_metadata_filters(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("META")
    user.stations.create(name=f"{prefix}-1", metadata={"line": 1, "hall": "north wing", "esd": True})
    user.stations.create(name=f"{prefix}-2", metadata={"line": 2, "hall": "south", "esd": False})

    def found(**asked: dict[str, object]) -> list[str]:
        page = user.stations.list(
            search_query=prefix,
            metadata=asked,  # type: ignore[arg-type]  # plain data for typed dicts
            include_metadata=True,
        )
        assert all(one.metadata for one in page.data)
        return [one.name[-1] for one in page.data]

    assert found(line={"gte": 2}) == ["2"]
    assert found(hall={"contains": "north"}) == ["1"]
    assert found(hall={"in": ["south"]}, esd={"eq": False}) == ["2"]
    assert found(line={"gt": 0}) == ["2", "1"]


def test_metadata_is_shown_in_lists_on_request_only(wire: httpx.Client, fresh: Fresh) -> None:
    name = fresh("META")
    wire.post("/stations", json={"name": name, "metadata": {"a": 1}})
    plain = wire.get("/stations", params={"search_query": name, "metadata": ""}).json()["data"]
    assert "metadata" not in plain[0]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "cursor=-1", "cursor=x", "procedure_ids=x", "metadata={", "search_query=%00"],
)
def test_a_query_that_cannot_be_kept_is_refused_or_finds_nothing(wire: httpx.Client, query: str) -> None:
    answer = wire.get(f"/stations?{query}")
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 400 or answer.json()["data"] == []


def test_the_current_station_is_that_of_the_key(
    station: TofuPilot, wire: httpx.Client, server: Server, world: World
) -> None:
    current = station.stations.get_current().model_dump()
    ict = world.acme.ict
    assert (current["id"], current["name"]) == (str(ict.actor.station_id), "ICT-1")
    assert current["api_key"] == ict.api_key[:8]
    assert [one["name"] for one in current["procedures"]] == ["Board"]
    headers = {"Authorization": f"Bearer {ict.api_key}"}
    assert wire.get("/stations/current", headers=headers).json()["connection_status"] == "connected"


def test_users_have_no_current_station(user: TofuPilot) -> None:
    with pytest.raises(ErrorFORBIDDEN, match="permission"):
        user.stations.get_current()


def test_a_station_with_all_procedures_shows_them(user: TofuPilot, world: World) -> None:
    fct = user.stations.get(id=str(world.acme.fct.actor.station_id))
    assert {"Board", "Final"} <= {one.name for one in fct.procedures}


def test_both_kinds_of_key_read_stations(user: TofuPilot, station: TofuPilot, world: World) -> None:
    wanted = str(world.acme.lonely.actor.station_id)
    assert user.stations.get(id=wanted) == station.stations.get(id=wanted)


@pytest.mark.parametrize("wanted", [NOWHERE, "ICT-1", "x" * 300, "%20", "0"])
def test_unknown_stations_are_not_found(user: TofuPilot, station: TofuPilot, wanted: str) -> None:
    for call in (
        lambda: user.stations.get(id=wanted),
        lambda: station.stations.get(id=wanted),
        lambda: user.stations.update(id=wanted, name="x"),
        lambda: user.stations.remove(id=wanted),
    ):
        with pytest.raises(ErrorNOTFOUND):
            call()


def test_others_neither_see_nor_change_a_station(
    user: TofuPilot, other: TofuPilot, fresh: Fresh, unchanged: Unchanged
) -> None:
    name = fresh("ICT")
    made = user.stations.create(name=name)
    with unchanged():
        assert other.stations.list(search_query=name).data == []
        for call in (
            lambda: other.stations.get(id=made.id),
            lambda: other.stations.update(id=made.id, name="stolen"),
            lambda: other.stations.remove(id=made.id),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()


def test_runs_are_counted_and_show_that_a_station_is_there(
    user: TofuPilot, wire: httpx.Client, server: Server, fresh: Fresh
) -> None:
    made = _keyed(server, fresh("ICT"), "--procedure", "FVT1", "--procedure", "FVT2")

    def shown() -> tuple[object, list[int]]:
        station = wire.get(f"/stations/{made['id']}").json()
        return station["connection_status"], [one["runs_count"] for one in station["procedures"]]

    assert shown() == ("disconnected", [0, 0])
    with server.client(made["api_key"]) as client:
        create_run(client, run_of(fresh("SN"), procedure_id="FVT2"))
        create_run(client, run_of(fresh("SN"), procedure_id="FVT2"))
    assert shown() == ("connected", [0, 2])


def test_the_prefix_is_that_of_the_newest_key_that_works(
    user: TofuPilot, server: Server, fresh: Fresh
) -> None:
    made = _keyed(server, fresh("ICT"))

    def shown() -> str | None:
        return user.stations.get(id=made["id"]).api_key

    assert shown() == made["api_key"][:8]
    newer = server.runcard("key", "create", "--station", made["id"], "--organization", server.world.acme.slug)
    assert shown() == newer["api_key"][:8]
    server.runcard("key", "revoke", newer["id"], "--organization", server.world.acme.slug)
    assert shown() == made["api_key"][:8]
    server.runcard("key", "revoke", made["key_id"], "--organization", server.world.acme.slug)
    assert shown() is None


def test_what_is_not_sent_stays(user: TofuPilot, server: Server, fresh: Fresh) -> None:
    name, new_name, team = fresh("ICT"), fresh("ICT"), fresh("Team")
    made = user.stations.create(name=name, team_id=_team(server, team), metadata={"a": 1, "b": "two"})
    unmoved = user.stations.update(id=made.id)
    assert (unmoved.id, unmoved.name) == (made.id, name)
    assert user.stations.update(id=made.id, name=new_name).name == new_name
    user.stations.update(id=made.id, metadata={"a": None, "c": True})
    station = user.stations.get(id=made.id).model_dump()
    assert (station["name"], station["team"]["name"]) == (new_name, team)
    assert station["metadata"] == {"b": "two", "c": True}


def test_a_team_is_assigned_and_taken_away(user: TofuPilot, server: Server, fresh: Fresh) -> None:
    made = user.stations.create(name=fresh("ICT"))
    team_id = _team(server, fresh("Team"))
    user.stations.update(id=made.id, team_id=team_id)
    assert user.stations.get(id=made.id).model_dump()["team"]["id"] == team_id
    user.stations.update(id=made.id, team_id=None)
    assert user.stations.get(id=made.id).model_dump()["team"] is None


def test_an_image_is_set_and_taken_away(
    user: TofuPilot, admin: httpx.Client, globex: httpx.Client, fresh: Fresh, unchanged: Unchanged
) -> None:
    made = user.stations.create(name=fresh("ICT"))
    user.stations.update(id=made.id, image_id="")
    user.stations.update(id=made.id, image_id=initialize(admin, "bench.png")["id"])
    user.stations.update(id=made.id, image_id="")
    foreign = initialize(globex, "bench.png")["id"]
    with unchanged():
        for unknown in (NOWHERE, "bench.png", foreign):
            with pytest.raises(ErrorNOTFOUND):
                user.stations.update(id=made.id, image_id=unknown)


def test_a_change_that_cannot_be_is_refused_whole(
    user: TofuPilot, wire: httpx.Client, server: Server, fresh: Fresh, unchanged: Unchanged
) -> None:
    made, taken = user.stations.create(name=fresh("ICT")), fresh("ICT")
    user.stations.create(name=taken)
    foreign_team = _team(server, fresh("Team"), server.world.globex.slug)
    with unchanged():
        for body, status in (
            ({"name": taken.lower(), "metadata": {"a": 1}}, 409),
            ({"name": " "}, 400),
            ({"name": "x" * 256}, 400),
            ({"name": None}, 400),
            ({"team_id": NOWHERE, "name": "x"}, 404),
            ({"team_id": foreign_team}, 404),
            ({"team_id": "red"}, 400),
            ({"image_id": None}, 400),
            ({"image_id": "nul\0"}, 404),
            ({"metadata": {"a": [1]}}, 400),
            ({"name": "x", "metadata": {"no spaces": 1}}, 400),
        ):
            answer = wire.patch(f"/stations/{made.id}", json=body)
            assert answer.status_code == status, (body, answer.text)


def test_its_own_name_in_other_letters_is_no_conflict(user: TofuPilot, fresh: Fresh) -> None:
    name = fresh("ICT")
    made = user.stations.create(name=name)
    assert user.stations.update(id=made.id, name=name.lower()).name == name.lower()


def test_an_unused_station_is_gone(
    user: TofuPilot, server: Server, world: World, sdk: Sdk, fresh: Fresh
) -> None:
    name = fresh("ICT")
    made = _keyed(server, name, "--procedure", "FVT1")
    user.stations.update(id=made["id"], metadata={"a": 1}, team_id=_team(server, fresh("Team")))
    assert user.stations.remove(id=made["id"]).id == made["id"]
    assert user.stations.list(search_query=name).data == []
    for call in (lambda: user.stations.get(id=made["id"]), lambda: user.stations.remove(id=made["id"])):
        with pytest.raises(ErrorNOTFOUND):
            call()
    with pytest.raises(ErrorUNAUTHORIZED):
        sdk(made["api_key"]).stations.get_current()
    user.stations.create(name=name)


def test_a_used_station_is_archived(
    user: TofuPilot, wire: httpx.Client, admin: httpx.Client, server: Server, sdk: Sdk, fresh: Fresh
) -> None:
    name, serial = fresh("ICT"), fresh("SN")
    made = _keyed(server, name, "--procedure", "FVT1")
    station = sdk(made["api_key"])
    with server.client(made["api_key"]) as client:
        create_run(client, run_of(serial))
        user.stations.remove(id=made["id"])
        assert client.post("/runs", json=run_of(serial)).status_code == 401
    with pytest.raises(ErrorUNAUTHORIZED):
        station.stations.get_current()
    assert len(runs_of(admin, serial)) == 1
    assert user.stations.list(search_query=name).data == []
    kept = wire.get(f"/stations/{made['id']}").json()
    assert (kept["name"], kept["api_key"], kept["connection_status"]) == (name, None, None)
    assert kept["archived_at"] is not None
    assert kept["procedures"][0]["runs_count"] == 1
    for call in (
        lambda: user.stations.update(id=made["id"], name="x"),
        lambda: user.stations.remove(id=made["id"]),
    ):
        with pytest.raises(ErrorNOTFOUND):
            call()
    again = user.stations.create(name=name)
    assert again.id != made["id"]
    assert user.stations.get(id=again.id).name == name


def test_a_station_that_made_but_a_part_is_archived_too(
    user: TofuPilot, wire: httpx.Client, server: Server, sdk: Sdk, fresh: Fresh
) -> None:
    made, number, acme = _keyed(server, fresh("ICT")), fresh("PN"), server.world.acme
    server.change(
        lambda tx: link_procedures(tx.of(SystemActor(acme.id, "test")), UUID(made["id"]), [acme.board.id])
    )
    sdk(made["api_key"]).parts.create(number=number)
    user.stations.remove(id=made["id"])
    assert wire.get(f"/stations/{made['id']}").json()["archived_at"] is not None
    assert user.parts.get(number=number).model_dump()["created_by_station"]["id"] == made["id"]


def test_a_link_made_for_a_station_counts_at_once(
    user: TofuPilot, server: Server, world: World, fresh: Fresh
) -> None:
    made = user.stations.create(name=fresh("ICT"), procedure_id=str(world.acme.board.id))
    key = server.runcard("key", "create", "--station", made.id, "--organization", server.world.acme.slug)[
        "api_key"
    ]
    with server.client(key) as client:
        create_run(client, run_of(fresh("SN")))
        assert client.post("/runs", json=run_of(fresh("SN"), procedure_id="FVT2")).status_code == 403
        server.change(
            lambda tx: link_procedures(
                tx.of(SystemActor(world.acme.id, "test")), UUID(made.id), [world.acme.final.id]
            )
        )
        create_run(client, run_of(fresh("SN"), procedure_id="FVT2"))
    assert [one.runs_count for one in user.stations.get(id=made.id).procedures] == [1, 1]


def test_stations_may_not_manage_stations_not_even_what_is_not_there(station: TofuPilot) -> None:
    with pytest.raises(ErrorFORBIDDEN, match="Stations cannot"):
        station.stations.create(name="")
    with pytest.raises(ErrorFORBIDDEN, match="Stations cannot"):
        station.stations.update(id="nowhere", name="")
    for call in (lambda: station.stations.list(limit=0), lambda: station.stations.remove(id="nowhere")):
        with pytest.raises(APIError) as raised:
            call()
        assert raised.value.status_code == 403
        assert "Stations cannot" in str(raised.value)


def test_viewers_read_but_do_not_manage(
    server: Server, sdk: Sdk, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    viewer = sdk(world.acme.viewer.api_key)
    lonely = str(world.acme.lonely.actor.station_id)
    assert viewer.stations.get(id=lonely).name == "Lonely"
    assert viewer.stations.list(search_query="Lonely").data
    with unchanged():
        for call in (
            lambda: viewer.stations.create(name=fresh("ICT")),
            lambda: viewer.stations.update(id=lonely, name="x"),
        ):
            with pytest.raises(ErrorFORBIDDEN):
                call()
        with pytest.raises(APIError) as raised:
            viewer.stations.remove(id=lonely)
        assert raised.value.status_code == 403


def test_without_a_key_nothing_is_told(sdk: Sdk) -> None:
    stranger = sdk("rc_wrong")
    for call in (
        lambda: stranger.stations.list(limit=0),
        stranger.stations.get_current,
        lambda: stranger.stations.get(id=NOWHERE),
        lambda: stranger.stations.create(name=""),
        lambda: stranger.stations.update(id=NOWHERE),
        lambda: stranger.stations.remove(id=NOWHERE),
    ):
        with pytest.raises(ErrorUNAUTHORIZED):
            call()
