"""The content of a file: its unpacked bytes and their digest."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, cast

from runcard.importers.content.unpacking import is_packed, unpacked

_IN_MEMORY_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 20


class Content(NamedTuple):
    """file: at its start, and able to seek. digest: SHA-256 of the unpacked bytes, however the file was packed."""

    file: BinaryIO
    digest: bytes


@contextmanager
def open_content(file: BinaryIO) -> Iterator[Content]:
    """The content of a file, unpacked if it is packed by gzip or bzip2; on disk if it is larger than 8 MiB.

    The file must be able to seek. Raises UnreadableReport if packed data are damaged or cut short, and PayloadTooLarge
    if they unpack to too many bytes.
    """
    if not is_packed(file):
        digest = packed_digest(file)
        file.seek(0)
        yield Content(file, digest)
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as plain, unpacked(file) as blocks:
        seen = hashlib.sha256()
        while block := blocks.read(_BLOCK_BYTES):
            seen.update(block)
            plain.write(block)
        plain.seek(0)
        yield Content(cast(BinaryIO, plain), seen.digest())


def packed_digest(file: BinaryIO) -> bytes:
    """The SHA-256 of a file as it is, without unpacking it."""
    file.seek(0)
    seen = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        seen.update(block)
    return seen.digest()
