"""Merging and splitting units over REST: one unit is found by both serial numbers, and figures follow."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.own import Own
from tests.acceptance.wire import Json, assert_error, create_run, run_of
from tests.servers import Server


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[Own]:
    with Own(server, server.world.acme.engineer.api_key) as client:
        yield client


@pytest.fixture
def misread(ict: httpx.Client, serial: str, new_serial: Callable[[], str]) -> str:
    """The serial number of a unit that passed; `serial`, which is the same unit, had failed before."""
    other = new_serial()
    create_run(ict, run_of(serial, run_passed=False, started_at="2026-05-04T05:06:00Z"))
    create_run(ict, run_of(other, run_passed=True, started_at="2026-05-04T05:06:01Z"))
    return other


def merge(client: httpx.Client, source: str, into: str, **fields: object) -> httpx.Response:
    return client.post("/units/merge", json={"source": source, "into": into, "reason": "Misread", **fields})


def split(client: httpx.Client, unit_id: str, **fields: object) -> httpx.Response:
    return client.post("/units/split", json={"id": unit_id, "reason": "Two after all", **fields})


def first_passes(client: Own, *serials: str) -> tuple[int, int]:
    answer = client.found("/analytics/yield", serial_numbers=list(serials))
    return answer["n"], answer["total"]["first_pass"]["count"]


def test_two_units_become_one_and_two_again(
    engineer: Own, ict: httpx.Client, serial: str, misread: str
) -> None:
    there = engineer.found(f"/v2/units/{serial}")["id"]
    assert first_passes(engineer, serial, misread) == (2, 1)
    answer = merge(engineer, misread, serial)
    assert answer.status_code == 200, answer.text
    merged = answer.json()
    nothing_else = dict.fromkeys(("repairs", "attachments", "comments", "sub_units"), 0)
    assert (merged["serial_number"], merged["moved"]) == (serial, {"runs": 1, **nothing_else})
    assert first_passes(engineer, misread) == (1, 0), "its first run is the one that failed"
    assert engineer.found(f"/v2/units/{misread}")["id"] == there

    create_run(ict, run_of(misread, run_passed=True, started_at="2026-05-04T05:06:02Z"))
    listed = engineer.found("/units/merges", serial_number=misread)["data"]
    assert [(one["id"], one["serial_number"], one["reason"], one["later_runs"]) for one in listed] == [
        (merged["id"], misread, "Misread", 1)
    ]
    done = split(engineer, merged["id"])
    assert (done.status_code, done.json()) == (
        200,
        {"id": merged["id"], "serial_number": misread, "later_runs": 1},
    )
    assert first_passes(engineer, serial, misread) == (2, 1)
    runs = engineer.found("/v2/runs", serial_numbers=misread)["data"]
    assert len(runs) == 2
    kinds = [one["kind"] for one in engineer.found("/trail", thing_id=merged["id"])["data"]]
    assert kinds == ["unit_split", "unit_merged"]


def test_later_runs_may_stay(engineer: Own, ict: httpx.Client, serial: str, misread: str) -> None:
    merged = merge(engineer, misread, serial).json()
    create_run(ict, run_of(misread, run_passed=True, started_at="2026-05-04T05:06:02Z"))
    assert split(engineer, merged["id"], later_runs="stay").json()["later_runs"] == 0
    assert len(engineer.found("/v2/runs", serial_numbers=serial)["data"]) == 2


@pytest.mark.parametrize(
    ("source", "into", "status"),
    [("{serial}", "{serial}", 409), ("{serial}", "nowhere", 404), ("nowhere\0", "{serial}", 404)],
)
def test_what_cannot_be_merged_is_said(
    engineer: Own, serial: str, misread: str, source: str, into: str, status: int
) -> None:
    names = [name.format(serial=serial) for name in (source, into)]
    code = "CONFLICT" if status == 409 else "NOT_FOUND"
    assert_error(merge(engineer, *names), status, code)
    assert first_passes(engineer, serial, misread) == (2, 1)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "source"),
        ({"source": "a", "into": "b"}, "reason"),
        ({"source": "a", "into": "b", "reason": " "}, "reason"),
        ({"source": "a", "into": "b", "reason": "x" * 501}, "reason"),
        ({"source": 1, "into": "b", "reason": "x"}, "source"),
    ],
)
def test_a_body_that_is_wrong_is_refused(engineer: Own, body: Json, at: str) -> None:
    assert_error(engineer.post("/units/merge", json=body), 400, "BAD_REQUEST", at=[at])


def test_a_split_of_nothing_is_said(engineer: Own) -> None:
    assert_error(split(engineer, str(uuid4())), 404, "NOT_FOUND")
    assert_error(split(engineer, "x"), 400, "BAD_REQUEST", at=["id"])
    assert_error(split(engineer, str(uuid4()), later_runs="maybe"), 400, "BAD_REQUEST", at=["later_runs"])


def test_a_merged_unit_is_not_restored_from_the_bin(engineer: Own, serial: str, misread: str) -> None:
    merged = merge(engineer, misread, serial).json()["id"]
    assert_error(engineer.post(f"/bin/{merged}/restore", json={}), 409, "CONFLICT")
    shown = engineer.found(f"/bin/{merged}")
    into = engineer.found(f"/v2/units/{serial}")["id"]
    assert (shown["noun"], shown["merged_into"], shown["restorable_until"]) == ("unit", into, None)
    assert merged not in [one["id"] for one in engineer.found("/bin", search_query=misread)["data"]]


def test_another_organization_merges_nothing(
    engineer: Own, server: Server, serial: str, misread: str
) -> None:
    merged = merge(engineer, misread, serial).json()["id"]
    with Own(server, server.world.globex.admin.api_key) as stranger:
        assert_error(merge(stranger, misread, serial), 404, "NOT_FOUND")
        assert_error(split(stranger, merged), 404, "NOT_FOUND")
        assert stranger.get("/units/merges", params={"serial_number": serial}).status_code == 404
