"""Arrow tables of answers: the same columns whatever is in them."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal
from uuid import UUID

import pyarrow as pa
import pytest
from msgspec import Struct

from runcard.analytics.answers import Answer, Freshness, Window
from runcard.domain.errors import InvalidInput

_ID = UUID("018f0000-0000-7000-8000-000000000000")
_AT = datetime(2026, 1, 2, tzinfo=UTC)


class _Inner(Struct, frozen=True):
    ratio: float | None
    n: int


class _Row(Struct, frozen=True):
    name: Literal["a", "b"]
    run: UUID
    at: datetime | None
    has: bool
    share: _Inner
    perhaps: _Inner | None
    numbers: Sequence[float]
    inside: Sequence[_Inner]


class _Answer(Answer, frozen=True, kw_only=True):
    table: ClassVar[str] = "lines"

    total: _Row | None
    lines: Sequence[_Row]
    edges: Sequence[float]


def answer(*lines: _Row, total: _Row | None = None) -> _Answer:
    window, freshness = Window(None, None, "all"), Freshness(True, 1, _AT, 0)
    return _Answer(
        n=1,
        definition="",
        window=window,
        is_exact=True,
        freshness=freshness,
        total=total,
        lines=lines,
        edges=[1, 2.5],
    )


_FULL = _Row("a", _ID, _AT, True, _Inner(0.5, 2), _Inner(None, 3), [1.0, 2.0], [_Inner(0.25, 4)])
_SPARSE = _Row("b", _ID, None, False, _Inner(None, 0), None, [], [])

_INNER = pa.struct([("ratio", pa.float64()), ("n", pa.int64())])
_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("run", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("has", pa.bool_()),
        ("share.ratio", pa.float64()),
        ("share.n", pa.int64()),
        ("perhaps.ratio", pa.float64()),
        ("perhaps.n", pa.int64()),
        ("numbers", pa.list_(pa.float64())),
        ("inside", pa.list_(_INNER)),
    ]
)


@pytest.mark.parametrize("lines", [(), (_FULL,), (_SPARSE,), (_SPARSE, _FULL)], ids=len)
def test_columns_are_those_of_the_type(lines: Sequence[_Row]):
    table = answer(*lines).to_arrow()
    assert table.schema == _SCHEMA
    assert table.num_rows == len(lines)
    assert table.column("name").to_pylist() == [one.name for one in lines]


def test_rows_are_those_of_the_answer():
    full, sparse = answer(_FULL, _SPARSE).to_arrow().to_pylist()
    assert full == {
        "name": "a",
        "run": str(_ID),
        "at": _AT,
        "has": True,
        "share.ratio": 0.5,
        "share.n": 2,
        "perhaps.ratio": None,
        "perhaps.n": 3,
        "numbers": [1.0, 2.0],
        "inside": [{"ratio": 0.25, "n": 4}],
    }
    assert (sparse["at"], sparse["perhaps.n"], sparse["numbers"], sparse["inside"]) == (None, None, [], [])


def test_other_fields_by_name():
    assert answer(total=_FULL).to_arrow("total").to_pylist() == answer(_FULL).to_arrow().to_pylist()
    assert answer().to_arrow("total").schema == _SCHEMA
    assert answer().to_arrow("total").num_rows == 0
    assert answer().to_arrow("edges").to_pydict() == {"edges": [1.0, 2.5]}


@pytest.mark.parametrize("name", ["rows", "n", "window", "freshness", "definition"])
def test_what_is_no_table_is_refused(name: str):
    with pytest.raises(InvalidInput) as raised:
        answer().to_arrow(name)
    [issue] = raised.value.issues
    assert issue.path == ("of",)
    assert issue.message.endswith("use one of total, lines, edges")


def test_frames_of_pandas():
    frame = answer(_FULL, _SPARSE).to_pandas()
    assert list(frame.columns) == _SCHEMA.names
    assert frame["at"].iloc[0] == _AT
    assert frame["share.ratio"].isna().tolist() == [False, True]


def test_who_has_no_pandas_is_told_what_to_install():
    """In a process of its own: pyarrow remembers which libraries there are."""
    program = (
        "import sys\n"
        "class Away:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'pandas': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Away)\n"
        "from tests.analytics.test_arrow_tables import answer\n"
        "try: answer().to_pandas()\n"
        "except ImportError as error: print(error)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "to_pandas needs pandas: install it (pip install pandas), or use to_arrow\n"
