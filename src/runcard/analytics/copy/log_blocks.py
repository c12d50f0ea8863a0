"""Blocks of the lines that a run logged. A block has marks of its text, so that a search can skip most blocks.

The marks are a Bloom filter: a hash of each three bytes in a row of a block's messages sets one mark. A block that
lacks a mark of a text does not hold the text; a block that has them all may hold it. The marks are the bits of the
numbers in a list, whose length is a power of two: a small block has few numbers.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# A larger block may hold more texts; smaller blocks are more to look at.
_BLOCK_BYTES = 4096
# With these, a block of 1 kB (40 lines of 25 bytes, or 10 of 100) has a fourth of its marks set.
_LONGEST = 32
_BYTES_A_NUMBER = 24
# Bytes that are marked at once: the intermediate arrays should stay in the processor's cache.
_SLICE_BYTES = 60_000

_BITS = 64
_GRAM = 3
# Knuth's multiplicative hashing, whose highest bits are the best.
_MULTIPLIER = np.uint32(2_654_435_761)
_SHIFT = np.uint32(32 - (_LONGEST * _BITS - 1).bit_length())

Integers = NDArray[np.int64]


def blocks_of(logs: pa.Table) -> pa.Table:
    """The blocks of new rows of `logs`, which hold the lines of each run together and in order."""
    found = []
    for lines in logs.to_batches():
        starts, _ = _bytes_of(lines["folded_message"])
        begins = _begins(lines["run"].to_numpy())
        cuts = [*begins[_begins(starts[begins] // _SLICE_BYTES)].tolist(), len(lines)]
        found += [_blocks_of(lines.slice(begin, end - begin)) for begin, end in pairwise(cuts)]
    return pa.concat_tables(found)


def marks_of(text: str) -> Mapping[int, int]:
    """The marks of a text, which each block that holds it has set: place in the longest list, and bits of its number.

    In a shorter list the number is at the place modulo the length. Empty for a text of fewer than three bytes.
    """
    marks: dict[int, int] = {}
    for mark in _hashes(np.frombuffer(text.encode(), np.uint8)).tolist():
        place, bit = divmod(mark, _BITS)
        marks[place] = marks.get(place, 0) | 1 << bit
    return {place: bits - (bits >> (_BITS - 1) << _BITS) for place, bits in marks.items()}


def _blocks_of(lines: pa.RecordBatch) -> pa.Table:
    runs, positions = lines["run"].to_numpy(), lines["position"].to_numpy()
    starts, written = _bytes_of(lines["folded_message"])
    sizes = np.diff(starts)
    of_runs = _begins(runs)
    into_run = starts[:-1] - np.repeat(starts[of_runs], np.diff(of_runs, append=len(runs)))
    begins = _begins(runs, into_run // _BLOCK_BYTES)
    line_counts = np.diff(begins, append=len(runs))
    lengths = _lengths(np.add.reduceat(sizes, begins))
    ends = np.cumsum(lengths)
    marks = _marks(
        starts, written, np.repeat(ends - lengths, line_counts), np.repeat(lengths, line_counts), ends[-1]
    )
    return pa.table(
        {
            "run": runs[begins],
            "procedure": lines["procedure"].to_numpy()[begins],
            "first": positions[begins],
            "last": positions[begins + line_counts - 1],
            "marks": pa.ListArray.from_arrays(np.concatenate(([0], ends)).astype(np.int32), marks),
        }
    )


def _marks(
    starts: Integers, written: NDArray[np.uint8], begins: Integers, lengths: Integers, count: int
) -> Integers:
    """The marks of all blocks as `count` numbers.

    begins, lengths: for each line, where the numbers of its block begin, and how many they are.
    """
    marks = np.zeros(count * _BITS, np.bool_)
    # Three bytes that reach over the end of a message set the first mark, which every block has.
    marks[begins * _BITS] = True
    if len(written) >= _GRAM:
        sizes = np.diff(starts)
        hashes = _hashes(written)
        over_borders = np.concatenate((starts[1:-1] - 1, starts[1:-1] - 2))
        hashes[over_borders[(over_borders >= 0) & (over_borders < len(hashes))]] = 0
        hashes &= np.repeat((lengths * _BITS - 1).astype(np.uint32), sizes)[: len(hashes)]
        marks[np.repeat(begins * _BITS, sizes)[: len(hashes)] + hashes] = True
    return np.packbits(marks, bitorder="little").view("<i8")


def _lengths(sizes: Integers) -> Integers:
    """The length of the list of marks, for blocks of these sizes in bytes."""
    powers = 2 ** np.arange(_LONGEST.bit_length())
    return powers[np.searchsorted(powers[:-1], sizes / _BYTES_A_NUMBER)]


def _bytes_of(texts: pa.StringArray) -> tuple[Integers, NDArray[np.uint8]]:
    """Where each text starts and where the last one ends, and the bytes of all texts."""
    _, offsets, written = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    if written is None:
        return starts, np.empty(0, np.uint8)
    return starts - starts[0], np.frombuffer(written, np.uint8)[starts[0] : starts[-1]]


def _begins(*columns: Integers) -> Integers:
    """The places at which a value differs from the one before, in any of these columns."""
    is_other = np.zeros(len(columns[0]), np.bool_)
    is_other[:1] = True
    for column in columns:
        is_other[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_other)


def _hashes(written: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The mark of each three consecutive bytes."""
    wide = written.astype(np.uint32)
    grams: NDArray[np.uint32] = wide[:-2] | wide[1:-1] << np.uint32(8) | wide[2:] << np.uint32(16)
    grams *= _MULTIPLIER
    grams >>= _SHIFT
    return grams
