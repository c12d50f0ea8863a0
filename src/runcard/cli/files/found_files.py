"""Find the files for a command: named files, those in folders or matched by patterns, and members of ZIP archives."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import InvalidInput
from runcard.ingest import archives


class FoundFile(NamedTuple):
    """member: the member of a ZIP archive; None: the file itself. is_named: the user named exactly this file."""

    path: Path
    member: str | None = None
    is_named: bool = False

    @property
    def name(self) -> str:
        """Its path, and the member of the archive, for people."""
        return str(self.path) if self.member is None else f"{self.path}: {self.member}"

    @property
    def short_name(self) -> str:
        """Its name without folder and archive."""
        return self.path.name if self.member is None else Path(self.member).name or self.path.name

    @property
    def place(self) -> str:
        """Its path as a text for patterns, with the member of the archive."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The content of the file, which can seek. Raises UnreadableReport, PayloadTooLarge and OSError."""
        with self.path.open("rb") as file:
            if self.member is None:
                yield file
                return
            with archives.open_member(file, self.member) as content:
                yield content


def find_files(paths: Sequence[str]) -> Iterator[FoundFile]:
    """The files that the paths stand for, in a folder ordered by name. Hidden files are found only if they are named.

    Raises InvalidInput for a path that leads to nothing, before it yields the first file.
    """
    matched = [(path, _matches(path)) for path in paths]
    for path, matches in matched:
        for match in matches:
            if match.is_dir():
                yield from (member for found in files_in(match) for member in members(FoundFile(found)))
            else:
                yield from members(FoundFile(match, is_named=str(match) == path))


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder that are not hidden, ordered by name."""
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(directory, name) for name in sorted(names) if not name.startswith("."))


def members(file: FoundFile) -> Iterator[FoundFile]:
    """The members of a ZIP archive; the file itself where it is no archive, is damaged or cannot be read."""
    try:
        with file.path.open("rb") as content:
            names = archives.members(content)
    except OSError:
        names = None
    yield from [file] if names is None else [FoundFile(file.path, name) for name in names]


def _matches(path: str) -> Sequence[Path]:
    if Path(path).exists():
        return [Path(path)]
    found = [Path(match) for match in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207 (an absolute pattern)
    if not found:
        raise InvalidInput.at(
            "path", f"{path}: there is no such file or folder, and nothing that matches it. Check the path."
        )
    return found
