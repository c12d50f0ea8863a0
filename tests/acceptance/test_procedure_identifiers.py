"""Identifiers of procedures: chosen, changed, and found at every door by what they were before too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.conftest import Unchanged
from tests.acceptance.environments import current_environment, run_script
from tests.servers import DEADLINE_S, Server

Fresh = Callable[[str], str]


@pytest.fixture
def fresh() -> Fresh:
    """Names that no test has used."""
    return lambda prefix: f"{prefix}-{uuid4().hex[:8].upper()}"


@pytest.fixture(scope="module")
def v2(server: Server) -> Any:
    """Plain HTTP to v2, as the admin."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        yield client


def make(v2: httpx.Client, name: str, identifier: str) -> str:
    answer = v2.post("/procedures", json={"name": name, "identifier": identifier})
    assert (answer.status_code, answer.headers.get("runcard-ignored")) == (200, None), answer.text
    return str(answer.json()["id"])


def change(v2: httpx.Client, procedure_id: str, **changes: object) -> httpx.Response:
    return v2.patch(f"/procedures/{procedure_id}", json=changes)


def recorded_under(v2: httpx.Client, serial: str) -> list[str]:
    runs = v2.get("/runs", params={"serial_numbers": serial}).raise_for_status().json()["data"]
    return [run["procedure"]["id"] for run in runs]


def test_an_identifier_is_chosen_and_the_official_client_reports_by_it(
    v2: httpx.Client, server: Server, fresh: Fresh, serial: str, tmp_path: Path
):
    identifier = fresh("VANILLA")
    procedure_id = make(v2, fresh("Vanilla test"), f" {identifier} ")
    assert v2.get(f"/procedures/{procedure_id}").json()["identifier"] == identifier
    told = run_script(
        current_environment(),
        "by_identifier.py",
        tmp_path,
        server,
        serial=serial,
        references=[identifier, identifier.lower(), procedure_id],
    )
    assert [one["success"] for one in told.found["answers"]] == [True] * 3, told.output
    assert recorded_under(v2, serial) == [procedure_id] * 3


def test_the_one_before_leads_on(
    v2: httpx.Client, fct: httpx.Client, admin: httpx.Client, fresh: Fresh, serial: str
):
    first, second = fresh("OPENHTF"), fresh("FVT")
    procedure_id = make(v2, fresh("Board"), first)
    assert change(v2, procedure_id, identifier=second).status_code == 200
    shown = v2.get(f"/procedures/{procedure_id}").json()
    assert (shown["identifier"], shown["former_identifiers"]) == (second, [first])
    for reporter in (fct, admin):
        for reference in (first, second.lower()):
            body = {
                "procedure_id": reference,
                "unit_under_test": {"serial_number": serial, "part_number": "PCB-01"},
                "run_passed": True,
            }
            assert reporter.post("/runs", json=body).status_code == 200
    assert recorded_under(v2, serial) == [procedure_id] * 4


def test_it_is_taken_back(v2: httpx.Client, fresh: Fresh):
    first, second = fresh("A"), fresh("B")
    procedure_id = make(v2, fresh("Board"), first)
    for identifier in (second, first.lower(), first, first):
        assert change(v2, procedure_id, identifier=identifier).status_code == 200
    shown = v2.get(f"/procedures/{procedure_id}").json()
    assert (shown["identifier"], shown["former_identifiers"]) == (first, [second])


def test_one_that_another_has_or_had_is_refused(v2: httpx.Client, fresh: Fresh, unchanged: Unchanged):
    had, has, gone = fresh("HAD"), fresh("HAS"), fresh("GONE")
    name = fresh("Board")
    procedure_id = make(v2, name, had)
    change(v2, procedure_id, identifier=has).raise_for_status()
    v2.delete(f"/procedures/{make(v2, fresh('Deleted'), gone)}").raise_for_status()
    other = make(v2, fresh("Other"), fresh("OTHER"))
    told = {
        has: f"The identifier {has} is that of the procedure '{name}'. Choose another identifier.",
        had: f"The identifier {had} was that of the procedure '{name}' ({has}), and still finds it. "
        "Choose another identifier.",
        gone: f"The identifier {gone} was that of a procedure that is deleted. Choose another identifier.",
    }
    for identifier, message in told.items():
        for asked in (
            lambda one=identifier: v2.post("/procedures", json={"name": "New", "identifier": one}),
            lambda one=identifier: change(v2, other, identifier=one),
        ):
            with unchanged():
                answer = asked()
            assert (answer.status_code, answer.json()["message"]) == (409, message)


@pytest.mark.parametrize(
    "identifier", ["", "two words", "x" * 61, "018f0000-0000-7000-8000-000000000001", 7, "a\0"]
)
def test_what_can_be_none_is_refused(
    v2: httpx.Client, server: Server, identifier: object, unchanged: Unchanged
):
    board = str(server.world.acme.board.id)
    with unchanged():
        for answer in (
            v2.post("/procedures", json={"name": "New", "identifier": identifier}),
            change(v2, board, identifier=identifier),
        ):
            assert answer.status_code == 400
            assert answer.json()["issues"][0]["path"] == ["identifier"]


def test_numbers_skip_those_that_were_chosen_and_those_that_are_gone(v2: httpx.Client, fresh: Fresh):
    chosen = make(v2, fresh("Chosen"), "fvt112")

    def next_number() -> tuple[str, str]:
        made = v2.post("/procedures", json={"name": fresh("Numbered")}).raise_for_status().json()["id"]
        return made, v2.get(f"/procedures/{made}").json()["identifier"]

    made, identifier = next_number()
    assert identifier == "FVT113"
    v2.delete(f"/procedures/{made}").raise_for_status()
    assert next_number()[1] == "FVT114"
    assert change(v2, chosen, identifier="FVT115").status_code == 200
    assert next_number()[1] == "FVT116"


def test_another_organization_has_identifiers_of_its_own(
    v2: httpx.Client, server: Server, globex: httpx.Client, fresh: Fresh
):
    identifier = fresh("SHARED")
    first = make(v2, fresh("Board"), identifier)
    change(v2, first, identifier=fresh("LATER")).raise_for_status()
    body = {
        "procedure_id": identifier,
        "unit_under_test": {"serial_number": fresh("SN"), "part_number": "P"},
        "run_passed": True,
    }
    assert globex.post("/runs", json=body).status_code == 404
    headers = {"Authorization": f"Bearer {server.world.globex.admin.api_key}"}
    made = v2.post("/procedures", json={"name": "Board", "identifier": identifier}, headers=headers)
    assert made.status_code == 200
    assert globex.post("/runs", json=body).status_code == 200
