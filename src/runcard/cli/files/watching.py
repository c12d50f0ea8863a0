"""Watch a folder that testers write to, and find its files as soon as they are complete."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runcard.cli.files.found_files import files_in


class Stamp(NamedTuple):
    """The values that change while a file is written."""

    size_bytes: int
    modified_ns: int


class Settling:
    """Finds the files that are complete: those that are not empty and have not changed for `settle_s` seconds."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[Path, tuple[Stamp, float]] = {}
        self._found: dict[Path, Stamp] = {}

    def settled(self, files: Mapping[Path, Stamp], now_s: float) -> list[Path]:
        """The files that are complete now. Each is returned once, and again only after it has changed.

        files: all files of the folder. now_s: a time that only grows.
        """
        self._since = {path: since for path, since in self._since.items() if path in files}
        self._found = {path: stamp for path, stamp in self._found.items() if path in files}
        complete = []
        for path, stamp in files.items():
            before, since_s = self._since.get(path, (None, now_s))
            if stamp != before:
                self._since[path] = (stamp, now_s)
                since_s = now_s
            if stamp.size_bytes and self._found.get(path) != stamp and now_s - since_s >= self._settle_s:
                self._found[path] = stamp
                complete.append(path)
        return complete


def watched_files(
    folder: Path, settle_s: float, clock: Callable[[], float], wait: Callable[[float], None]
) -> Iterator[Path]:
    """The files of a folder and its subfolders, each as soon as it is complete, without end.

    clock: returns seconds. wait: waits for a number of seconds.
    """
    settling = Settling(settle_s)
    while True:
        yield from settling.settled(_stamps(folder), clock())
        wait(settle_s)


def _stamps(folder: Path) -> dict[Path, Stamp]:
    stamps = {}
    for path in files_in(folder):
        # The file may have been moved away since it was listed.
        with suppress(FileNotFoundError):
            status = path.stat()
            stamps[path] = Stamp(status.st_size, status.st_mtime_ns)
    return stamps
