"""Reports of WATS: whatever hypothesis makes comes back, and whatever the bytes, nothing surprises."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import getitem

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import RuncardError, UnreadableReport
from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.domain.runs.sequence import PhaseSequence
from runcard.domain.runs.validator import Validator, expression_of
from runcard.ingest.record_repair import check_repair
from runcard.ingest.record_run import prepare_run
from tests.importers.wats.files import case, read, read_json, read_xml, sequence, step, tree

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LETTERS = {"PASS": "P", "FAIL": "F", "ERROR": "E", "ABORTED": "T", "SKIP": "S", "UNSET": "D"}

# Both ways of writing can say these: no control characters, no surrogates.
characters = st.characters(exclude_categories=["Cc", "Cs", "Cn"])
names = st.text(characters, min_size=1, max_size=30).map(str.strip).filter(bool)
maybe_names = st.none() | names
numbers = st.floats(allow_nan=False)
bounds = st.floats(allow_nan=False, allow_infinity=False)
moments = st.integers(0, 2**52).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))
spans = st.integers(0, 10**9).map(lambda microseconds: timedelta(microseconds=microseconds))
verdicts = st.sampled_from(["PASS", "FAIL", "UNSET"])


def seconds(span):
    return span // timedelta(microseconds=1) / 1e6


@st.composite
def numeric_measurements(draw):
    """With limits, or with one check."""
    outcome, low, high = draw(verdicts), draw(st.none() | bounds), draw(st.none() | bounds)
    symbol = draw(st.sampled_from([None, "==", "!=", "<", ">"]))
    limits: tuple[float | None, float | None] = (low, high)
    checks: tuple[Validator, ...] = ()
    if symbol is not None:
        limit = draw(bounds)
        limits, checks = (None, None), (Validator(expression_of(symbol, limit), symbol, limit, outcome),)
    return Measurement(draw(names), outcome, draw(numbers), draw(maybe_names), *limits, validators=checks)


@st.composite
def string_measurements(draw):
    outcome, limit = draw(verdicts), draw(st.none() | st.text(characters, max_size=30))
    symbol = draw(st.sampled_from(["==", "!="]))
    check = Validator(expression_of(symbol, limit or ""), symbol, limit, outcome)
    value = draw(st.text(characters, max_size=30))
    return Measurement(draw(names), outcome, value, validators=() if limit is None else (check,))


boolean_measurements = st.builds(
    lambda name, outcome: Measurement(name, outcome, {"PASS": True, "FAIL": False}.get(outcome)),
    names,
    verdicts,
)


@st.composite
def charts(draw):
    points = draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
    labels = [draw(maybe_names) for _ in range(4)]
    axes = [
        Series([*axis], *labels[at * 2 : at * 2 + 2]) for at, axis in enumerate(zip(*points, strict=True))
    ]
    return Measurement(draw(names), "UNSET", series=tuple(axes))


@st.composite
def phases_of(draw, path, started_at):
    """Phases that follow each other, each of another name."""
    made = []
    for name in draw(st.lists(names, max_size=3, unique=True)):
        ended_at = started_at + draw(spans)
        kinds = (numeric_measurements(), boolean_measurements, string_measurements(), charts())
        measured = [draw(st.lists(kind, max_size=2)) for kind in kinds[:3]] + [
            draw(st.lists(charts(), max_size=1))
        ]
        made.append(
            Phase(
                name=name,
                outcome=draw(st.sampled_from(["PASS", "FAIL", "SKIP", "ERROR"])),
                started_at=started_at,
                ended_at=ended_at,
                measurements=tuple(one for group in measured for one in group),
                docstring=draw(maybe_names),
                sequence_path=path,
            )
        )
        started_at = ended_at
    return made


outcomes_of_sequences = st.sampled_from(["PASS", "FAIL", "ERROR", "ABORTED"])
keys = names.map(lambda name: name.replace("/", "_"))


@st.composite
def reports(draw):
    started_at = draw(moments)
    phases, sequences, moment = [], [], started_at
    inner = draw(st.lists(keys, max_size=3, unique=True))
    for key in inner:
        path = f"Main/{key}"
        mine = draw(phases_of(path, moment))
        ended_at = mine[-1].ended_at if mine else moment
        outcome, source = draw(outcomes_of_sequences), draw(maybe_names)
        sequences.append(PhaseSequence(path, key, outcome, source, moment, ended_at))
        phases += mine
        moment = ended_at
    main = PhaseSequence("Main", "Main", draw(outcomes_of_sequences), draw(maybe_names), started_at, moment)
    units = draw(st.lists(st.builds(UnitDescription, names, names, maybe_names), max_size=3))
    infos = draw(
        st.dictionaries(st.from_regex(r"[A-Za-z0-9_.:+-]{1,40}", fullmatch=True), names | st.integers(-9, 9))
    )
    return RunReport(
        procedure=draw(names),
        procedure_is_name=True,
        procedure_version=draw(maybe_names),
        serial_number=draw(names),
        outcome=draw(st.sampled_from(["PASS", "FAIL", "ERROR", "ABORTED"])),
        started_at=started_at,
        duration=draw(spans),
        part_number=draw(maybe_names),
        revision_number=draw(maybe_names),
        batch_number=draw(maybe_names),
        operator=draw(maybe_names),
        docstring=draw(maybe_names),
        sub_units=tuple(one.serial_number for one in units),
        new_sub_units=tuple(units),
        phases=tuple(phases),
        sequences=(main, *sequences),
        metadata=infos,
    )


# The writer: a report in the shape of WSJF.


def written(report):
    main, *others = report.sequences
    inner = [
        written_sequence(one, [phase for phase in report.phases if phase.sequence_path == one.path])
        for one in others
    ]
    root = written_sequence(main, inner)
    root["seqCall"]["version"] = report.procedure_version
    return tree(
        sn=report.serial_number,
        pn=report.part_number,
        rev=report.revision_number,
        processName=report.procedure,
        processCode=None,
        result=LETTERS[report.outcome],
        startUTC=report.started_at.isoformat(),
        uut={
            "execTime": seconds(report.duration),
            "user": report.operator,
            "batchSN": report.batch_number,
            "comment": report.docstring,
        },
        subUnits=[
            {"sn": one.serial_number, "pn": one.part_number, "rev": one.revision_number}
            for one in report.new_sub_units
        ],
        miscInfos=[
            {"description": key, "text" if isinstance(value, str) else "numeric": value}
            for key, value in report.metadata.items()
        ],
        root=root,
    )


def written_sequence(one, inside):
    steps = [written_phase(each) if isinstance(each, Phase) else each for each in inside]
    return sequence(one.name, *steps, status=LETTERS[one.outcome], seqCall={"path": one.source})


def written_phase(one):
    by_kind = {
        "numericMeas": [written_number(each) for each in one.measurements if each.kind == "numeric"],
        "booleanMeas": [
            {"name": each.name, "status": LETTERS[each.outcome]}
            for each in one.measurements
            if each.kind in ("boolean", "empty")
        ],
        "stringMeas": [written_string(each) for each in one.measurements if each.kind == "string"],
        "chart": next((written_chart(each) for each in one.measurements if each.series), None),
    }
    return step(
        one.name,
        status=LETTERS[one.outcome],
        totTime=seconds(one.ended_at - one.started_at),
        stepType=one.docstring,
        **by_kind,
    )


COMPARISONS = {"==": "EQ", "!=": "NE", "<": "LT", ">": "GT"}


def written_number(one):
    match one.validators, one.limits:
        case (check,), _:
            compared = {"compOp": COMPARISONS[check.operator], "lowLimit": check.expected}
        case _, (None, None):
            compared = {"compOp": "LOG"}
        case _, (low, None):
            compared = {"compOp": "GE", "lowLimit": low}
        case _, (None, high):
            compared = {"compOp": "LE", "lowLimit": high}
        case _, (low, high):
            compared = {"compOp": "GELE", "lowLimit": low, "highLimit": high}
    value = one.value if abs(one.value) < float("inf") else repr(one.value)
    return {
        "name": one.name,
        "status": LETTERS[one.outcome],
        "value": value,
        "unit": one.uom,
        **compared,
    }


def written_string(one):
    said = {"name": one.name, "status": LETTERS[one.outcome], "value": one.value, "compOp": "LOG"}
    for check in one.validators:
        said |= {"compOp": COMPARISONS[check.operator], "limit": check.expected}
    return said


def written_chart(one):
    x, y = one.series
    points = {"xdata": ";".join(map(repr, x.data)), "ydata": ";".join(map(repr, y.data))}
    series = {"name": one.name, **points}
    return {"xLabel": x.name, "xUnit": x.uom, "yLabel": y.name, "yUnit": y.uom, "series": [series]}


# Properties


@given(reports())
def test_reports_come_back(report):
    assert read(written(report)) == report


def survives(parse, content):
    """Whether the content is either read, as what can be recorded, or refused in Runcard's own words."""
    try:
        made = parse(content)
        for report in made:
            if isinstance(report, RepairReport):
                check_repair(report)
            else:
                prepare_run(report)
    except RuncardError as error:
        return bool(str(error))
    return all(
        msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=type(one)) is not None for one in made
    )


