"""A real wafer: big-endian, 1569 parts, each second one with its results.

The figures that it is checked against were counted by walking its records (`walk`), and taken from pystdf.
"""

import gzip
import io
import random
import struct
from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from runcard.domain.errors import RuncardError
from runcard.domain.runs.report import RunReport
from runcard.importers.stdf import binary as stdf
from runcard.importers.stdf.parts import USED_KINDS
from runcard.importers.stdf.records import Gdr
from tests.importers.stdf.lots import read
from tests.importers.stdf.semi_ate_text import as_text
from tests.importers.stdf.writers import write_atdf

CASES = Path(__file__).parents[1] / "cases" / "stdf"
PACKED = (CASES / "lot2.stdf.gz").read_bytes()
CONTENT = gzip.decompress(PACKED)
# So many parts are written as text by another library; one of them has a result without a value.
SOME = 500


def walk(content):
    """The kind and the body of each record."""
    at = 0
    while at < len(content):
        length, kind, sub = struct.unpack_from(">HBB", content, at)
        yield (kind, sub), content[at + 4 : at + 4 + length]
        at += 4 + length


@pytest.fixture(scope="module")
def runs():
    return read(PACKED, "big")


def test_as_many_runs_results_and_phases_as_there_are_records(runs):
    counts = Counter(kind for kind, _ in walk(CONTENT))
    assert (len(runs), counts[5, 20]) == (1569, 1569)
    assert sum(len(phase.measurements) for run in runs for phase in run.phases) == counts[15, 10] == 52_403
    # Of the parts whose section began, each has a result; a section that fails a part is not ended.
    assert sum(len(run.phases) for run in runs) == counts[20, 10] == 784
    assert counts[20, 20] == 703
    sources = Counter(log.source_file for run in runs for log in run.logs)
    assert sources == {"GDR": counts[50, 10], "PTR": 15}
    assert counts[50, 10] == 785


def test_outcomes_and_bins(runs):
    assert Counter(run.outcome for run in runs) == {"PASS": 1389, "FAIL": 180}
    bins = Counter(run.metadata["hard_bin"] for run in runs)
    # Each hardware bin says how many parts it has.
    said = {}
    for kind, body in walk(CONTENT):
        if kind == (1, 40):
            number, count = struct.unpack_from(">HI", body, 2)
            said[number] = count
    assert bins == {number: count for number, count in said.items() if count}


def test_failed_results(runs):
    failed = [body for kind, body in walk(CONTENT) if kind == (15, 10) and body[6] & 0x80]
    outcomes = Counter(one.outcome for run in runs for phase in run.phases for one in phase.measurements)
    assert outcomes == {"PASS": 52_403 - len(failed), "FAIL": len(failed)}
    assert len(failed) == 81
    assert Counter(phase.outcome for run in runs for phase in run.phases) == {"PASS": 703, "FAIL": 81}


def test_every_number_is_the_one_in_the_file(runs):
    values = [one.value for run in runs for phase in run.phases for one in phase.measurements]
    bodies = [body for kind, body in walk(CONTENT) if kind == (15, 10)]
    # Results that came with an alarm are no values.
    numbers = [None if body[6] & 1 else body[8:12] for body in bodies]
    assert [None if value is None else struct.pack(">f", value) for value in values] == numbers
    assert numbers.count(None) == 15


def test_dies_that_failed_were_tested_again(runs):
    """At the end of the wafer, which PART_FLG does not say, and only the coordinates tell."""
    assert len({run.serial_number for run in runs}) == 1456
    assert {run.serial_number for run in runs[1456:]} < {run.serial_number for run in runs[:1456]}
    first = {run.serial_number: run.outcome for run in runs[:1456]}
    assert {first[run.serial_number] for run in runs[1456:]} == {"FAIL"}


