"""Files that are read in a process of their own: the same is told, and no file takes more than it may."""

import os
import zipfile
from collections.abc import Iterator
from io import BytesIO
from threading import Event, Thread

import psutil
import pytest

from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.ingest.import_groups import GROUP_LIMITS
from runcard.ingest.record_run import PreparedRun, RunClient
from runcard.intake.parsing.opened_file import OpenedFile, Reading, open_here
from runcard.intake.parsing.parsers import ParserBounds, Parsers
from runcard.intake.parsing.process import STEP
from tests.importers.many_runs import doubtful_lot, junit_of
from tests.servers import DEADLINE_S

JUNIT = Reading("JUNIT", RunClient("importing", "1"))
SERIALS = [f"SN-{number:05}" for number in range(GROUP_LIMITS.reports + 10)]
BOUNDS = ParserBounds(memory_bytes=256 << 20, cpu_s=60)


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    parsers = Parsers(BOUNDS)
    yield parsers
    parsers.close()


def serials(opened: OpenedFile, reading: Reading = JUNIT, first: int = 0) -> list[list[str]]:
    """Serial numbers of each group."""
    return [
        [one.report.serial_number if isinstance(one, PreparedRun) else "" for one in group.reports]
        for group in opened.groups(reading, first)
    ]


def flat(groups: list[list[str]]) -> list[str]:
    return [serial for group in groups for serial in group]


def reading_processes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "runcard.intake.parsing.process" in child.cmdline()]


def test_what_is_told_is_the_same_in_smaller_groups(parsers: Parsers) -> None:
    content = BytesIO(junit_of(SERIALS))
    with open_here(content) as here, parsers.open(content) as there:
        assert (there.digest, there.importer) == (here.digest, here.importer)
        groups = serials(there, first=5)
        assert flat(groups) == flat(serials(here, first=5)) == SERIALS[5:]
    assert {len(group) for group in groups[:-1]} == {STEP.reports}


def test_warnings_are_the_same(parsers: Parsers) -> None:
    content, reading = BytesIO(doubtful_lot(range(3))), Reading("ATDF", JUNIT.client)
    with open_here(content) as here, parsers.open(content) as there:
        warnings = [[list(one.warnings) for one in opened.groups(reading)] for opened in (here, there)]
    assert warnings[0] == warnings[1]
    assert [len(one) for one in warnings[0]] == [3]


def test_the_head_of_a_table_is_the_same(parsers: Parsers) -> None:
    content = BytesIO(b"SN;Gain\nA;1,5\nB;2,5\n")
    with open_here(content) as here, parsers.open(content) as there:
        assert there.head() == here.head()
    with parsers.open(BytesIO(b"\n")) as opened, pytest.raises(UnreadableReport, match="no rows"):
        opened.head()


def test_a_file_that_fits_a_group_is_told_whole(parsers: Parsers) -> None:
    with parsers.open(BytesIO(junit_of(SERIALS[: GROUP_LIMITS.reports]))) as opened:
        assert serials(opened) == [SERIALS[: GROUP_LIMITS.reports]]


def test_what_is_wrong_is_told_as_it_is_here(parsers: Parsers) -> None:
    with parsers.open(BytesIO(junit_of(SERIALS)[:-20])) as opened:
        with pytest.raises(UnreadableReport, match="cannot be read as XML"):
            serials(opened)
        with pytest.raises(UnreadableReport, match="cannot be read as XML"):
            serials(opened)
    with parsers.open(BytesIO(junit_of(["S" * 256]))) as opened, pytest.raises(InvalidInput) as raised:
        serials(opened)
    assert [issue.path for issue in raised.value.issues] == [("serial_number",)]
    with (
        pytest.raises(UnreadableReport, match="damaged or cut short"),
        parsers.open(BytesIO(b"\x1f\x8b\x08")),
    ):
        pass


def test_a_file_that_is_left_in_the_middle_keeps_no_other_from_being_read(parsers: Parsers) -> None:
    content = BytesIO(junit_of(SERIALS))
    with parsers.open(content) as opened:
        assert next(opened.groups(JUNIT)).first == 0
    with parsers.open(content) as opened:
        assert flat(serials(opened)) == SERIALS


