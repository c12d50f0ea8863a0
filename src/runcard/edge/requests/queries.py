"""Query strings: parameters to typed Structs, or an error that names the one that is wrong.

A list is its key repeated, and a blank value is none: clients send `search_query=` where they mean no filter.
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

# How clients that know only floats write a whole number.
_WHOLE_FLOAT = re.compile(r"(-?\d+)\.0+")


class _Parameter(NamedTuple):
    name: str
    kind: Any
    is_list: bool
    is_required: bool


class QueryReader(QueryNames, Generic[T]):
    """Reads a request's query as `wanted`."""

    def __init__(self, wanted: type[T]) -> None:
        self._wanted = wanted
        self._parameters = _parameters(wanted)
        super().__init__(frozenset(one.name for one in self._parameters))

    def read(self, request: Request) -> T:
        """Raises InvalidInput."""
        return self._wanted(**_values(request.query_params.multi_items(), self._parameters))


class _KeyedQueryReader(QueryReader[T]):
    """A caller without a key learns nothing about queries."""

    def __call__(self, request: Request, _actor: WithActor) -> T:
        return self.read(request)


def query(wanted: type[T]) -> Any:
    """A dependency that is the request's query as `wanted`."""
    return Depends(_KeyedQueryReader(wanted))


def query_parameters(wanted: type[Any]) -> list[dict[str, Any]]:
    """The parameters of a query, as OpenAPI describes them."""
    properties: dict[str, Any] = schema_of(wanted)["properties"]
    return [
        {"name": one.name, "in": "query", "required": one.is_required, "schema": properties[one.name]}
        for one in _parameters(wanted)
    ]


def _values(items: list[tuple[str, str]], parameters: list[_Parameter]) -> dict[str, Any]:
    """Values by name. Raises InvalidInput with an issue for each that is wrong."""
    texts: dict[str, list[str]] = {}
    for name, text in items:
        if text.strip():
            texts.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    issues: list[Issue] = []
    for one in parameters:
        if one.name not in texts:
            if one.is_required:
                issues.append(Issue((one.name,), "required"))
            continue
        if any("\0" in text for text in texts[one.name]):
            issues.append(Issue((one.name,), "contains a NUL character; remove it"))
            continue
        try:
            values[one.name] = _value(texts[one.name], one)
        except msgspec.ValidationError as error:
            told = violation(error, one.kind, texts[one.name] if one.is_list else texts[one.name][-1])
            issues.append(Issue((one.name,), told.message))
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


def _parameters(wanted: type[Any]) -> list[_Parameter]:
    return [
        _Parameter(field.encode_name, field.type, _is_list(field.type), field.required)
        for field in msgspec.structs.fields(wanted)
    ]


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(_is_list(option) for option in get_args(kind))