def test_a_part(runs):
    run = runs[1]
    assert (run.procedure, run.procedure_version, run.part_number) == ("mobile-05", "16", "GOLD8BAR")
    assert (run.batch_number, run.operator, run.serial_number) == ("GAL-LOT", "ews", "GAL-LOT-02-X20Y-3")
    (phase,) = run.phases
    assert (phase.name, len(phase.measurements)) == ("seqU738", 74)
    first = phase.measurements[0]
    assert (first.name, first.value, first.uom) == ("1000 glxy_SS_IH <> glxy_pin2", -0.66164064, "v")
    assert (first.limits, first.outcome) == ((-0.9, -0.4), "PASS")
    assert run.logs[0].message == "IMAGE_PART_ID, 2"


def test_runs_are_in_the_order_of_time(runs):
    starts = [run.started_at for run in runs]
    assert starts == sorted(set(starts))
    # WIR.START_T; the file says of no part how long it took.
    assert starts[0].isoformat() == "2001-06-05T20:50:22+00:00"
    assert {run.duration for run in runs} == {timedelta()}


def test_golden(runs):
    """The first two parts and the last, whole."""
    golden = msgspec.json.decode((CASES / "lot2_parts.json").read_bytes(), type=list[RunReport])
    assert [runs[index] for index in (0, 1, -1)] == golden


def test_the_same_lot_as_text(runs):
    # ATDF has no blanks at the end of a value, but this file has none either.
    records = list(stdf.read_records(io.BytesIO(CONTENT), USED_KINDS))
    assert not any("|" in value for record in records if isinstance(record, Gdr) for value in record.values)
    assert read(write_atdf(records), "text") == runs


@pytest.fixture(scope="module")
def some_as_text():
    """The first parts, with what comes behind the last, as another library writes them as text."""
    ends, at = [], 0
    for kind, body in walk(CONTENT):
        at += 4 + len(body)
        if kind == (5, 20):
            ends.append(at)
    return read(as_text(CONTENT[: ends[SOME - 1]] + CONTENT[ends[-1] :]), "text")


def test_another_library_writes_the_same_as_text(runs, some_as_text):
    """The headers of runs, their outcomes, logs, phases and metadata, but for what that library cannot say."""
    assert len(some_as_text) == SOME
    # 65535, which stands for missing.
    assert {run.metadata["burn_in_minutes"] for run in some_as_text} == {65535}
    for ours, theirs in zip(runs, some_as_text, strict=False):
        metadata = {key: value for key, value in theirs.metadata.items() if key != "burn_in_minutes"}
        assert structs.replace(theirs, phases=(), logs=(), metadata=metadata) == structs.replace(
            ours, phases=(), logs=()
        )
        assert [(one.name, one.outcome) for one in theirs.phases] == [
            (one.name, one.outcome) for one in ours.phases
        ]
        assert [(log.level, log.source_file) for log in theirs.logs] == [
            (log.level, log.source_file) for log in ours.logs
        ]


def test_another_library_writes_the_same_results_as_text(runs, some_as_text):
    results = [
        [one for run in some for phase in run.phases for one in phase.measurements]
        for some in (runs[:SOME], some_as_text)
    ]
    assert len(results[0]) == len(results[1]) > 10_000
    assert {one.outcome for one in results[1]} == {"PASS", "FAIL"}
    assert any(one.value is None for one in results[1])
    for ours, theirs in zip(*results, strict=True):
        assert (theirs.name, theirs.uom, theirs.outcome) == (ours.name, ours.uom, ours.outcome)
        # Of a number of 32 bits, STDF is read as its shortest decimal, and the text has all digits.
        assert theirs.value == (None if ours.value is None else pytest.approx(ours.value, rel=1e-6))
        # A limit that is none is written as 0.
        limits = [0 if limit is None else limit for limit in ours.limits]
        assert list(theirs.limits) == pytest.approx(limits, rel=1e-6)


def test_runs_are_told_while_the_file_is_read():
    file = io.BytesIO(CONTENT)
    next(iter(stdf.parse(file)))
    assert file.tell() < len(CONTENT) / 4


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_refused_or_read(seed):
    """Bits that are flipped, and a file that is cut short."""
    chance = random.Random(seed)
    content = bytearray(CONTENT[: chance.randrange(6, 300_000)])
    for _ in range(chance.randrange(4)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    with pytest.raises(RuncardError):
        read(bytes(content), "big")
