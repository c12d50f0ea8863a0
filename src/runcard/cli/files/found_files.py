"""The files that a command is to read: named ones, those of folders and patterns, and what lies in ZIP archives."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import InvalidInput
from runcard.ingest import archives


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

    @property
    def place(self) -> str:
        """Its name with where it lies, as patterns look at it."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, able to seek. Raises UnreadableReport, PayloadTooLarge and OSError."""
        with self.path.open("rb") as file:
            if self.member is None:
                yield file
                return
            with archives.open_member(file, self.member) as content:
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
    """What lies in a ZIP archive; a file that is none itself, and one that is damaged or cannot be read, too."""
    try:
        with file.path.open("rb") as content:
            names = archives.members(content)
    except OSError:
        names = None
    yield from [file] if names is None else [FoundFile(file.path, name) for name in names]


def _matches(path: str) -> Sequence[Path]:
    if Path(path).exists():
        return [Path(path)]
    found = [Path(one) for one in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207 (an absolute pattern)
    if not found:
        raise InvalidInput.at(
            "path", f"{path}: there is no such file or folder, and nothing that matches it."
        )
    return found
