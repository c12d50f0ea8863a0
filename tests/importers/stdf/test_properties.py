"""Lots that are made up come back as they were written; damaged ones are refused in Runcard's own words."""

import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from runcard.domain.errors import RuncardError
from runcard.domain.runs.report import RunReport
from runcard.importers.stdf.binary_fields import shortest_decimal
from runcard.importers.stdf.records import (
    FAILED,
    NOT_EXECUTED,
    NOT_JUDGED,
    PART_FAILED,
    PART_NOT_JUDGED,
    Bps,
    Description,
    Dtr,
    Eps,
    Ftr,
    Gdr,
    Hbr,
    Inputs,
    Mpr,
    Pir,
    Prr,
    Ptr,
    Wir,
    Wrr,
)
from tests.importers.stdf.lots import MIR, MRR, SYNTAXES, changed, read, runs_of, written


def near(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


# Made-up lots

# What both syntaxes can say: no separator, no blank at an end; the empty text is "not said".
texts = st.text(st.sampled_from("abcXYZ019 .<>_-"), max_size=12).map(str.strip)
names = texts.filter(bool)
singles = st.floats(width=32, allow_nan=False).map(shortest_decimal)
finite = st.floats(-1e6, 1e6, width=32).map(shortest_decimal)
bounds = st.one_of(st.just(UNSET), finite)
descriptions = st.builds(
    # That there is no limit of the specification where the first record had one, ATDF cannot say.
    Description,
    texts,
    texts,
    texts,
    low=bounds,
    high=bounds,
    low_spec=finite,
    high_spec=finite,
)
flags = st.sampled_from([0, 0, 0, FAILED, NOT_JUDGED, NOT_EXECUTED, 1, 4 | FAILED, 8, 32])
numbers = st.integers(0, 20)
places = st.sampled_from([(1, 0), (1, 1), (2, 0)])
counts = st.one_of(st.none(), st.integers(0, 2**32 - 1))


def result_records(place):
    head, site = st.just(place[0]), st.just(place[1])
    parametric = st.sampled_from([0, 0, 0, 1, 2, 4, 8, 16])
    inputs = st.one_of(
        st.builds(Inputs, descriptions),
        st.builds(Inputs, descriptions, st.just(()), finite, finite, texts),
        st.builds(Inputs, descriptions, st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)),
    )
    results = st.lists(singles, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Ptr, numbers, head, site, flags, parametric, singles, descriptions),
        st.builds(Mpr, numbers, head, site, flags, parametric, results, inputs),
        st.builds(
            Ftr,
            numbers,
            head,
            site,
            flags,
            st.builds(Description, texts, texts),
            counts,
            counts,
            counts,
            texts,
            texts,
        ),
    )


@st.composite
def parts(draw):
    """The records of parts side by side."""
    open_places = draw(st.lists(places, min_size=1, max_size=3, unique=True))
    records = [Pir(*place) for place in open_places]
    for place in draw(st.lists(st.sampled_from(open_places), max_size=6)):
        records.append(draw(result_records(place)))
        records += draw(
            st.lists(
                st.one_of(
                    st.builds(Bps, names),
                    st.just(Eps()),
                    st.builds(Dtr, names),
                    st.builds(Gdr, st.lists(names, min_size=1, max_size=3).map(tuple)),
                ),
                max_size=2,
            )
        )
    return records + [draw(part_ends(place)) for place in draw(st.permutations(open_places))]


def part_ends(place):
    optional = st.one_of(st.none(), st.integers(0, 60_000))
    coordinate = st.one_of(st.none(), st.integers(-32_767, 32_767))
    return st.builds(
        Prr,
        st.just(place[0]),
        st.just(place[1]),
        st.sampled_from([0, PART_FAILED, PART_NOT_JUDGED, 1, 2 | PART_FAILED, 4]),
        optional,
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 3)),
        coordinate,
        coordinate,
        st.integers(0, 10**6),
        texts,
        texts,
    )


@st.composite
def lots(draw):
    texts_of_mir = [name for name in MIR.__struct_fields__ if isinstance(getattr(MIR, name), str)]
    ones = {"mode_cod", "rtst_cod", "prot_cod", "cmod_cod"}
    said = {name: draw(names if name == "job_nam" else texts) for name in texts_of_mir if name not in ones}
    records = [changed(MIR, **said, burn_tim=draw(st.one_of(st.none(), st.integers(0, 99))))]
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            records.append(Wir(1, 255, draw(st.integers(1, 2**31)), draw(texts)))
        records += draw(parts())
        if draw(st.booleans()):
            records.append(Wrr(1, 255, 5, 0, 0, 0, 0, 0, draw(texts)))
    bins = [Hbr(255, 0, number, 1, draw(st.sampled_from(["P", "F", ""])), draw(texts)) for number in range(4)]
    return [*records, *bins, MRR]


