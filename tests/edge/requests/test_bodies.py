"""Bodies off the wire: every violation is named, whatever the bytes are."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from runcard.domain.errors import (
    InvalidInput,
    MalformedBody,
    PayloadTooLarge,
    RuncardError,
    UnsupportedMediaType,
)
from runcard.edge.requests.bodies import BodyDecoder, read_body
from runcard.edge.requests.unknown_names import UnknownName


class Inner(Struct):
    name: str
    count: int = 0


class Outer(Struct):
    name: str
    inner: list[Inner] | None = None
    value: Any = None
    number: float | None = None


decoder: BodyDecoder[Outer, Outer] = BodyDecoder(Outer)


def issues(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        decoder.decode(body)
    return [(issue.location, issue.message) for issue in refused.value.issues]


def test_every_violation_is_named_with_its_place() -> None:
    body = b'{"name": 1, "inner": [{"name": "a", "count": "x"}, {"count": 1}, 5], "number": "n"}'
    assert issues(body) == [
        ("name", "Expected `str`, got `int`"),
        ("inner.0.count", "Expected `int`, got `str`"),
        ("inner.1.name", "required"),
        ("inner.2", "Expected an object with name, got `int`"),
        ("number", "Expected `float | null`, got `str`"),
    ]


def test_a_body_that_is_no_object() -> None:
    assert issues(b"[]") == [("", "Expected an object with name, got `array`")]


def test_at_most_twenty_are_named_and_the_others_counted() -> None:
    told = issues(b'{"name": "a", "inner": [' + b",".join([b"{}"] * 50) + b"]}")
    assert len(told) == 21
    assert told[-1] == ("", "and 30 more")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":1}}',
    ],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises((MalformedBody, InvalidInput)) as refused:
        decoder.decode(body)
    assert isinstance(refused.value, MalformedBody)


def test_literals_that_are_not_json_are_read_as_python_writes_them() -> None:
    decoded, _ = decoder.decode(b'{"name": "a", "value": [NaN, Infinity, -Infinity], "number": NaN}')
    assert [str(number) for number in [*decoded.value, decoded.number]] == ["nan", "inf", "-inf", "nan"]


def test_unknown_fields_are_named_beside_what_is_known() -> None:
    body = b'{"name": "a", "more": {"x": 1}, "inner": [{"name": "b", "cuont": 2}, {"name": "c", "cuont": 3}]}'
    decoded, unknown = decoder.decode(body)
    assert decoded == Outer("a", [Inner("b"), Inner("c")])
    assert unknown == [
        UnknownName("more", ["inner", "name", "number", "value"]),
        UnknownName("inner.cuont", ["count", "name"]),
    ]


def test_any_value_may_stand_where_any_is_asked_for() -> None:
    assert decoder.decode(b'{"name": "a", "value": {"more": 1}}').unknown == []


def test_forms_are_read_and_other_types_refused() -> None:
    form = decoder.decode(b"name=a+b", "application/x-www-form-urlencoded; charset=utf-8")
    assert form.body.name == "a b"
    assert decoder.decode(b'{"name": "a"}', "Application/JSON; charset=utf-8").body.name == "a"
    with pytest.raises(UnsupportedMediaType, match="text/plain"):
        decoder.decode(b'{"name": "a"}', "text/plain")


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        decoded = decoder.decode(body)
    except RuncardError:
        return
    assert isinstance(decoded, Outer)


def receive_of(*chunks: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    messages = [
        {"type": "http.request", "body": chunk, "more_body": position < len(chunks) - 1}
        for position, chunk in enumerate(chunks)
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


def run(awaitable: Any) -> Any:
    return asyncio.run(awaitable)


def test_a_body_in_pieces_is_put_together() -> None:
    assert run(read_body(receive_of(b"ab", b"", b"c"), 3)) == b"abc"
    assert run(read_body(receive_of(b"abc"), 3)) == b"abc"


@pytest.mark.parametrize("chunks", [(b"abcd",), (b"ab", b"cd"), (b"abcd", b"")])
def test_a_body_that_is_too_large_is_refused(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(PayloadTooLarge, match="3 bytes"):
        run(read_body(receive_of(*chunks), 3))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"name": "a", "number": 1e400}', ("number", "1e400 is beyond what a double holds")),
        (b'{"name": "a", "value": {"x": [1, -1e999]}}', ("value.x.1", "-1e999 is beyond")),
        (
            b'{"name": "a", "inner": [{"name": "b", "count": ' + b"9" * 5000 + b"}]}",
            ("inner.0.count", "9999"),
        ),
    ],
)
def test_a_number_that_no_double_holds_is_named(body: bytes, told: tuple[str, str]) -> None:
    [(location, message)] = issues(body)
    assert location == told[0]
    assert message.startswith(told[1])
    assert len(message) < 200


@pytest.mark.parametrize("number", [b"1" + b"0" * 30, b"-1" + b"0" * 30, b"18446744073709551616"])
def test_half_of_a_surrogate_pair_is_found_behind_a_huge_integer(number: bytes) -> None:
    with pytest.raises(MalformedBody, match="surrogate"):
        decoder.decode(b'{"x": ' + number + b', "name": "\\ud800"}')


def test_a_body_that_ends_too_early_is_none() -> None:
    """The beginning of a form is a form."""
    arriving: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"name=log", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return arriving.pop(0)

    with pytest.raises(MalformedBody, match="ended before all of it arrived"):
        run(read_body(receive, 100))
