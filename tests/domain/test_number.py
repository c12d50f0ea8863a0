"""Integers of 64 bits are kept; what is wrong with others is told with its place, in a few words."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput
from runcard.domain.metadata import check_metadata
from runcard.domain.number import is_kept_integer, too_large_integers
from runcard.domain.runs.parameter import Parameter


@given(st.integers(62, 66).flatmap(lambda bits: st.integers(-(2**bits) - 2, 2**bits + 2)))
def test_what_is_kept_can_be_packed(number: int) -> None:
    try:
        packed = msgspec.msgpack.encode(number)
    except OverflowError:
        packed = None
    # Of the unsigned ones that could be packed, SQLite and PostgreSQL would keep none.
    assert is_kept_integer(number) == (packed is not None and number < 2**63)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, 10**4299, 10**5000], ids=int.bit_length)
def test_metadata_refuse_what_does_not_fit(number: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_metadata("metadata", {"a": 1, "n": number, "b": 2.5})
    [issue] = refused.value.issues
    assert issue.location == "metadata.n"
    assert "64 bits" in issue.message
    assert len(issue.message) < 150


def test_each_is_told_with_its_place() -> None:
    value = {"a": [1, 2**70, True], "b": (Parameter("k", -(2**70)),), "c": {"d": 2**63 - 1}}
    assert [issue.location for issue in too_large_integers(value)] == ["a.1", "b.0.value"]
