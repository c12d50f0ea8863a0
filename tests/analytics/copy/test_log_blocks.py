"""Blocks of lines: what is written in one has all its marks set there."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.copy import log_blocks
from runcard.analytics.copy.log_blocks import blocks_of, marks_of

messages = st.lists(st.text("ab \0ß€𝄞", max_size=12) | st.text(max_size=40), min_size=1, max_size=12)


def table(runs: list[list[str]]) -> pa.Table:
    """As new rows of `logs`."""
    lines = [(run, place, text) for run, texts in enumerate(runs) for place, text in enumerate(texts)]
    numbers, places, texts = zip(*lines, strict=True)
    return pa.table(
        {
            "run": pa.array(numbers, pa.int64()),
            "procedure": pa.array([7] * len(lines), pa.int32()),
            "position": pa.array(places, pa.int32()),
            "folded_message": pa.array(texts, pa.string()),
        }
    )


def may_hold(marks: list[int], text: str) -> bool:
    return all(marks[place % len(marks)] & bits == bits for place, bits in marks_of(text).items())


@given(
    st.lists(messages, min_size=1, max_size=4),
    st.sampled_from([1, 20, 4096]),
    st.sampled_from([1, 50, 60_000]),
)
def test_every_part_of_a_message_is_marked_in_its_block(
    runs: list[list[str]], block_bytes: int, slice_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_blocks, "_BLOCK_BYTES", block_bytes)
        patch.setattr(log_blocks, "_SLICE_BYTES", slice_bytes)
        blocks = blocks_of(table(runs)).to_pylist()
    covered = [(one["run"], place) for one in blocks for place in range(one["first"], one["last"] + 1)]
    assert covered == [(run, place) for run, texts in enumerate(runs) for place in range(len(texts))]
    for block in blocks:
        for message in runs[block["run"]][block["first"] : block["last"] + 1]:
            for begin in range(len(message)):
                for end in (begin + 1, begin + 3, len(message)):
                    assert may_hold(block["marks"], message[begin:end])


@given(st.lists(messages, min_size=1, max_size=4))
def test_blocks_are_the_same_whatever_they_are_copied_with(runs: list[list[str]]) -> None:
    together = blocks_of(table(runs)).to_pylist()
    apart = [
        {**block, "run": run}
        for run, texts in enumerate(runs)
        for block in blocks_of(table([texts])).to_pylist()
    ]
    assert together == apart


@pytest.mark.parametrize("lines", [1, 5, 40, 400])
def test_blocks_of_any_size_rule_out_most_texts(lines: int) -> None:
    blocks = blocks_of(
        table([[f"{place:03}: voltage of rail {place % 7}" for place in range(lines)]])
    ).to_pylist()
    others = [f"{first}{second}qx{second}" for first in "jkwz" for second in "hmpq"]
    passed = [(block, text) for block in blocks for text in others if may_hold(block["marks"], text)]
    assert 10 * len(passed) < len(blocks) * len(others)
    assert len(blocks) < 1 + lines / 20


def test_a_text_of_less_than_three_bytes_rules_out_nothing() -> None:
    assert [dict(marks_of(text)) for text in ("", "a", "ab", "ß")] == [{}] * 4
    assert marks_of("€")
