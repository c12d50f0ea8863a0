"""Whatever the bytes of a run are: either they can be recorded and shown again, or the error is one of ours."""

import copy
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from runcard.api.v1.records import RecordedRun, run_body
from runcard.api.v1.runs import _prepare
from runcard.domain.errors import RuncardError
from runcard.domain.runs.run import RunDocument
from runcard.edge.answers.errors import answer_error
from runcard.ingest.record_run import PreparedRun
from runcard.store.commit.documents import compress_documents, unpack_document
from runcard.store.lists.refs import Named, PartRef, ProcedureRef
from runcard.store.runs.records import RunRecord, RunUnit
from tests.acceptance.wire import Json, measurement_of, phase_of, run_of

SOME_ID = UUID("550e8400-e29b-41d4-a716-446655440000")
VALID: Json = run_of(
    "SN1",
    unit={"revision": "B", "batch_number": "L1"},
    procedure_version="1",
    started_at="2024-03-01T12:00:00Z",
    duration="PT1M",
    sub_units=[{"serial_number": "SN2"}, "SN3"],
    phases=[
        phase_of(
            measurement_of(3.3, units="V", lower_limit=3, upper_limit=3.5, validators=["3 <= x <= 3.5"]),
            measurement_of([[1, 2.5], [2, 3.5]], units=["s", "V"]),
            measurement_of({"a": [1, None, "x"]}),
            measurement_of("1.2.3", validators=["'x' matches /^1/"]),
        )
    ],
    steps=[
        {"name": "s", "step_passed": True, "started_at": None, "duration": "PT1S", "measurement_value": 1}
    ],
    logs=[
        {
            "level": "INFO",
            "timestamp": "2024-03-01T12:00:00Z",
            "message": "m",
            "source_file": "f",
            "line_number": 1,
        }
    ],
    operated_by="ada@acme.test",
    docstring="d",
)

texts = st.one_of(
    st.text(),
    st.text(st.characters(), max_size=3),  # lone surrogates too
    st.sampled_from(
        ["", " ", "\0", "nan", "PT1S", "P1D", "-PT1S", "2024-03-01T12:00:00Z", "FVT1", "x" * 256]
    ),
    st.sampled_from(
        ["1 <= x <= 2", "x == nan", "'x' matches /(/", "'x' is within 5% of 1e308.", "PASS", "ERROR"]
    ),
)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**63, -(2**63) - 1, 2**64, 10**400, -(10**400), 1e308, 253_402_300_800_000]),
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inside for found in _paths(item, (*path, key)))]


PATHS = _paths(VALID)[1:]


@st.composite
def mutated(draw: st.DrawFn) -> Json:
    """A valid run in which something was replaced, removed, added or repeated, once or a few times."""
    body = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(PATHS))
        place: Any = body
        for step in way:
            try:
                place = place[step]
            except (LookupError, TypeError):
                return body  # an earlier change took it away
        if isinstance(place, dict):
            _change_member(draw, place, last)
        elif isinstance(place, list) and isinstance(last, int) and last < len(place):
            place[last] = draw(st.one_of(anything, st.just(copy.deepcopy(place))))
    return body


def _change_member(draw: st.DrawFn, place: Json, name: str) -> None:
    match draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            place[name] = draw(anything)
        case "remove":
            place.pop(name, None)
        case _:
            place[draw(texts)] = draw(anything)


def _shown(run: PreparedRun, document: RunDocument) -> bytes:
    """The run as GET shows it, with whatever it refers to made up."""
    named = Named(SOME_ID, "x")
    record = RunRecord(
        id=run.id,
        outcome=run.report.outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        created_at=run.received_at,
        docstring=run.report.docstring,
        procedure=ProcedureRef(SOME_ID, "Board", "FVT1"),
        version=None,
        unit=RunUnit(SOME_ID, run.report.serial_number),
        part=PartRef(SOME_ID, "P", "P"),
        revision=named,
        batch=None,
        operator=None,
        created_by_user=None,
        created_by_station=named,
        reported_started_at=run.reported and run.reported.started_at,
        reported_ended_at=run.reported and run.reported.ended_at,
    )
    return msgspec.json.encode(run_body(RecordedRun(record, document, [], []), lambda _: ""))


def _tried(body: bytes, content_type: str = "application/json") -> PreparedRun | None:
    """The prepared run, which can be stored and shown; None where it was refused properly."""
    try:
        run, _ = _prepare(body, content_type)
    except RuncardError as error:
        answer = answer_error(error)
        assert 400 <= answer.status < 500
        assert set(json.loads(answer.body)) == {"code", "message", "issues", "error"}
        return None
    assert run.started_at <= run.ended_at
    assert run.started_at.tzinfo is UTC
    for text in (run.report.serial_number, run.report.procedure, *run.report.sub_units):
        assert 1 <= len(text) <= 255
        assert "\0" not in text
        assert text == text.strip()
        text.encode()
    (packed,) = compress_documents([run.document.body])
    shown = json.loads(_shown(run, unpack_document(packed)), parse_constant=_refused)
    assert len(shown["phases"]) == len(unpack_document(packed).phases)
    return run


def _refused(literal: str) -> None:
    raise AssertionError(f"{literal} is no JSON")


def _written(value: Any) -> bytes:
    """JSON as Python writes it: with NaN and Infinity, and lone surrogates escaped."""
    return json.dumps(value).encode()


def test_valid_body_is_prepared():
    before = datetime.now(UTC)
    run = _tried(_written(VALID))
    assert run is not None
    assert run.report.sub_units == ("SN2", "SN3")
    assert before <= run.received_at <= datetime.now(UTC)


@given(anything)
@example([[[[[]]]]])
@example({"phases": [None]})
def test_any_json(value: Any):
    _tried(_written(value))


@given(mutated())
def test_mutated_runs(body: Json):
    _tried(_written(body))


@given(mutated())
def test_mutated_runs_as_utf_8(body: Json):
    try:
        content = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    _tried(content)


@given(value=anything)
def test_any_measured_value(value: Any):
    _tried(_written(VALID | {"phases": [phase_of(measurement_of(value, units=None))]}))
    _tried(_written(VALID | {"phases": [phase_of(measurement_of(value, units=["a", "b"], lower_limit=0))]}))


@given(value=numbers, text=texts)
def test_any_limits_and_validators(value: Any, text: str):
    odd = measurement_of(value, lower_limit=value, upper_limit=value, validators=[text], units=text)
    _tried(_written(VALID | {"phases": [phase_of(odd)]}))


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes):
    _tried(content)


@given(st.data())
def test_valid_body_with_broken_bytes(data: st.DataObject):
    content = bytearray(_written(VALID))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not content:
            break
    _tried(bytes(content))


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=20)), st.sampled_from(["a=b", "&&", "%00=%ff", ""])
)
def test_any_form(members: dict[str, str], tail: str):
    content = "&".join(f"{name}={value}" for name, value in members.items()) + tail
    _tried(content.encode("utf-8", "surrogatepass"), "application/x-www-form-urlencoded")


@given(st.text(max_size=60))
def test_any_content_type(content_type: str):
    _tried(_written(VALID), content_type)
