"""Requests made up from the OpenAPI document that the server itself serves, right ones and wrong ones."""

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance, negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.wire import create_run, run_of
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
KNOWN_UNIT = "SN-KNOWN"


@pytest.fixture(scope="module")
def document(server: Server) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")


def test_every_operation_is_tried(document: BaseSchema):
    served = [operation.ok() for operation in document.get_all_operations()]
    names = [(one.method.upper(), one.path) for one in served if one.path.startswith("/api/v1/")]
    assert sorted(names) == sorted(OPERATIONS)


def _made_real(case: Case, data: st.DataObject) -> None:
    """Names what exists now and then: otherwise hardly any request would get past the first look-up."""
    places: list[Any] = [case.body, case.query, case.path_parameters]
    for place in places:
        for name, real in [("procedure_id", "FVT1"), ("serial_number", KNOWN_UNIT)]:
            if isinstance(place, dict) and name in place and data.draw(st.booleans(), label=f"real {name}"):
                place[name] = real


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_made_up_requests(server: Server, admin, document: BaseSchema, method, path, mode):
    operation: APIOperation = document[path][method]
    create_run(admin, run_of(KNOWN_UNIT))
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.world.acme.admin.api_key}"

    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def try_it(case: Case, data: st.DataObject) -> None:
        _made_real(case, data)
        r = case.call_and_validate(session=session, checks=CHECKS + ([negative_data_rejection] if mode.value=="negative" else []))
        seen[r.status_code] += 1

    from collections import Counter
    seen = Counter()
    try:
        try_it()
    finally:
        print("SEEN", method, path, mode, seen)
    assert 0
