"""The files that a command is to read: named ones, those of folders and patterns, and what lies in ZIP archives."""

import glob
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.importers.unpacking import FREE_BYTES, MAX_RATIO

_ZIP = b"PK\x03\x04"
_WORKBOOK_MEMBER = "[Content_Types].xml"
_IN_MEMORY_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 20
_ENCRYPTED = 0x1
# What zipfile raises for damaged archives, and for such as are packed in ways that it does not know.
_DAMAGE = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class FoundFile(NamedTuple):
    """member: what is meant of a ZIP archive; None: the file itself. is_named: somebody named just this file."""

    path: Path
    member: str | None = None
    is_named: bool = False

    @property
    def name(self) -> str:
        """Where it lies, for people."""
        return str(self.path) if self.member is None else f"{self.path}: {self.member}"

    @property
    def short_name(self) -> str:
        """Its name without where it lies."""
        return self.path.name if self.member is None else Path(self.member).name or self.path.name

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, able to seek. Raises UnreadableReport, PayloadTooLarge and OSError."""
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
            content = cast(BinaryIO, spooled)
            with _reading(), zipfile.ZipFile(self.path) as archive:
                _unpack(archive, archive.getinfo(self.member), content)
            content.seek(0)
            yield content


def find_files(paths: Sequence[str]) -> Iterator[FoundFile]:
    """The files that are meant, those of a folder in the order of their names; hidden ones only where they are named.

    Raises InvalidInput for a path that leads to nothing, before the first is told.
    """
    matched = [(path, _matches(path)) for path in paths]
    for path, matches in matched:
        for match in matches:
            if match.is_dir():
                yield from (one for found in files_in(match) for one in members(FoundFile(found)))
            else:
                yield from members(FoundFile(match, is_named=str(match) == path))


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder that are not hidden, in the order of their names."""
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(directory, name) for name in sorted(names) if not name.startswith("."))


def members(file: FoundFile) -> Iterator[FoundFile]:
    """What lies in a ZIP archive; a file that is none itself, and one that is damaged, too."""
    if not _is_archive(file.path):
        yield file
        return
    with zipfile.ZipFile(file.path) as archive:
        for info in archive.infolist():
            hidden = any(part.startswith((".", "__MACOSX")) for part in Path(info.filename).parts)
            if not info.is_dir() and not hidden:
                yield FoundFile(file.path, info.filename)


def _matches(path: str) -> Sequence[Path]:
    if Path(path).exists():
        return [Path(path)]
    found = [Path(one) for one in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207 (an absolute pattern)
    if not found:
        raise InvalidInput.at(
            "path", f"{path}: there is no such file or folder, and nothing that matches it."
        )
    return found


def _is_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive that can be looked into; a workbook of Excel is one to the eye only."""
    try:
        with path.open("rb") as file:
            if file.read(len(_ZIP)) != _ZIP:
                return False
        with zipfile.ZipFile(path) as archive:
            return _WORKBOOK_MEMBER not in archive.namelist()
    except (OSError, *_DAMAGE):
        return False


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: BinaryIO) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableReport("It is encrypted inside of its archive. Unpack it first.")
    bound = FREE_BYTES + MAX_RATIO * info.compress_size
    with archive.open(info) as packed:
        while block := packed.read(_BLOCK_BYTES):
            content.write(block)
            if content.tell() > bound:
                raise PayloadTooLarge(f"It unpacks to more than {MAX_RATIO} times its size. Unpack it first.")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UnreadableReport(f"The archive is damaged or cut short: {error}. Copy it again.") from error
