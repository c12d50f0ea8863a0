"""Requests made up from the OpenAPI document that the server itself serves, right ones and wrong ones."""

from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind
from tests.examples import examples
from tests.servers import Server

OPERATIONS = [
    ("GET", "/api/v1/runs"),
    ("POST", "/api/v1/runs"),
    ("DELETE", "/api/v1/runs/{run_id}"),
    ("POST", "/api/v1/uploads/initialize"),
    ("POST", "/api/v1/uploads/sync"),
    ("POST", "/api/v1/import"),
    ("PATCH", "/api/v1/units"),
    ("PATCH", "/api/v1/units/{serial_number}"),
    ("DELETE", "/api/v1/units/{serial_number}"),
    ("GET", "/api/v1/streaming"),
    ("GET", "/api/v1/rooms"),
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Where requests that keep to the description mostly get what they want, and where there is nothing to get wrong.
ALWAYS_GO_THROUGH = ("/api/v1/runs", "/api/v1/uploads/initialize", "/api/v1/units", "/api/v1/rooms")
TAKE_NO_INPUT = ("/api/v1/rooms", "/api/v1/streaming")
KNOWN_UNIT = "SN-KNOWN"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def document(server: Server) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")


def test_every_operation_is_tried(document: BaseSchema):
    served = [operation.ok() for operation in document.get_all_operations() if isinstance(operation, Ok)]
    names = [(one.method.upper(), one.path) for one in served if one.path.startswith("/api/v1/")]
    assert sorted(names) == sorted(OPERATIONS)


# Of a made-up run, what a schema cannot say enough of, so that most of them would be refused for it.
HARD_TO_GUESS = ("duration", "ended_at", "operated_by", "sub_units", "steps", "logs", "outcome")


def _made_real(case: Case[Any], data: st.DataObject) -> None:
    """Names what exists now and then: otherwise hardly any request would get past the first look-up."""
    places: list[Any] = [case.body, case.query, case.path_parameters]
    real = [("procedure_id", "FVT1"), ("serial_number", KNOWN_UNIT), ("run_passed", True)]
    for place in places:
        for name, value in real:
            if isinstance(place, dict) and name in place and data.draw(st.booleans(), label=f"real {name}"):
                place[name] = value
    if (
        isinstance(case.body, dict)
        and "procedure_id" in case.body
        and data.draw(st.booleans(), label="real run")
    ):
        case.body |= {"procedure_id": "FVT1", "unit_under_test": {"serial_number": KNOWN_UNIT}}
        for name in HARD_TO_GUESS:
            if data.draw(st.booleans(), label=f"without {name}"):
                case.body.pop(name, None)


def _check(
    server: Server, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, at_most: int
) -> Counter[int]:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.world.acme.admin.api_key}"
    statuses: Counter[int] = Counter()

    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @settings(
        max_examples=at_most,
        suppress_health_check=list(HealthCheck),
    )
    def try_it(case: Case[Any], data: st.DataObject) -> None:
        if mode is GenerationMode.POSITIVE:
            _made_real(case, data)
            answer = case.call_and_validate(session=session, checks=CHECKS)
        else:
            # Unknown parameters of a query are ignored, and a missing key is put in here.
            must_refuse = [negative_data_rejection] if operation.body else []
            answer = case.call_and_validate(session=session, checks=[*CHECKS, *must_refuse])
        statuses[answer.status_code] += 1

    try_it()
    return statuses


@pytest.mark.hypothesis
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_requests_as_described(server: Server, admin, document: BaseSchema, method, path):
    create_run(admin, run_of(KNOWN_UNIT))
    at_most = 2 * examples() if (method, path) == ("POST", "/api/v1/runs") else examples()
    statuses = _check(server, document[path][method], GenerationMode.POSITIVE, at_most)
    if path in ALWAYS_GO_THROUGH:
        assert statuses[200], statuses


@pytest.mark.hypothesis
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_requests_against_the_description(server: Server, document: BaseSchema, method, path):
    statuses = _check(server, document[path][method], GenerationMode.NEGATIVE, examples())
    if path not in TAKE_NO_INPUT:
        assert any(status >= 400 for status in statuses), statuses
