"""The files in ZIP archives of report files."""

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import SEEK_END
from pathlib import PurePath
from typing import BinaryIO, cast

from runcard.domain.errors import PayloadTooLarge, UnreadableReport
from runcard.importers.content.unpacking import FREE_BYTES, MAX_RATIO

_ZIP = b"PK\x03\x04"
_WORKBOOK_MEMBER = "[Content_Types].xml"
_IN_MEMORY_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 20
_ENCRYPTED = 0x1
# What zipfile raises for archives that are damaged, or packed in a way that it does not know.
_DAMAGE = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


def members(file: BinaryIO) -> Sequence[str] | None:
    """The names of the files in a ZIP archive, without hidden ones; None if the file is no archive that can be read.

    An Excel workbook does not count as an archive. The file must be able to seek, and is at its start afterwards.
    """
    file.seek(0)
    try:
        if file.read(len(_ZIP)) != _ZIP:
            return None
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
    except (OSError, *_DAMAGE):
        return None
    finally:
        file.seek(0)
    if any(info.filename == _WORKBOOK_MEMBER for info in found):
        return None
    return [info.filename for info in found if not info.is_dir() and not _is_hidden(info.filename)]


@contextmanager
def open_member(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """A file in a ZIP archive, unpacked and able to seek. Raises UnreadableReport and PayloadTooLarge."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
        content = cast(BinaryIO, spooled)
        unpack_member(file, name, content)
        content.seek(0)
        yield content


def unpack_member(file: BinaryIO, name: str, content: BinaryIO) -> None:
    """Write the bytes of a file in a ZIP archive to `content`. Raises UnreadableReport and PayloadTooLarge."""
    try:
        with zipfile.ZipFile(file) as archive:
            _check_size(archive, file)
            _unpack(archive, archive.getinfo(name), content)
    except _DAMAGE as error:
        raise UnreadableReport(f"The archive is damaged or cut short: {error}. Copy it again.") from error


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePath(name).parts)


def _check_size(archive: zipfile.ZipFile, file: BinaryIO) -> None:
    """Check that the archive does not unpack to too many bytes. Raises PayloadTooLarge.

    The sizes are those in the archive's directory: zipfile unpacks no more of a member than they say.
    """
    unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > FREE_BYTES + MAX_RATIO * file.seek(0, SEEK_END):
        raise PayloadTooLarge(
            f"The archive unpacks to {unpacked} bytes, more than {MAX_RATIO} times its size. Unpack it first."
        )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: BinaryIO) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableReport("The file is encrypted in its archive. Unpack it first.")
    bound = FREE_BYTES + MAX_RATIO * info.compress_size
    with archive.open(info) as packed:
        while block := packed.read(_BLOCK_BYTES):
            content.write(block)
            if content.tell() > bound:
                raise PayloadTooLarge(
                    f"The file unpacks to more than {MAX_RATIO} times its size. Unpack it first."
                )
