"""Files are told once they are complete, and once only. Time is what the tests say it is."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runcard.cli.files.watching import Settling, Stamp, watched_files

A, B = Path("a"), Path("b")


def test_a_file_is_complete_when_it_has_not_changed_for_so_long() -> None:
    settling = Settling(5)
    looks = [(0, 10), (4, 10), (6, 20), (10, 20), (11, 20), (12, 20)]
    told = [settling.settled({A: Stamp(size, 1)}, now) for now, size in looks]
    assert told == [[], [], [], [], [A], []]


def test_a_file_that_is_written_anew_is_told_anew() -> None:
    settling = Settling(1)
    looks = [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2)]
    told = [settling.settled({A: Stamp(10, modified)}, now) for now, modified in looks]
    assert told == [[], [A], [], [A], []]


def test_a_file_that_was_away_is_told_anew() -> None:
    settling = Settling(1)
    there = {A: Stamp(10, 1)}
    told = [settling.settled(files, now) for now, files in enumerate((there, there, {}, there, there))]
    assert told == [[], [A], [], [], [A]]


def test_an_empty_file_is_not_complete() -> None:
    settling = Settling(1)
    assert [settling.settled({A: Stamp(0, 1)}, now) for now in range(4)] == [[]] * 4


@given(st.lists(st.tuples(st.floats(0.1, 3), st.integers(0, 2), st.integers(0, 2)), max_size=30))
def test_what_is_told_has_not_changed_for_so_long(steps: list[tuple[float, int, int]]) -> None:
    settling, now_s = Settling(2), 0.0
    changed_s: dict[Path, tuple[Stamp, float]] = {}
    for after_s, size, modified in steps:
        now_s += after_s
        files = {A: Stamp(size, modified), B: Stamp(5, 5)}
        for path, stamp in files.items():
            if path not in changed_s or changed_s[path][0] != stamp:
                changed_s[path] = (stamp, now_s)
        for path in settling.settled(files, now_s):
            stamp, since_s = changed_s[path]
            assert stamp.size_bytes > 0
            assert now_s - since_s >= 2


def test_a_folder_is_watched_while_testers_write_into_it(tmp_path: Path) -> None:
    """The clock moves only while the watcher waits, and then the tester goes on."""
    now_s = 0.0
    (tmp_path / "old.xml").write_bytes(b"old")

    def tester() -> Iterator[None]:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "half.xml").write_bytes(b"half")
        yield
        with (tmp_path / "new" / "half.xml").open("ab") as file:
            file.write(b" and half")
        yield
        (tmp_path / "old.xml").unlink()
        yield

    writing = tester()

    def wait(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds
        next(writing, None)

    told = islice(watched_files(tmp_path, 5, lambda: now_s, wait), 2)
    assert [(path.name, now_s) for path in told] == [("old.xml", 5.0), ("half.xml", 15.0)]
    assert (tmp_path / "new" / "half.xml").read_bytes() == b"half and half"
