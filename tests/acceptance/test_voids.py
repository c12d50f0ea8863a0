"""Voiding runs over REST: they stay, no figure counts them, and they can count again."""

from collections.abc import Iterator
from typing import Any
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
def attempts(ict: httpx.Client, serial: str) -> list[str]:
    """A unit that failed, failed again and passed."""
    return [
        create_run(ict, run_of(serial, run_passed=passed, started_at=f"2026-05-04T05:06:0{second}Z"))
        for second, passed in enumerate((False, False, True))
    ]


def void(client: httpx.Client, *ids: str, reason: str = "The fixture was open") -> httpx.Response:
    return client.post("/runs/void", json={"ids": list(ids), "reason": reason})


def unit_yield(client: Own, serial: str) -> tuple[int, int, int, int]:
    """Units, and how many passed at first and in the end; how many voided runs are left out."""
    answer = client.found("/analytics/yield", serial_numbers=serial)
    total = answer["total"]
    counts = (total["first_pass"]["count"], total["final"]["count"])
    return (answer["n"], *counts, answer["window"]["voided"])


def test_a_voided_run_stays_and_counts_nowhere(engineer: Own, attempts: list[str], serial: str) -> None:
    first, second, third = attempts
    assert unit_yield(engineer, serial) == (1, 0, 1, 0)
    answer = void(engineer, third)
    assert (answer.status_code, answer.json()) == (200, {"ids": [third]})
    assert unit_yield(engineer, serial) == (1, 0, 0, 1)
    shown = engineer.found(f"/v2/runs/{third}")["voided"]
    assert (shown["reason"], set(shown)) == ("The fixture was open", {"at", "reason", "by"})
    assert engineer.found(f"/v2/runs/{second}")["voided"] is None
    every = engineer.found("/v2/runs", serial_numbers=serial)["data"]
    assert {run["id"]: run["voided"] is not None for run in every} == {
        first: False,
        second: False,
        third: True,
    }
    only = engineer.found("/v2/runs", serial_numbers=serial, voided="true")["data"]
    rest = engineer.found("/v2/runs", serial_numbers=serial, voided="false")["data"]
    assert ([run["id"] for run in only], {run["id"] for run in rest}) == ([third], {first, second})

    again = engineer.post("/runs/unvoid", json={"ids": [third], "reason": "It was closed after all"})
    assert (again.status_code, again.json()) == (200, {"ids": [third]})
    assert unit_yield(engineer, serial) == (1, 0, 1, 0)
    entries = engineer.found("/trail", thing_id=third)["data"]
    assert [(one["kind"], one["why"], one["what"]) for one in entries] == [
        ("run_unvoided", "It was closed after all", {}),
        ("run_voided", "The fixture was open", {}),
    ]


def test_no_retest_becomes_a_first_pass(engineer: Own, attempts: list[str], serial: str) -> None:
    assert void(engineer, *attempts[:2]).status_code == 200
    assert unit_yield(engineer, serial) == (0, 0, 0, 2), "its third run is still its third"
    retests = engineer.found("/analytics/retests", serial_numbers=serial)
    assert (retests["n"], retests["window"]["voided"]) == (0, 2)
    runs = engineer.found("/analytics/throughput", serial_numbers=serial)
    assert (runs["total"]["runs"], runs["window"]["voided"]) == (1, 2)


def test_all_or_none(engineer: Own, attempts: list[str], serial: str) -> None:
    assert void(engineer, attempts[1]).status_code == 200
    answer = void(engineer, attempts[0], attempts[1])
    assert_error(answer, 409, "CONFLICT")
    assert "voided already" in answer.json()["message"]
    unknown = str(uuid4())
    assert_error(void(engineer, attempts[0], unknown), 404, "NOT_FOUND", f"Run not found: {unknown}")
    assert engineer.found(f"/v2/runs/{attempts[0]}")["voided"] is None
    unvoid = engineer.post("/runs/unvoid", json={"ids": [attempts[1], attempts[0]]})
    assert_error(unvoid, 409, "CONFLICT")
    assert engineer.found(f"/v2/runs/{attempts[1]}")["voided"] is not None


def test_a_run_that_is_named_twice_is_voided_once(engineer: Own, attempts: list[str]) -> None:
    assert void(engineer, attempts[0], attempts[0]).json() == {"ids": [attempts[0]]}
    assert len(engineer.found("/trail", thing_id=attempts[0])["data"]) == 1


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"ids": [], "reason": "x"}, ["ids"]),
        ({"ids": [str(uuid4()) for _ in range(10_001)], "reason": "x"}, ["ids"]),
        ({"ids": ["x"], "reason": "x"}, ["ids", 0]),
        ({"ids": [str(uuid4())], "reason": "  "}, ["reason"]),
        ({"ids": [str(uuid4())], "reason": "x" * 501}, ["reason"]),
        ({"ids": [str(uuid4())], "reason": "a\0b"}, ["reason"]),
        ({"ids": [str(uuid4())]}, ["reason"]),
    ],
    ids=["none", "too many", "no id", "blank", "too long", "null byte", "no reason"],
)
def test_bad_input_names_the_field(engineer: Own, body: Json, at: list[Any]) -> None:
    assert_error(engineer.post("/runs/void", json=body), 400, "BAD_REQUEST", at=at)


def test_unknown_members_are_refused(engineer: Own, attempts: list[str]) -> None:
    body = {"ids": attempts, "reason": "x", "why": "x"}
    assert engineer.post("/runs/void", json=body).status_code == 400
    assert (
        engineer.post("/runs/void", json={"ids": attempts, "reason": "x"}, params={"a": 1}).status_code == 400
    )


def test_only_managers_of_the_organization_void(server: Server, attempts: list[str]) -> None:
    acme = server.world.acme
    for key in (acme.viewer.api_key, acme.ict.api_key):
        with Own(server, key) as client:
            assert_error(void(client, attempts[0]), 403, "FORBIDDEN")
    with Own(server, server.world.globex.admin.api_key) as client:
        assert_error(void(client, attempts[0]), 404, "NOT_FOUND")
    with Own(server, "nobody") as client:
        assert void(client, attempts[0]).status_code == 401
