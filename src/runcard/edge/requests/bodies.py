"""Decodes bodies: from bytes to typed Structs, or to an error that names every wrong field."""

import json
import math
import types
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Message, Receive

from runcard.domain.errors import InvalidInput, Issue, MalformedBody, PayloadTooLarge, UnsupportedMediaType
from runcard.domain.number import too_large_number
from runcard.domain.violation import is_struct, violation
from runcard.edge.requests.unknown_names import UnknownName, exact, unknown_fields

T = TypeVar("T")
Usual = TypeVar("Usual")
Path = tuple[str | int, ...]

# Python reads no integer with more digits.
_MOST_DIGITS = 4300


class Decoded(NamedTuple, Generic[T]):
    """A body, and its fields that the type does not know."""

    body: T
    unknown: Sequence[UnknownName]


class BodyDecoder(Generic[T, Usual]):
    """Decodes JSON (with NaN and Infinity tolerated) or form-encoded bodies into one Struct type.

    usual: a stricter type that nearly every body fits. A body that fits is decoded into it, and only other bodies are
    searched for unknown fields.
    """

    def __init__(self, body_type: type[T], usual: type[Usual] | None = None) -> None:
        self._body_type = body_type
        self._decoder = msgspec.json.Decoder(body_type)
        self._usual = None if usual is None else msgspec.json.Decoder(exact(usual))

    def decode(self, body: bytes, content_type: str = "application/json") -> Decoded[T | Usual]:
        """The body as a Struct, with its unknown fields.

        Raises UnsupportedMediaType, MalformedBody, or InvalidInput with an issue for each violation.
        """
        media = content_type.partition(";")[0].strip().lower()
        if media == "application/x-www-form-urlencoded":
            return self._convert(dict(parse_qsl(body.decode("utf-8", "replace"))))
        if media not in ("application/json", ""):
            raise UnsupportedMediaType(f"Content type {media} is not supported; send application/json.")
        try:
            if self._usual is not None:
                return Decoded(self._usual.decode(body), ())
            return Decoded(
                self._decoder.decode(body), unknown_fields(msgspec.json.decode(body), self._body_type)
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._convert(parse_json(body))

    def _convert(self, value: object) -> Decoded[T | Usual]:
        try:
            return Decoded(msgspec.convert(value, self._body_type), unknown_fields(value, self._body_type))
        except (msgspec.ValidationError, RecursionError) as error:
            found = _violations(value, self._body_type, ())
            first = next(found, None) or violation(error, self._body_type, value)
            raise InvalidInput(chain([first], found)) from error


def parse_json(body: bytes) -> object:
    """The JSON value of a body, which may have NaN and Infinity.

    Raises MalformedBody, and InvalidInput for numbers that no double holds.
    """
    try:
        value = json.loads(body, parse_float=_float, parse_int=_integer)
        # A lone surrogate is valid JSON, but no text that can be stored or sent on.
        msgspec.json.encode(value, enc_hook=_refuse)
    except RecursionError as error:
        raise MalformedBody("Body is nested too deeply; send fewer levels.") from error
    except UnicodeEncodeError as error:
        raise MalformedBody("Body contains half of a surrogate pair, which is no text; remove it.") from error
    except _HasUnreadNumbers as error:
        raise InvalidInput(_unread_numbers(value, ())) from error
    except ValueError as error:
        raise MalformedBody(f"Body is not valid JSON: {error}") from error
    return value


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """The whole body of a request.

    Raises PayloadTooLarge as soon as it is longer than `max_bytes`, and MalformedBody if it ends too early, because the
    beginning of a form is a valid form too.
    """
    message = await _next_piece(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        _check_size(len(body), max_bytes)
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        _check_size(size, max_bytes)
        message = await _next_piece(receive)
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    _check_size(size, max_bytes)
    return b"".join(chunks)


async def _next_piece(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise MalformedBody("Body ended before all of it arrived; send it again.")
    return message


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise PayloadTooLarge(f"Body is larger than {max_bytes} bytes; send less, or raise max_body_bytes.")


class _UnreadNumber:
    """A number that Python would read as infinity, or not at all."""

    def __init__(self, digits: str) -> None:
        self.digits = digits


class _HasUnreadNumbers(Exception):
    """A body holds an _UnreadNumber."""


def _float(digits: str) -> "float | _UnreadNumber":
    number = float(digits)
    return number if math.isfinite(number) else _UnreadNumber(digits)


def _integer(digits: str) -> "int | _UnreadNumber":
    return int(digits) if len(digits) <= _MOST_DIGITS else _UnreadNumber(digits)


def _refuse(value: object) -> object:
    raise _HasUnreadNumbers(value)


def _unread_numbers(value: object, path: Path) -> Iterator[Issue]:
    match value:
        case _UnreadNumber():
            yield Issue(path, too_large_number(value.digits))
        case dict():
            for key, item in value.items():
                yield from _unread_numbers(item, (*path, key))
        case list():
            for position, item in enumerate(value):
                yield from _unread_numbers(item, (*path, position))


def _violations(value: object, kind: Any, path: Path) -> Iterator[Issue]:
    """An issue for each place where a value does not fit its type, whereas msgspec stops at the first."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    for option in options:
        if is_struct(option) and isinstance(value, dict):
            yield from _struct_violations(value, option, path)
            return
        if get_origin(option) in (list, tuple) and isinstance(value, list):
            item_type = get_args(option)[0]
            for position, item in enumerate(value):
                yield from _violations(item, item_type, (*path, position))
            return
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        inner, message = violation(error, kind, value)
        yield Issue((*path, *inner), message)


def _struct_violations(value: dict[str, object], kind: Any, path: Path) -> Iterator[Issue]:
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            yield from _violations(value[field.encode_name], field.type, (*path, field.encode_name))
        elif field.required:
            yield Issue((*path, field.encode_name), "required")
