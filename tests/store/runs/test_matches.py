"""Ids of many runs in little room."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from runcard.store.runs.matches import PackedIds


@given(st.lists(st.uuids(), max_size=50), st.integers(1, 12))
def test_packed_ids_come_back_in_their_order(ids: list[UUID], size: int):
    packed = PackedIds()
    for one in ids:
        packed.add(one)
    chunks = list(packed.in_chunks(size))
    assert [one for chunk in chunks for one in chunk] == ids
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert len(packed) == len(ids)
