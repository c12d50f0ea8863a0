"""The file that runs wait in."""

import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard_client import FileReport, InvalidReport, SpoolUnusable
from runcard_client.spool import Spool, SpoolCounts


def add(spool: Spool, ref: str, body: bytes = b"{}", *files: FileReport) -> None:
    spool.add(ref, "Board", "SN-1", body, files)


def waiting(spool: Spool) -> list[str]:
    """The refs in the order in which they would be sent; the spool is empty afterwards."""
    refs = []
    while (run := spool.first_waiting()) is not None:
        refs.append(run.client_run_ref)
        spool.remove(run.seq)
    return refs


def test_a_run_that_was_added_is_in_the_log_on_the_disk(spool: Spool, spool_path: Path):
    """What was committed with these two survives a power cut: https://sqlite.org/pragma.html#pragma_synchronous."""
    assert spool._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    add(spool, "a")
    other = Spool(spool_path)
    assert waiting(other) == ["a"]
    other.close()


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "send", "park", "retry"]), st.integers(0, 2**16)), max_size=30
    )
)
def test_runs_go_in_the_order_of_their_coming(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
):
    """Whatever is sent, parked and tried again in between: the next is the oldest of those that wait."""
    spool = Spool(tmp_path_factory.mktemp("spool") / "spool.sqlite3")
    waits: list[str] = []
    parked: list[str] = []
    for number, (step, chance) in enumerate(steps):
        ref = f"{number:03}"
        if step == "add":
            add(spool, ref)
            waits.append(ref)
        elif step == "retry" and parked:
            ref = parked.pop(chance % len(parked))
            assert spool.retry(ref) == 1
            waits = sorted([*waits, ref])
        elif step in ("send", "park"):
            run = spool.first_waiting()
            assert (run and run.client_run_ref) == (waits[0] if waits else None)
            if run is not None:
                waits.pop(0)
                if step == "send":
                    spool.remove(run.seq)
                else:
                    spool.park(run.seq, "no")
                    parked.append(run.client_run_ref)
        assert spool.counts() == SpoolCounts(len(waits), len(parked))
    assert [run.client_run_ref for run in spool.parked()] == sorted(parked)
    assert waiting(spool) == waits
    spool.close()


def test_the_same_run_under_the_same_ref_waits_once(spool: Spool):
    for _ in range(2):
        add(spool, "a", b"{1}", FileReport("a.txt", b"a"))
    assert spool.counts() == SpoolCounts(1, 0)
    with pytest.raises(InvalidReport, match="client_run_ref 'a' names another run that waits"):
        add(spool, "a", b"{2}")
    assert waiting(spool) == ["a"]


def test_files_go_with_their_run(spool: Spool):
    add(spool, "a", b"{}", FileReport("a.txt", b"\0\xff", "text/plain"))
    run = spool.first_waiting()
    assert run is not None
    assert spool.file(run.seq, 0) == FileReport("a.txt", b"\0\xff", "text/plain")
    spool.note_uploaded(run.seq, 0, "upload")
    assert spool.files(run.seq) == [(0, "upload")]
    spool.remove(run.seq)
    assert spool.files(run.seq) == []


def test_only_a_parked_run_is_discarded(spool: Spool):
    add(spool, "a")
    assert spool.discard("a") == 0
    run = spool.first_waiting()
    assert run is not None
    spool.park(run.seq, "no")
    assert spool.discard("a") == 1
    assert spool.counts() == SpoolCounts(0, 0)


def test_one_sends_at_a_time(spool: Spool, spool_path: Path):
    other = Spool(spool_path)
    with spool.sending() as first, other.sending() as second, spool.sending() as third:
        assert (first, second, third) == (True, False, False)
    with other.sending() as fourth:
        assert fourth
    other.close()


def test_a_sender_that_is_killed_leaves_the_spool_to_others(
    spool: Spool, station_python: Path, spool_path: Path
):
    program = (
        "import sys, pathlib; from runcard_client.spool import Spool\n"
        "with Spool(pathlib.Path(sys.argv[1])).sending() as ours:\n"
        "    print(ours, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [station_python, "-c", program, spool_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with spool.sending() as ours:
            assert not ours
        other.kill()
        other.wait()
        with spool.sending() as ours:
            assert ours


def test_processes_may_open_a_new_spool_at_once(spool_path: Path):
    opened: list[Spool] = []
    together = threading.Barrier(8)

    def open_it() -> None:
        together.wait()
        one = Spool(spool_path)
        add(one, threading.current_thread().name)
        opened.append(one)

    threads = [threading.Thread(target=open_it, name=str(number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    assert sorted(waiting(opened[0])) == [str(number) for number in range(8)]
    for one in opened:
        one.close()


def test_a_spool_that_cannot_be_used_says_which_and_why(tmp_path: Path):
    (tmp_path / "text.sqlite3").write_text("this is no database, and long enough to be seen as none " * 20)
    (tmp_path / "file").touch()
    for path, why in (
        (tmp_path / "text.sqlite3", "not a database"),
        (tmp_path / "file" / "spool", "File exists|Not a"),
    ):
        with pytest.raises(
            SpoolUnusable, match=f"the spool {path} cannot be used: .*({why}).*check that its disk"
        ):
            Spool(path)


def test_a_spool_of_a_newer_client_is_left_alone(spool: Spool, spool_path: Path):
    with sqlite3.connect(spool_path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(SpoolUnusable, match="has version 2, but this client knows only version 1"):
        Spool(spool_path)
