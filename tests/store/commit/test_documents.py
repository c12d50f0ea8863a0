"""Documents come back as they went in."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.domain.runs.measurement import Aggregation, Measurement, Series
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.run import RunDocument
from runcard.domain.runs.validator import Validator
from runcard.store.commit.documents import compress_documents, pack_document, unpack_document

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
validators = st.builds(
    Validator,
    expression=texts,
    operator=st.none() | st.sampled_from([">=", "<=", "=="]),
    expected=st.none() | st.booleans() | numbers | texts | st.lists(numbers, max_size=2),
)
aggregations = st.builds(Aggregation, type=texts, value=st.none() | numbers | texts | st.booleans())
series = st.builds(Series, data=st.lists(numbers, max_size=4), uom=st.none() | texts)
measurements = st.builds(
    Measurement,
    name=texts,
    outcome=st.sampled_from(["PASS", "FAIL", "UNSET"]),
    value=json_values,
    uom=st.none() | texts,
    lower_limit=st.none() | st.floats(allow_nan=False),
    validators=st.lists(validators, max_size=2).map(tuple),
    series=st.lists(series, max_size=2).map(tuple),
    aggregations=st.lists(aggregations, max_size=2).map(tuple),
)
phases = st.builds(
    Phase,
    name=texts,
    outcome=st.sampled_from(["PASS", "FAIL", "SKIP", "ERROR"]),
    started_at=moments,
    ended_at=moments,
    measurements=st.lists(measurements, max_size=3).map(tuple),
    retry_count=st.integers(0, 9),
)
logs = st.builds(
    Log,
    level=st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
    timestamp=moments,
    message=st.text(min_size=1, max_size=50),
    source_file=st.text(min_size=1, max_size=50),
    line_number=st.integers(0, 2**31),
)
documents = st.builds(
    RunDocument,
    phases=st.lists(phases, max_size=3).map(tuple),
    logs=st.lists(logs, max_size=3).map(tuple),
    steps=st.none() | st.lists(json_values, max_size=2),
)


@given(st.lists(documents, min_size=1, max_size=4))
def test_what_is_stored_is_what_was_recorded(recorded: list[RunDocument]) -> None:
    stored = compress_documents([pack_document(document).body for document in recorded])
    assert [unpack_document(body) for body in stored] == recorded


def test_non_finite_numbers_stay_what_they_are() -> None:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    values = [float("inf"), float("-inf")]
    measured = tuple(Measurement("m", "UNSET", value) for value in values)
    document = RunDocument((Phase("p", "PASS", moment, moment, measured),))
    (body,) = compress_documents([pack_document(document).body])
    assert unpack_document(body) == document
    nan = replace(measured[0], value=float("nan"), series=(Series([float("nan"), 1]),))
    (body,) = compress_documents(
        [pack_document(RunDocument((Phase("p", "PASS", moment, moment, (nan,)),))).body]
    )
    read = unpack_document(body).phases[0].measurements[0]
    assert str(read.value) == str(read.series[0].data[0]) == "nan"
