"""A folder that testers write into: its files are told when they are complete."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runcard.cli.files.found_files import files_in


class Stamp(NamedTuple):
    """What changes while a file is written."""

    size_bytes: int
    modified_ns: int


class Settling:
    """Which files are complete: those that have not been empty, and not changed, for `settle_s` seconds."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[Path, tuple[Stamp, float]] = {}
        self._told: dict[Path, Stamp] = {}

    def settled(self, files: Mapping[Path, Stamp], now_s: float) -> list[Path]:
        """Those of all files there are that are complete by now, each once as long as it stays as it is."""
        self._since = {path: since for path, since in self._since.items() if path in files}
        self._told = {path: stamp for path, stamp in self._told.items() if path in files}
        complete = []
        for path, stamp in files.items():
            before, since_s = self._since.get(path, (None, now_s))
            if stamp != before:
                self._since[path] = (stamp, now_s)
                since_s = now_s
            if stamp.size_bytes and self._told.get(path) != stamp and now_s - since_s >= self._settle_s:
                self._told[path] = stamp
                complete.append(path)
        return complete


def watched_files(
    folder: Path, settle_s: float, clock: Callable[[], float], wait: Callable[[float], None]
) -> Iterator[Path]:
    """Files of a folder and its subfolders as they are complete, without end. clock: seconds; wait: for so many."""
    settling = Settling(settle_s)
    while True:
        yield from settling.settled(_stamps(folder), clock())
        wait(settle_s)


def _stamps(folder: Path) -> dict[Path, Stamp]:
    stamps = {}
    for path in files_in(folder):
        # It may have been moved away since it was listed.
        with suppress(FileNotFoundError):
            said = path.stat()
            stamps[path] = Stamp(said.st_size, said.st_mtime_ns)
    return stamps
