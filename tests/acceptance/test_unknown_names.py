"""Names that a request has and its route does not know: doors of our own refuse them, those of a contract tell."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.wire import Json, measurement_of, phase_of, run_of
from tests.conftest import DatabaseKind
from tests.servers import Server

_CONTRACTS = ("/api/v1/", "/api/v2/")
_IGNORED = "runcard-ignored"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def operations(server: Server, admin: httpx.Client) -> list[tuple[str, str, Json]]:
    """Method, address and description of each operation that a key may call; its ids are those of nothing."""
    described: Json = admin.get(f"{server.url}/api/openapi.json").json()
    return [
        (method, server.url + re.sub(r"\{.+?\}", lambda _: str(uuid4()), path), operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def _asked(operation: Json) -> Json:
    """A request of names that no operation knows."""
    body: dict[str, Any] = {"json": {"no_such_field": 1}} if "requestBody" in operation else {}
    return {"params": {"no_such_parameter": "1"}, **body}


def _of(operations: list[tuple[str, str, Json]], *, contract: bool) -> Iterator[tuple[str, str, Json]]:
    for method, url, operation in operations:
        if any(prefix in url for prefix in _CONTRACTS) == contract:
            yield method, url, operation


def test_each_operation_of_our_own_refuses_a_parameter_that_it_does_not_know(
    operations: list[tuple[str, str, Json]], admin: httpx.Client
) -> None:
    tried = list(_of(operations, contract=False))
    for method, url, operation in tried:
        answer = admin.request(method, url, **_asked(operation))
        assert answer.status_code == 400, (method, url, answer.text)
        assert answer.json()["issues"][0]["path"] == ["no_such_parameter"]
    assert len(tried) > 20


def test_each_operation_of_a_contract_tells_what_it_passed_over(
    operations: list[tuple[str, str, Json]], admin: httpx.Client
) -> None:
    tried = [
        one for one in _of(operations, contract=True) if not one[1].endswith("/runs") or one[0] != "post"
    ]
    for method, url, operation in tried:
        answer = admin.request(method, url, **_asked(operation))
        assert answer.headers[_IGNORED].startswith("no_such_parameter"), (method, url, answer.text)
    assert len(tried) > 60


def test_the_message_names_what_is_known(server: Server, admin: httpx.Client) -> None:
    answer = admin.get(f"{server.url}/api/analytics/yield", params={"procedure_id": str(uuid4())})
    (issue,) = answer.json()["issues"]
    assert "unknown parameter: the parameters here are attempts, batch_numbers, " in issue["message"]


def test_a_caller_without_a_key_learns_nothing_of_parameters(server: Server, stranger: httpx.Client) -> None:
    answer = stranger.get(f"{server.url}/api/analytics/yield", params={"no_such_parameter": "1"})
    assert answer.status_code == 401
    assert "no_such_parameter" not in answer.text


def test_an_unknown_field_of_a_body_is_refused_at_a_door_of_our_own(
    server: Server, admin: httpx.Client
) -> None:
    url = f"{server.url}/api/quarantine/files/{uuid4()}/retry"
    (issue,) = admin.post(url, json={"formt": "STDF"}).json()["issues"]
    assert issue["path"] == ["formt"]
    assert issue["message"].endswith(
        "unknown field: the fields here are content_pattern, dry_run, format, name_pattern, override, part_number, "
        "procedure_id, replace, serial_number, serial_number_template, skip_bad_rows, template_id"
    )


def test_a_run_tells_the_fields_that_were_passed_over(fct: httpx.Client) -> None:
    measurement = measurement_of(lower_limt=1)
    body = run_of("SN-PASSED-OVER", phases=[phase_of(measurement, measurement, näme="x")], opertor="Ann")
    answer = fct.post("/runs", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers[_IGNORED] == "phases.measurements.lower_limt, phases.n%C3%A4me, opertor"


def test_what_old_clients_send_and_the_contract_ignores_is_not_told(fct: httpx.Client) -> None:
    step = {"name": "s", "step_passed": True, "duration": "PT1S", "comparator": ">", "str_value": "1"}
    step["started_at"] = "2026-01-01T00:00:00Z"
    answer = fct.post("/runs", json=run_of("SN-NOT-TOLD", steps=[step], report_variables={"a": 1}))
    assert answer.status_code == 200, answer.text
    assert _IGNORED not in answer.headers


def test_what_is_known_is_not_told(admin: httpx.Client, server: Server) -> None:
    answer = admin.get(f"{server.url}/api/v2/runs", params={"search_query": "", "limit": 1})
    assert answer.status_code == 200
    assert _IGNORED not in answer.headers
