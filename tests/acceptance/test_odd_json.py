"""Odd numbers, halves of surrogate pairs, depth, repeated keys and wrong types at every door that takes JSON.

Whatever comes is answered, never with a 5xx, and spoils nothing for others, even when the process that records dies
next.
"""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runcard import api
from tests.acceptance.json_doors import Door, Doors, filled
from tests.acceptance.wire import create_run, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.examples import examples
from tests.servers import Server

UNIT = "ODD-JSON"
WORST = [f"1{'0' * 30}", f'[1{"0" * 30}, "\\ud800"]']

digits = st.integers(1, 4301).map(lambda length: "9" * length)
numbers = st.one_of(
    st.sampled_from(
        ["0", "-0", "-0.0", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "1E308"]
    ),
    st.integers(62, 66).flatmap(lambda bits: st.integers(2**bits - 2, 2**bits + 2)).map(str),
    st.integers(62, 66).flatmap(lambda bits: st.integers(-(2**bits) - 2, 2 - 2**bits)).map(str),
    digits,
    digits.map(lambda text: f"-{text}"),
    digits.map(lambda text: f"0.{text}"),
    digits.map(lambda text: f"{text}.5e-300"),
)
texts = st.sampled_from(
    [
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\u0000"',
        '""',
        '" "',
        '"1e400"',
        '"2024-03-01T12:00:00Z"',
        '"P1D"',
        f'"{"x" * 300}"',
    ]
)
leaves = st.one_of(numbers, texts, st.sampled_from(["null", "true", "false", "[]", "{}"]))
keys = st.sampled_from(['"a"', '"n"', '"\\ud800"', '"eq"', '"value"'])
members = st.lists(st.tuples(keys, leaves), min_size=1, max_size=3)
deep = st.sampled_from([90, 101, 500, 20_000]).flatmap(
    lambda levels: st.sampled_from(["[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels])
)
tokens = st.one_of(
    leaves,
    numbers,
    st.lists(leaves, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    members.map(lambda some: "{" + ", ".join(f"{key}: {value}" for key, value in some) + "}"),
    deep,
)


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It ends the process that records."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def doors(server: Server) -> Doors:
    return Doors(httpx.get(f"{server.url}/api/openapi.json", timeout=60).json())


@pytest.fixture(scope="module")
def names(server: Server, admin: httpx.Client) -> dict[str, str]:
    """What paths may name, by the step before it."""
    run_id = create_run(admin, run_of(UNIT, unit={"batch_number": "B-1"}))
    return {
        "runs": run_id,
        "units": UNIT,
        "parts": "PCB-100",
        "revisions": "A",
        "batches": "B-1",
        "procedures": str(server.world.acme.board.id),
        "stations": str(server.world.acme.ict.actor.station_id),
    }


def test_no_door_is_forgotten(doors: Doors) -> None:
    """Every route that reads a body says so in the document that the doors are taken from."""
    reading = {
        (method, route.path_format)
        for module in walk_packages(api.__path__, f"{api.__name__}.")
        for route in getattr(getattr(import_module(module.name), "router", None), "routes", ())
        if isinstance(route, APIRoute) and _reads_json(route)
        for method in route.methods or ()
    }
    told = [(door.method, door.path) for door in doors.all() if door.body is not None]
    missing = {
        one for one in reading if not any(one[0] == method and path.endswith(one[1]) for method, path in told)
    }
    assert len(reading) > 25
    assert missing == set()
    assert {("POST", "/api/v1/runs"), ("POST", "/api/v2/runs")} <= set(told)


def _reads_json(route: APIRoute) -> bool:
    calls = [one.call for one in route.dependant.dependencies]
    return any("json_body" in getattr(call, "__qualname__", "") for call in calls)


@pytest.mark.hypothesis
def test_odd_json_is_answered_and_spoils_nothing(
    server: Server, admin: httpx.Client, doors: Doors, names: dict[str, str]
) -> None:
    """The worst of what came before at every place, and then whatever may come at some of them."""
    asked = [door for door in doors.all() if door.method == "GET"]
    places = [(door, way) for door in doors.all() if door.body for way in doors.pieces(door.body)]
    for door, way in places:
        for token in WORST:
            _send(admin, server, door, names, {}, doors.written(door.body or {}, way, token))

    @given(data=st.data())
    @settings(
        max_examples=2 * examples(),
        suppress_health_check=list(HealthCheck),
    )
    def try_it(data: st.DataObject) -> None:
        token = data.draw(tokens)
        door, way = data.draw(st.sampled_from(places))
        body = doors.written(door.body or {}, way, token)
        _send(admin, server, door, names, {}, body)
        door = data.draw(st.sampled_from(asked))
        query = {name: doors.sample(schema).strip('"') for name, schema in door.needed.items()}
        query[data.draw(st.sampled_from(sorted(door.query)))] = token[:2000]
        _send(admin, server, door, names, query, None)

    try_it()
    create_run(admin, run_of("AFTER-ODD-JSON"))
    server.recording_process().kill()
    create_run(admin, run_of("AFTER-ODD-JSON"))
    assert len(runs_of(admin, "AFTER-ODD-JSON")) == 2


def _send(
    admin: httpx.Client,
    server: Server,
    door: Door,
    names: dict[str, str],
    query: dict[str, Any],
    body: str | None,
) -> None:
    url = f"{server.url}{filled(door.path, names)}"
    answer = admin.request(
        door.method,
        url,
        params=query,
        content=body,
        headers={} if body is None else {"Content-Type": "application/json"},
    )
    assert answer.status_code < 500, (str(door), query, (body or "")[:2000], answer.text[:500])
