"""Writers of one SQLite file take turns, and nobody is passed over."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runcard.store.engine.turns import Turns


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runcard.sqlite3"


@pytest.fixture
def turns(path: Path) -> Iterator[Turns]:
    with closing(Turns(path)) as mine:
        yield mine


def is_locked(path: Path, which: str) -> bool:
    file = os.open(path.with_name(f"{path.name}-{which}"), os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def wait_until_somebody_waits(path: Path) -> None:
    while not is_locked(path, "next"):
        pass


def test_whoever_waits_comes_before_the_one_who_has_just_had_a_turn(path: Path, turns: Turns):
    order: list[str] = []

    def other() -> None:
        with closing(Turns(path)) as theirs, theirs.taken():
            order.append("other")

    thread = threading.Thread(target=other)
    with turns.taken():
        thread.start()
        wait_until_somebody_waits(path)
        order.append("first")
    with turns.taken():
        order.append("first again")
    thread.join()
    assert order == ["first", "other", "first again"]


def test_a_turn_ends_with_an_error(path: Path, turns: Turns):
    with pytest.raises(ZeroDivisionError), turns.taken():
        raise ZeroDivisionError
    assert not is_locked(path, "turn")
    assert not is_locked(path, "next")


def test_a_process_that_dies_has_had_its_turn(path: Path, turns: Turns):
    code = (
        "import sys; from pathlib import Path; from runcard.store.engine.turns import Turns\n"
        "with Turns(Path(sys.argv[1])).taken(): print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        assert is_locked(path, "turn")
        process.kill()
    with turns.taken():
        assert is_locked(path, "turn")