def test_a_process_is_kept_however_large_its_server_is() -> None:
    """What a kernel counts as the most memory of a process begins with what its parent had when it was started."""
    ballast, others, started = b"x" * (300 << 20), set(reading_processes()), set()
    parsers = Parsers(BOUNDS)
    for serial in ("A", "B"):
        with parsers.open(BytesIO(junit_of([serial]))) as opened:
            assert serials(opened) == [[serial]]
            started |= {*reading_processes()} - others
    parsers.close()
    assert len(started) == 1
    assert len(ballast) == 300 << 20  # until here


def test_archives(parsers: Parsers) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", junit_of(["A"]))
    assert parsers.members(BytesIO(b"PK")) is None
    assert parsers.members(packed) == ["a.xml"]
    with parsers.open_member(packed, "a.xml") as member:
        assert member.read() == junit_of(["A"])
        with parsers.open(member) as opened:
            assert serials(opened) == [["A"]]
    with (
        pytest.raises(UnreadableReport, match="archive is damaged"),
        parsers.open_member(BytesIO(b"PK"), "a"),
    ):
        pass


def test_a_file_that_takes_too_long_is_refused_and_the_next_is_read() -> None:
    hasty = Parsers(BOUNDS._replace(cpu_s=1))
    try:
        with (
            pytest.raises(
                PayloadTooLarge, match=r"more than 1 s of processor time \(import_cpu_s\). Split it, or"
            ),
            hasty.open(BytesIO(junit_of(f"SN-{number}" for number in range(100_000)))) as opened,
        ):
            serials(opened)
        with hasty.open(BytesIO(junit_of(["A"]))) as opened:
            assert serials(opened) == [["A"]]
    finally:
        hasty.close()


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_is_read(parsers: Parsers) -> None:
    reading = Reading("OPENHTF", RunClient())
    with (
        pytest.raises(
            PayloadTooLarge, match=r"bytes of memory \(import_memory_bytes\). Split it, or import it"
        ),
        parsers.open(BytesIO(bytes(BOUNDS.memory_bytes))) as opened,
    ):
        serials(opened, reading)
    with parsers.open(BytesIO(junit_of(["A"]))) as opened:
        assert serials(opened) == [["A"]]


def test_a_process_that_dies_of_a_file_is_replaced(parsers: Parsers) -> None:
    with parsers.open(BytesIO(junit_of(["A"]))) as opened:
        for process in reading_processes():
            process.kill()
        with pytest.raises(UnreadableReport, match="process that read the file ended with -9"):
            serials(opened)
    with parsers.open(BytesIO(junit_of(["A"]))) as opened:
        assert serials(opened) == [["A"]]


def test_large_files_leave_a_process_free_for_small_ones(parsers: Parsers) -> None:
    large = junit_of(f"SN-{number}" for number in range(5000))
    is_open = Event()

    def open_another() -> None:
        with parsers.open(BytesIO(large)):
            is_open.set()

    another = Thread(target=open_another)
    with parsers.open(BytesIO(large)):
        another.start()
        with parsers.open(BytesIO(junit_of(["A"]))) as opened:
            assert serials(opened) == [["A"]]
        assert not is_open.is_set()
    another.join(DEADLINE_S)
    assert is_open.is_set()


def test_processes_that_read_files_stand_back_for_all_others(parsers: Parsers) -> None:
    with parsers.open(BytesIO(junit_of(["A"]))):
        standing = {(one.nice(), os.sched_getscheduler(one.pid)) for one in reading_processes()}
        assert standing == {(psutil.Process().nice() + 10, os.SCHED_IDLE)}


def test_a_process_that_never_has_its_turn_is_replaced_by_one_that_only_gives_way() -> None:
    parsers, others = Parsers(BOUNDS, patience_s=1e-6), set(reading_processes())
    with parsers.open(BytesIO(junit_of(["A"]))) as opened:
        [process] = set(reading_processes()) - others
        assert process.nice() == psutil.Process().nice() + 10
        assert os.sched_getscheduler(process.pid) == os.SCHED_OTHER
        assert serials(opened) == [["A"]]
    # It is not kept: the next file may have a quieter time.
    assert set(reading_processes()) == others
    parsers.close()
