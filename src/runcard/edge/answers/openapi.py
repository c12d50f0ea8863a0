"""The OpenAPI document: msgspec describes the bodies, FastAPI describes paths and parameters."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_REF = "#/components/schemas/{name}"
# An operation carries its schemas under this key until the document gathers them all. They are JSON, because FastAPI
# drops what is null.
_SCHEMAS = "x-schemas"


def operation(
    answer: Any, body: Any = None, *, name: str | None = None, parameters: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The parts of an operation's description that FastAPI cannot see. answer, body: msgspec types.

    name: the operation's id. parameters: of its query, from `edge.requests.queries.query_parameters`.
    """
    kinds = [answer] if body is None else [answer, body]
    (answer_schema, *body_schemas), schemas = _schemas_of(kinds)
    described: dict[str, Any] = {
        "security": [{"ApiKey": []}],
        "responses": {"200": {"description": "Success", **_json(answer_schema)}},
        _SCHEMAS: msgspec.json.encode(schemas).decode(),
    }
    if name is not None:
        described |= {"operationId": name, "summary": name}
    if parameters is not None:
        described["parameters"] = parameters
    for schema in body_schemas:
        described["requestBody"] = {"required": True, **_json(schema)}
    return described


def document(app: FastAPI, unseen: Mapping[str, Mapping[str, Any]], error: Any) -> dict[str, Any]:
    """The OpenAPI document of all routes of `app`.

    unseen: the descriptions of plain ASGI endpoints, by path and method. error: the type of the body of every answer
    that is no success.
    """
    described = get_openapi(title=app.title, version=app.version, routes=app.routes)
    for path, operations in unseen.items():
        described["paths"].setdefault(path, {}).update(deepcopy(dict(operations)))
    (failed,), schemas = _schemas_of([error])
    for operations in described["paths"].values():
        for operation_entry in operations.values():
            operation_entry["responses"].pop("422", None)  # FastAPI's own idea of a validation error
            operation_entry["responses"]["default"] = {"description": "Error", **_json(failed)}
            for name, schema in msgspec.json.decode(operation_entry.pop(_SCHEMAS, "{}")).items():
                if schemas.setdefault(name, schema) != schema:
                    raise ValueError(f"Two bodies are named {name}. Rename one.")
    described["components"] = {
        "schemas": schemas,
        "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer"}},
    }
    return described


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a msgspec Struct, with references to the Structs inside it."""
    _, schemas = _schemas_of([kind])
    schema: dict[str, Any] = schemas[kind.__name__]
    return schema


def _schemas_of(kinds: Sequence[Any]) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """A schema for each type, and the schemas that these refer to, by name."""
    return msgspec.json.schema_components(kinds, ref_template=_REF)


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
