from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.violation import violation

MANY = Literal[tuple(f"CHOICE_{number}" for number in range(50))]  # type: ignore[valid-type] # made, not written


class Inner(Struct):
    name: str
    at: datetime | None = None


class Outer(Struct):
    inner: list[Inner]
    title: str = ""


def told(value: object, wanted: Any) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, wanted)
    issue = violation(refused.value, wanted, value)
    return issue.location, issue.message


@pytest.mark.parametrize(
    ("value", "wanted", "message"),
    [
        ("OK", RunOutcome, "'OK' is not known; send PASS, FAIL, ERROR, TIMEOUT or ABORTED"),
        ("OK", RunOutcome | None, "'OK' is not known; send PASS, FAIL, ERROR, TIMEOUT or ABORTED"),
        ("x", Literal["asc", "desc"], "'x' is not known; send asc or desc"),
        (7, Literal[1, 2], "7 is not known; send 1 or 2"),
        ("x", Literal["only"], "'x' is not known; send only"),
        ("soon", datetime, "'soon' is no date and time; send one such as 2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00", Annotated[datetime, Meta(tz=True)], "no time zone; send one such as 2026-01-31T"),
        ("soon", date, "'soon' is no date; send one such as 2026-01-31"),
        ("1 s", timedelta, "'1 s' is no duration; send one such as PT2M30S"),
        ("FVT1", UUID, "'FVT1' is no UUID; send one such as "),
        ([1], Inner, "Expected an object with name, got `array`"),
        ("x", Outer | None, "Expected an object with inner, got `str`"),
        ("x", int, "Expected `int`, got `str`"),
    ],
)  # fmt: skip
def test_a_message_says_what_was_sent_and_what_may_be(value: object, wanted: Any, message: str):
    location, said = told(value, wanted)
    assert location == ""
    assert message in said


def test_the_value_is_that_of_the_place():
    body = {"inner": [{"name": "a"}, {"name": "b", "at": "never"}]}
    assert told(body, Outer) == (
        "inner.1.at",
        "'never' is no date and time; send one such as 2026-01-31T12:00:00Z",
    )
    assert told({"inner": [{}]}, Outer) == ("inner.0.name", "required")
    assert told({"a": "OK"}, dict[str, RunOutcome])[1] == "Invalid enum value 'OK'"


def test_messages_are_bounded():
    said = told("x" * 10_000, MANY)[1]
    assert said.startswith("'xxx")
    assert said.endswith(" or one of 30 more")
    assert len(said) < 500
    assert len(told("x" * 10_000, datetime)[1]) < 200


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists) | st.dictionaries(st.text(), st.text()))
def test_there_is_something_to_say_of_any_value(value: object):
    assert told(value, Outer)[1]
