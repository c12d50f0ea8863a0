"""Decodes query strings: from parameters to typed Structs, or to an error that names every wrong parameter.

A list repeats its key. A blank value counts as none, because clients send `search_query=` for no filter.
"""

import re
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from fastapi import Depends, Request

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.violation import violation
from runcard.edge.answers.openapi import schema_of
from runcard.edge.requests.services import WithActor
from runcard.edge.requests.unknown_names import QueryNames

T = TypeVar("T")

# A whole number as written by clients that know only floats.
_WHOLE_FLOAT = re.compile(r"(-?\d+)\.0+")


class _Parameter(NamedTuple):
    name: str
    kind: Any
    is_list: bool
    is_required: bool


class QueryReader(QueryNames, Generic[T]):
    """Reads the query of a request as `query_type`."""

    def __init__(self, query_type: type[T]) -> None:
        self._query_type = query_type
        self._parameters = _parameters(query_type)
        super().__init__(frozenset(one.name for one in self._parameters))

    def read(self, request: Request) -> T:
        """The query of a request. Raises InvalidInput."""
        return self._query_type(**_values(request.query_params.multi_items(), self._parameters))


class _KeyedQueryReader(QueryReader[T]):
    """Reads a query only after the key, so that a caller without a key learns nothing about queries."""

    def __call__(self, request: Request, _actor: WithActor) -> T:
        return self.read(request)


def query(query_type: type[T]) -> Any:
    """A dependency that reads the query of a request as `query_type`."""
    return Depends(_KeyedQueryReader(query_type))


def query_parameters(query_type: type[Any]) -> list[dict[str, Any]]:
    """The parameters of a query, as OpenAPI describes them."""
    properties: dict[str, Any] = schema_of(query_type)["properties"]
    return [
        {"name": one.name, "in": "query", "required": one.is_required, "schema": properties[one.name]}
        for one in _parameters(query_type)
    ]


def _values(items: list[tuple[str, str]], parameters: list[_Parameter]) -> dict[str, Any]:
    """The values of parameters, by name. Raises InvalidInput with an issue for each wrong parameter."""
    texts: dict[str, list[str]] = {}
    for name, text in items:
        if text.strip():
            texts.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    for parameter in parameters:
        if parameter.name not in texts:
            if parameter.is_required:
                issues.append(Issue((parameter.name,), "required"))
            continue
        if any("\0" in text for text in texts[parameter.name]):
            issues.append(Issue((parameter.name,), "contains a NUL character; remove it"))
            continue
        try:
            values[parameter.name] = _value(texts[parameter.name], parameter)
        except msgspec.ValidationError as error:
            violated = violation(
                error,
                parameter.kind,
                texts[parameter.name] if parameter.is_list else texts[parameter.name][-1],
            )
            issues.append(Issue((parameter.name,), violated.message))
    if issues:
        raise InvalidInput(issues)
    return values


def _value(texts: list[str], parameter: _Parameter) -> Any:
    if parameter.is_list:
        return msgspec.convert(texts, parameter.kind, strict=False)
    text = texts[-1]
    if whole := _WHOLE_FLOAT.fullmatch(text):
        text = whole[1]
    return msgspec.convert(text, parameter.kind, strict=False)


def _parameters(query_type: type[Any]) -> list[_Parameter]:
    return [
        _Parameter(field.encode_name, field.type, _is_list(field.type), field.required)
        for field in msgspec.structs.fields(query_type)
    ]


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(_is_list(option) for option in get_args(kind))