def comparable(reports):
    """NaN equals itself in bytes."""
    return [msgspec.msgpack.encode(report) for report in reports]


@given(lots())
def test_the_syntaxes_tell_the_same(records):
    little, big, text = (runs_of(records, syntax) for syntax in SYNTAXES)
    assert comparable(little) == comparable(big) == comparable(text)
    assert len(little) == sum(isinstance(record, Prr) for record in records)


@given(lots(), st.sampled_from(SYNTAXES))
def test_every_result_comes_back(records, syntax):
    """Values and outcomes of each part; outcomes of pins have a rule of their own."""
    told = [
        [
            (one.name.split()[0], None if " pin " in one.name else one.outcome, one.value)
            for phase in run.phases
            for one in phase.measurements
        ]
        for run in runs_of(records, syntax)
    ]
    assert [sorted(map(repr, run)) for run in told] == [sorted(map(repr, run)) for run in expected(records)]


def expected(records):
    """Numbers, outcomes and values of each part, worked out from the records alone."""
    under_way: dict[tuple[int | None, int | None], list[object]] = {}
    ended = []
    first: dict[tuple[int, str], Inputs] = {}
    for record in records:
        match record:
            case Pir():
                under_way[record.head_num, record.site_num] = []
            case Prr():
                ended.append(under_way.pop((record.head_num, record.site_num)))
            case Ptr() | Mpr() | Ftr():
                whole = with_inputs(record, first) if isinstance(record, Mpr) else record
                under_way[record.head_num, record.site_num] += expected_of(whole)
    return ended


def with_inputs(record, first):
    """The record with the pins or the input that the first of its text had, or else the first of its number."""
    own, text = record.inputs, record.inputs.description.text
    said = first.get((record.number, text), first.get((record.number, ""), own))
    step = said.incr_in if own.incr_in is None else own.incr_in
    inputs = changed(own, pins=own.pins or said.pins, incr_in=step)
    first.setdefault((record.number, ""), inputs)
    first.setdefault((record.number, text), inputs)
    return changed(record, inputs=inputs)


def expected_of(record):
    outcome = "UNSET" if record.test_flg & 80 else "FAIL" if record.test_flg & 128 else "PASS"
    number = str(record.number)
    if isinstance(record, Ftr):
        return [(number, outcome, None if outcome == "UNSET" else outcome == "PASS")]
    is_useful = not record.test_flg & 63 and not record.parm_flg & 7
    if isinstance(record, Ptr):
        return [(number, outcome, record.result if is_useful else None)]
    pins = record.inputs.pins
    if pins and len(pins) == len(record.results) and not record.inputs.incr_in:
        return [(number, None, result if is_useful else None) for result in record.results]
    return [(number, outcome, None)]


# Numbers


@given(st.floats(width=32, allow_nan=False))
def test_a_shortest_decimal_is_the_same_number(number):
    assert near(shortest_decimal(number)) == number


@given(st.integers(-999_999, 999_999), st.integers(-30, 30))
def test_decimals_of_six_digits_come_back(digits, exponent):
    meant = float(f"{digits}e{exponent}")
    assert shortest_decimal(near(meant)) == meant


@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False))
def test_shortest_decimals_keep_their_order(one, other):
    assert (one < other) == (shortest_decimal(one) < shortest_decimal(other))


def test_not_a_number_stays_one():
    assert math.isnan(shortest_decimal(math.nan))


# Damage

STARTS = {syntax: written([MIR], syntax) for syntax in SYNTAXES}


def survives(content, syntax):
    """Whether the content is either read, as what documents can hold, or refused in Runcard's own words."""
    try:
        reports = read(content, syntax)
    except RuncardError as error:
        return bool(str(error))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(reports), type=list[RunReport]) is not None


@pytest.mark.parametrize("syntax", SYNTAXES)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_never_surprise(syntax, content):
    assert survives(content, syntax)
    assert survives(STARTS[syntax] + content, syntax)


@given(lots(), st.sampled_from(SYNTAXES), st.data())
def test_damaged_bytes_never_surprise(records, syntax, data):
    content = bytearray(written(records, syntax))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(bytes(content), syntax)


@given(lots(), st.sampled_from(SYNTAXES), st.data())
def test_a_file_that_is_cut_short_is_refused(records, syntax, data):
    content = written(records, syntax)
    end = written([MIR, MRR], syntax)[len(written([MIR], syntax)) :]
    length = data.draw(st.integers(0, len(content) - len(end)))
    with pytest.raises(RuncardError):
        read(content[:length], syntax)
