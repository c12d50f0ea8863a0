"""Cells of exported files."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.ids import new_id
from runcard.store.lists.refs import Named, PartRef, ProcedureRef
from runcard.store.runs.records import RunRecord, RunUnit
from runcard.web.lists.run_columns import columns_of
from runcard.web.runs.list_files import csv_pieces, parquet_pieces

START = datetime(2026, 1, 1, tzinfo=UTC)
# As databases keep texts: without NUL and lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def run_with(docstring: str) -> RunRecord:
    return RunRecord(
        id=new_id(),
        outcome="PASS",
        started_at=START,
        ended_at=START + timedelta(seconds=1),
        created_at=START,
        docstring=docstring,
        procedure=ProcedureRef(new_id(), "p", "FVT1"),
        version=None,
        unit=RunUnit(new_id(), "SN"),
        part=PartRef(new_id(), "P", "P"),
        revision=Named(new_id(), "A"),
        batch=None,
        operator=None,
        created_by_user=None,
        created_by_station=None,
    )


@given(TEXTS)
def test_no_text_is_a_formula_and_none_is_lost(text: str):
    file = b"".join(csv_pieces(columns_of(["docstring"]), [[run_with(text)]])).decode()
    [_, row] = csv.reader(io.StringIO(file, newline=""))
    assert not row[2].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert text in (row[2], row[2].removeprefix("'"))


@given(st.lists(st.lists(TEXTS, max_size=3), max_size=3))
def test_parquet_keeps_every_text(chunks: list[list[str]]):
    runs = [[run_with(text) for text in chunk] for chunk in chunks]
    file = b"".join(parquet_pieces(columns_of(["docstring"]), runs))
    read = pq.read_table(io.BytesIO(file))
    assert read["docstring"].to_pylist() == [text for chunk in chunks for text in chunk]
