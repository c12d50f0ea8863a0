"""Unpack files (gzip, bzip2) while they are read. The first bytes say how a file is packed."""

import bz2
import gzip
import io
import zlib
from typing import BinaryIO, cast

from runcard.domain.errors import PayloadTooLarge, UnreadableReport

# Measured data shrink 20 to 50 times. A file that shrinks more than MAX_RATIO, beyond FREE_BYTES, is an attack.
MAX_RATIO = 200
FREE_BYTES = 64 << 20

_BLOCK_BYTES = 256 << 10
# The first bytes of packed files.
GZIP, BZIP2 = b"\x1f\x8b", b"BZh"


def unpacked(file: BinaryIO) -> io.BufferedReader:
    """The content of a file from its start, unpacked while it is read. `file` must be able to seek.

    Reading raises UnreadableReport where packed data are damaged or cut short, and PayloadTooLarge where they unpack to
    more than FREE_BYTES plus MAX_RATIO times the packed bytes read so far.
    """
    magic = _magic(file)
    if magic.startswith(GZIP):
        inner: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))
    elif magic == BZIP2:
        inner = cast(BinaryIO, bz2.BZ2File(file))
    else:
        inner = file
    return io.BufferedReader(_Bounded(file, inner), _BLOCK_BYTES)


def is_packed(file: BinaryIO) -> bool:
    """Whether a file is packed by gzip or bzip2. `file` must be able to seek; it is left at its start."""
    return _magic(file).startswith((GZIP, BZIP2))


def _magic(file: BinaryIO) -> bytes:
    file.seek(0)
    magic = file.read(3)
    file.seek(0)
    return magic


class _Bounded(io.RawIOBase):
    def __init__(self, packed: BinaryIO, inner: BinaryIO) -> None:
        super().__init__()
        self._packed = packed
        self._inner = inner
        self._taken_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what a BufferedReader gives
        try:
            block = self._inner.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            raise UnreadableReport(
                f"The packed file is damaged or cut short: {error}. Upload it whole."
            ) from error
        self._taken_bytes += len(block)
        bound = FREE_BYTES + MAX_RATIO * self._packed.tell()
        if self._inner is not self._packed and self._taken_bytes > bound:
            raise PayloadTooLarge(
                f"The file unpacks to more than {MAX_RATIO} times its size. Upload it without packing it."
            )
        buffer[: len(block)] = block
        return len(block)