SAMPLES = {
    "uut.wsjf.json": read_json,
    "uut.wsxf.xml": read_xml,
    "uur.wsjf.json": read_json,
    "uur.wsxf.xml": read_xml,
}
samples = st.sampled_from(sorted(SAMPLES))


@given(st.binary())
def test_arbitrary_bytes_never_surprise(content):
    assert survives(read_json, content)
    assert survives(read_xml, content)


@given(samples, st.data())
def test_damaged_bytes_never_surprise(name, data):
    content = bytearray(case(name))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(SAMPLES[name], bytes(content))


@given(samples, st.data())
def test_a_truncated_file_makes_no_run(name, data):
    content = case(name)
    length = data.draw(st.integers(0, len(content.rstrip()) - 1))  # without its last line end it is whole
    with pytest.raises(UnreadableReport):
        SAMPLES[name](content[:length])


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63, max_value=2**2000),
    st.floats(),
    st.text(),
    st.sampled_from(["NaN", "INF", "\0", "P", "SequenceCall", "1e999", "9999-12-31T23:59:59-12:00"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(), st.integers(), max_size=3),
)


def places(tree, path=()):
    """The path of each node of a JSON tree below its root."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


PLACES = [
    (name, path) for name in ("uut.wsjf.json", "uur.wsjf.json") for path in places(json.loads(case(name)))
]


@given(st.lists(st.tuples(st.sampled_from(PLACES), odd_values), min_size=1, max_size=4))
def test_mutated_reports_never_surprise(changes):
    made = json.loads(case(changes[0][0][0]))
    for (_, path), value in changes:
        # An earlier change may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            reduce(getitem, path[:-1], made)[path[-1]] = value
    assert survives(read_json, json.dumps(made).encode())
