"""The OpenAPI document holds the schema of every body that an operation names."""

import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec import Struct, defstruct

from runcard.edge.answers.openapi import document, operation


class InsideBody(Struct):
    note: str | None = None


class AskBody(Struct):
    inside: list[InsideBody]


class AnswerBody(Struct):
    inside: InsideBody


class FailedBody(Struct):
    message: str


def document_of(described: dict[str, Any]) -> dict[str, Any]:
    """That of an application with one route that FastAPI sees, and one that it does not see."""
    app = FastAPI(openapi_url=None)
    app.add_api_route("/seen", lambda: None, methods=["POST"], openapi_extra=described)
    return document(app, {"/unseen": {"post": operation(AnswerBody, AskBody)}}, FailedBody)


def test_every_schema_is_there_once_and_whole():
    made = document_of(operation(list[AnswerBody], AskBody | None))
    schemas = made["components"]["schemas"]
    assert schemas.keys() == {"InsideBody", "AskBody", "AnswerBody", "FailedBody"}
    assert schemas["InsideBody"]["properties"]["note"]["default"] is None
    text = json.dumps(made)
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == schemas.keys()
    assert "x-schemas" not in text


def test_every_operation_tells_of_failures_and_of_none_that_are_not_ours():
    made = document_of(operation(AnswerBody))
    for path in ("/seen", "/unseen"):
        answers = made["paths"][path]["post"]["responses"]
        assert answers.keys() == {"200", "default"}
        schema = answers["default"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/FailedBody"}


def test_two_bodies_of_one_name_are_refused():
    other = defstruct("AskBody", [("else_", str)])
    with pytest.raises(ValueError, match="Two bodies are named AskBody"):
        document_of(operation(AnswerBody, other))
