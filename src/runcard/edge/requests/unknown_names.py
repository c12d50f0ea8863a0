"""Names in a request that its route does not know: a misspelt filter would answer for everything.

Runcard's own doors refuse them. v1 and v2 pass over them, as their contract says, and name them in a header.
"""

import types
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from urllib.parse import quote

import msgspec
from fastapi import Request
from fastapi.dependencies.models import Dependant
from starlette.types import Message, Scope, Send

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.text import shortened

HEADER = b"runcard-ignored"
_MAX_NAMES = 20
_MAX_SHOWN = 100


class UnknownName(NamedTuple):
    """place: a field with the fields around it, such as `phases.name`. known: the names that are allowed there."""

    place: str
    known: Sequence[str]


class QueryNames:
    """A dependency that reads a query. parameters: the names that it knows."""

    def __init__(self, parameters: frozenset[str]) -> None:
        self.parameters = parameters


def exact(kind: Any) -> Any:
    """The same type, with Structs that refuse unknown fields. Each is a subclass of the original."""
    return _exact(kind, {})


def unknown_fields(value: object, kind: Any) -> Sequence[UnknownName]:
    """The fields of a JSON value that its type does not know, each place once, at most 20."""
    found = {one.place: one for one in _unknown_fields(value, kind, "")}
    return list(found.values())[:_MAX_NAMES]


def refuse_parameters(request: Request) -> None:
    """Refuse unknown parameters, on one of Runcard's own doors. Raises InvalidInput with an issue for each."""
    _refuse(_unknown_parameters(request), "parameter")


def pass_over_unknown(request: Request) -> None:
    """Note unknown parameters for `telling`, on a door whose contract is to pass over them."""
    request.state.passed_over = [one.place for one in _unknown_parameters(request)]


def take_unknown_fields(request: Request, unknown: Sequence[UnknownName]) -> None:
    """Note unknown fields if the door passes over them. If not, raises InvalidInput with an issue for each."""
    passed_over: list[str] | None = getattr(request.state, "passed_over", None)
    if passed_over is None:
        _refuse(unknown, "field")
    else:
        passed_over.extend(one.place for one in unknown)


def telling(scope: Scope, send: Send) -> Send:
    """A `send` that adds a header to the answer, with the names that were passed over, if there were any."""

    async def tell(message: Message) -> None:
        places = scope.get("state", {}).get("passed_over")
        if places and message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], _header(places)]}
        await send(message)

    return tell


def headers_of(unknown: Sequence[UnknownName]) -> Sequence[tuple[bytes, bytes]]:
    """The headers of an answer to a request whose unknown names were passed over."""
    return [_header([one.place for one in unknown])] if unknown else ()


def _header(places: Sequence[str]) -> tuple[bytes, bytes]:
    # A character that no header may hold is percent-encoded.
    return HEADER, ", ".join(quote(place, safe=" .[]_-") for place in places).encode("ascii")


def _refuse(unknown: Sequence[UnknownName], what: str) -> None:
    if unknown:
        raise InvalidInput([Issue((one.place,), _message(one, what)) for one in unknown])


def _message(unknown: UnknownName, what: str) -> str:
    offered = (
        f"the {what}s here are {', '.join(unknown.known)}" if unknown.known else f"there are no {what}s here"
    )
    return f"unknown {what}: {offered}"


def _unknown_parameters(request: Request) -> Sequence[UnknownName]:
    if not request.scope["query_string"]:
        return []
    known = sorted(set(_parameters_of(request.scope["route"].dependant)))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    return [UnknownName(shortened(name, _MAX_SHOWN), known) for name in unknown[:_MAX_NAMES]]


def _parameters_of(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    reader: object = dependant.call
    if isinstance(reader, QueryNames):
        yield from reader.parameters
    for inner in dependant.dependencies:
        yield from _parameters_of(inner)


def _unknown_fields(value: object, kind: Any, place: str) -> Iterator[UnknownName]:
    for option in _options(kind):
        if _is_struct(option) and isinstance(value, dict):
            fields = _fields_of(option)
            for name, inner in value.items():
                if name in fields:
                    yield from _unknown_fields(inner, fields[name], f"{place}{name}.")
                else:
                    yield UnknownName(f"{place}{shortened(name, _MAX_SHOWN)}", sorted(fields))
            return
        if get_origin(option) in (list, tuple) and isinstance(value, list):
            for item in value:
                yield from _unknown_fields(item, get_args(option)[0], place)
            return


def _options(kind: Any) -> Sequence[Any]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_struct(kind: Any) -> bool:
    origin = get_origin(kind) or kind  # a generic Struct with its argument is no type itself
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)


@cache
def _fields_of(kind: Any) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _exact(kind: Any, made: dict[Any, Any]) -> Any:
    if _is_struct(kind):
        return made.get(kind) or _exact_struct(kind, made)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is None or origin is Annotated:
        return kind
    exact_parts = tuple(_exact(part, made) for part in parts)
    if exact_parts == parts:
        return kind
    return Union[exact_parts] if origin in (Union, types.UnionType) else origin[exact_parts]  # noqa: UP007 (made here)


def _exact_struct(kind: Any, made: dict[Any, Any]) -> Any:
    base = get_origin(kind) or kind
    fields = [_exact_field(field, made) for field in msgspec.structs.fields(kind)]
    made[kind] = msgspec.defstruct(
        base.__name__, fields, bases=(base,), forbid_unknown_fields=True, kw_only=True
    )
    return made[kind]


def _exact_field(field: msgspec.structs.FieldInfo, made: dict[Any, Any]) -> tuple[str, Any, Any]:
    name = field.encode_name
    if field.default_factory is not msgspec.NODEFAULT:
        usual = msgspec.field(default_factory=field.default_factory, name=name)
    elif field.default is not msgspec.NODEFAULT:
        usual = msgspec.field(default=field.default, name=name)
    else:
        usual = msgspec.field(name=name)
    return field.name, _exact(field.type, made), usual
