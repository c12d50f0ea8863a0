"""The OpenAPI document: what msgspec says of the bodies, beside what FastAPI says of paths and parameters."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_REF = "#/components/schemas/{name}"


def operation(answer: Any, body: Any = None) -> dict[str, Any]:
    """The parts of an operation's description that FastAPI cannot see: `answer` and `body` are msgspec types."""
    described: dict[str, Any] = {
        "security": [{"ApiKey": []}],
        "responses": {"200": _content(answer, "Success")},
    }
    if body is not None:
        described["requestBody"] = {"required": True, **_content(body, "")}
        del described["requestBody"]["description"]
    return described


def document(
    app: FastAPI, unseen: Mapping[str, Mapping[str, Any]], bodies: Sequence[Any], error: Any
) -> dict[str, Any]:
    """The OpenAPI document of all routes of `app`.

    unseen: descriptions, by path and method, of plain ASGI endpoints. bodies: every msgspec type that an `operation`
    names. error: the body of every answer that is no success.
    """
    described = get_openapi(title=app.title, version=app.version, routes=app.routes)
    for path, operations in unseen.items():
        described["paths"].setdefault(path, {}).update(deepcopy(dict(operations)))
    for operations in described["paths"].values():
        for one in operations.values():
            one["responses"].pop("422", None)  # FastAPI's own idea of a validation error
            one["responses"]["default"] = _content(error, "Error")
    _, schemas = msgspec.json.schema_components([*bodies, error], ref_template=_REF)
    described["components"] = {
        "schemas": schemas,
        "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer"}},
    }
    return described


def _content(kind: Any, description: str) -> dict[str, Any]:
    schema = msgspec.json.schema_components([kind], ref_template=_REF)[0][0]
    return {"description": description, "content": {"application/json": {"schema": schema}}}
