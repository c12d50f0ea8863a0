"""Folders with a file of checksums, in the format of `sha256sum --check`."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from runcard.cli.terminal.output import progress_bar
from runcard.domain.errors import InvalidInput, UnreadableReport

T = TypeVar("T")

_SUMS = "SHA256SUMS"
_SHOWN = 3


def write_sums(folder: Path) -> None:
    """Write the checksum of every file in a folder to its SHA256SUMS."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in shown(paths, "Checking")]
    with (folder / _SUMS).open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def check_sums(folder: Path, needed: str) -> None:
    """Check every file of a folder against its SHA256SUMS. needed: a file that the folder must have.

    Raises InvalidInput where SHA256SUMS or `needed` is missing, and UnreadableReport for missing or changed files.
    """
    sums = folder / _SUMS
    if not sums.is_file() or not (folder / needed).is_file():
        raise InvalidInput.at(
            "source", f"{folder} is not complete: it has no {_SUMS} or no {needed}. Name another folder."
        )
    listed = dict(line.split("  ", 1)[::-1] for line in sums.read_text("utf-8").splitlines())
    wrong = [
        name
        for name, digest in shown(listed.items(), "Checking")
        if not (folder / name).is_file() or _digest(folder / name) != digest
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise UnreadableReport(
            f"{folder} is damaged: {', '.join(wrong[:_SHOWN])}{more} missing or changed. Use another backup."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shown(things: Iterable[T], what: str) -> Iterator[T]:
    """The things, while a progress bar shows how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with progress_bar(*columns) as progress:
        yield from progress.track(things, description=what)
