"""The messages between a server and its recording process arrive as they were sent."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain import errors
from runcard.domain.errors import Issue, RuncardError
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.ingest.record_run import PreparedRun, RunClient
from runcard.recording.orders import HEAD, RecordingFailed, RunOrder, message_of, pickled, unpickled
from runcard.store.commit.documents import PackedDocument

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (naive bounds are wanted)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.none() | TEXTS
VALUES = TEXTS | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
METADATA = st.none() | st.dictionaries(TEXTS, VALUES, max_size=3)

REPORTS = st.builds(
    RunReport,
    procedure=TEXTS,
    serial_number=TEXTS,
    outcome=st.sampled_from(["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"]),
    started_at=st.none() | INSTANTS,
    duration=st.timedeltas(timedelta(), timedelta(days=10_000)),
    part_number=NAMES,
    operator=NAMES,
    sub_units=st.lists(TEXTS, max_size=3).map(tuple),
    deployment_id=st.none() | st.uuids(),
    metadata=METADATA,
    unit_metadata=METADATA,
    new_sub_units=st.lists(st.builds(UnitDescription, TEXTS, TEXTS, revision_number=NAMES), max_size=2).map(
        tuple
    ),
)
RUNS = st.builds(
    PreparedRun,
    id=st.uuids(),
    report=REPORTS,
    document=st.builds(PackedDocument, st.binary(), st.binary()),
    digest=st.none() | st.binary(),
    started_at=INSTANTS,
    ended_at=INSTANTS,
    received_at=INSTANTS,
    client=st.builds(RunClient, NAMES, NAMES),
)


@given(st.builds(RunOrder, st.integers(0, 2**40), st.binary(), st.uuids(), RUNS, st.booleans()))
def test_an_order_arrives_as_it_was(order: RunOrder):
    message = message_of(order)
    assert HEAD.unpack_from(message) == (len(message) - HEAD.size,)
    found = msgspec.msgpack.decode(message[HEAD.size :], type=RunOrder)
    assert found == order
    assert _types(found.run.report.metadata) == _types(order.run.report.metadata)


def _types(metadata: Any) -> Any:
    """Equal numbers may be of different types."""
    return metadata and {key: type(value) for key, value in metadata.items()}


def _all_classes(root: type[RuncardError]) -> Iterator[type[RuncardError]]:
    """Those of the domain: no other comes from the process that records."""
    if root.__module__ == errors.__name__:
        yield root
    for cls in root.__subclasses__():
        yield from _all_classes(cls)


# What errors are made of, by what their annotations say.
SAMPLES: dict[Any, Any] = {
    str: "a text",
    int: 7,
    float: 2.5,
    datetime: datetime(2026, 1, 31, tzinfo=UTC),
    object: UUID(int=5),
    RuncardError: errors.UnitNotFound("SN-1"),
    Sequence[str]: ["a", "b"],
    Iterable[Issue]: [Issue(("phases", 0), "is wrong")],
}


def _made(cls: type[RuncardError]) -> RuncardError:
    if cls.__init__ is Exception.__init__:
        return cls("a text")
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    return cls(*(SAMPLES[one.annotation] for one in parameters))


@pytest.mark.parametrize("cls", sorted(set(_all_classes(RuncardError)), key=str))
def test_an_error_arrives_as_it_was(cls: type[RuncardError]):
    error = _made(cls)
    found = unpickled(pickled(error))
    assert type(found) is cls
    assert (found.args, str(found)) == (error.args, str(error))
    assert {name: str(value) for name, value in vars(found).items()} == {
        name: str(value) for name, value in vars(error).items()
    }


def test_what_was_not_foreseen_arrives_as_a_log_would_tell_it():
    with pytest.raises(ZeroDivisionError) as raised:
        raise ZeroDivisionError("of what cannot be pickled", lambda: None)
    found = unpickled(pickled(raised.value))
    assert isinstance(found, RecordingFailed)
    assert "Traceback" in str(found)
    assert "ZeroDivisionError: ('of what cannot be pickled'" in str(found)
