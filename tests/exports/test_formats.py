"""Exports of runs and measurements, read back by other readers than wrote them."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from openpyxl import load_workbook

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.exports import rows as exported_rows
from runcard.exports.formats import ENCODINGS, DataFormat, ExportFormat, encoding_of
from runcard.exports.rows import (
    ExportedMeasurement,
    ExportedRun,
    export_measurements,
    export_runs,
)
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.writer import Writer
from runcard.store.contents.measurements import MeasurementFilter
from runcard.store.engine.database import Database
from runcard.store.lists.run_filter import RunFilter
from tests.world import World

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
VALUES: list[Measurement] = [
    Measurement("vcc", "PASS", 3.31, "V", 3.2, 3.4),
    Measurement("ok", "FAIL", False),
    Measurement("=evil", "UNSET", "-1+1"),
    Measurement("nan", "FAIL", math.nan),
    Measurement("json", "PASS", {"a": 1}),
]
Record = Callable[..., None]


@pytest.fixture
def record(writer: Writer, world: World) -> Record:
    def record(serial_number: str, **fields: Any) -> None:
        usual: dict[str, Any] = {
            "procedure": "FVT1",
            "outcome": "PASS",
            "part_number": "PCB01",
            "started_at": START,
            "duration": timedelta(seconds=1.5),
            "phases": (Phase("p", "PASS", START, START, tuple(VALUES)),),
        }
        run = prepare_run(RunReport(serial_number=serial_number, **(usual | fields)))
        writer.write_shared(lambda tx: record_run(tx.of(world.acme.fct.actor), world.acme.fct.actor, run))

    return record


def encoded(chosen: DataFormat, kind: type[Struct], pages: Iterator[Sequence[Struct]]) -> bytes:
    return b"".join(ENCODINGS[chosen].encode(kind, pages))


def test_every_run_once_however_many_are_read_at_a_time(
    database: Database, record: Record, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        record(f"SN-{number}")
    record("SN-X", outcome="FAIL")
    for at_once in (1, 3, 4, 100):
        monkeypatch.setattr(exported_rows, "RUNS_AT_ONCE", at_once)
        pages = list(export_runs(database, world.acme.id, RunFilter(outcomes=["PASS"])))
        assert [row.serial_number for page in pages for row in page] == [f"SN-{n}" for n in range(7)]
        assert max(map(len, pages)) <= at_once
    assert list(export_runs(database, world.globex.id, RunFilter())) == []


def test_a_run_in_every_format(database: Database, record: Record, world: World) -> None:
    record("SN-1", operator="Zoë")

    def rows() -> Iterator[Sequence[ExportedRun]]:
        return export_runs(database, world.acme.id, RunFilter())

    (text,) = csv.DictReader(io.StringIO(encoded("csv", ExportedRun, rows()).decode()))
    said = json.loads(encoded("jsonl", ExportedRun, rows()))
    (stored,) = pq.read_table(io.BytesIO(encoded("parquet", ExportedRun, rows()))).to_pylist()
    assert said["id"] == stored["id"] == text["id"]
    assert (text["station"], text["operator"], text["duration_s"]) == ("FCT-1", "Zoë", "1.5")
    assert (said["station"], said["batch_number"], said["outcome"]) == ("FCT-1", None, "PASS")
    assert datetime.fromisoformat(text["started_at"]) == stored["started_at"] == START


def test_measurements_in_every_format(database: Database, record: Record, world: World) -> None:
    record("SN-1")

    def rows() -> Iterator[Sequence[ExportedMeasurement]]:
        return export_measurements(database, world.acme.id, RunFilter(), MeasurementFilter())

    frame = polars.read_parquet(io.BytesIO(encoded("parquet", ExportedMeasurement, rows())))
    assert frame["name"].to_list() == [one.name for one in VALUES]
    assert frame["value"].to_list()[:3] == [3.31, None, None]
    assert math.isnan(frame["value"][3])
    assert (frame["bool_value"].to_list()[1], frame["string_value"].to_list()[2]) == (False, "-1+1")
    assert (frame["low"][0], frame["high"][0]) == (3.2, 3.4)
    texts = list(csv.DictReader(io.StringIO(encoded("csv", ExportedMeasurement, rows()).decode())))
    assert [one["value"] for one in texts] == ["3.31", "", "", "nan", ""]
    assert (texts[2]["name"], texts[2]["string_value"]) == ("'=evil", "'-1+1")
    lines = [json.loads(line) for line in encoded("jsonl", ExportedMeasurement, rows()).splitlines()]
    assert [(one["value"], one["kind"]) for one in lines] == [
        (3.31, "numeric"),
        (None, "boolean"),
        (None, "string"),
        (None, "numeric"),
        (None, "json"),
    ]


def test_only_measurements_that_are_wanted(database: Database, record: Record, world: World) -> None:
    record("SN-1")
    record("SN-2")
    runs, inside = RunFilter(serial_numbers=["sn-2"]), MeasurementFilter(names=["vcc"])
    (page,) = export_measurements(database, world.acme.id, runs, inside)
    assert [(one.serial_number, one.name) for one in page] == [("SN-2", "vcc")]


@pytest.mark.parametrize("chosen", ENCODINGS)
def test_an_export_of_nothing_is_a_file_all_the_same(chosen: DataFormat) -> None:
    content = encoded(chosen, ExportedRun, iter(()))
    read: dict[DataFormat, Callable[[bytes], Any]] = {
        "csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
        "jsonl": lambda content: content.splitlines(),
        "parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
    }
    assert read[chosen](content) == []


class Texts(Struct):
    text: str | None
    number: float


SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "\ufeff", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
BEGINNINGS = st.builds("{}{}".format, st.sampled_from(["", *SIGNS]), st.text())


@given(st.lists(st.builds(Texts, st.none() | BEGINNINGS, st.floats()), max_size=5))
def test_csv_holds_what_it_was_given_and_no_formula(rows: list[Texts]) -> None:
    content = encoded("csv", Texts, iter([rows])).decode()
    read = list(csv.reader(io.StringIO(content, newline="")))[1:]
    assert len(read) == len(rows)
    for (text, number), row in zip(read, rows, strict=True):
        assert not text.startswith(tuple(SIGNS))
        given = row.text or ""
        assert text in (given, f"'{given}")
        assert float(number) == row.number or math.isnan(row.number)


def test_only_a_few_rows_are_held_at_a_time() -> None:
    """Each page is written before the next is asked for, but for the rows that one group of Parquet gathers."""
    told = 0

    def pages() -> Iterator[Sequence[Texts]]:
        nonlocal told
        for _ in range(100):
            told += 1
            yield [Texts("x", 1.0)] * 1000

    for chosen, most in (("csv", 1), ("jsonl", 1), ("parquet", 50)):
        told = 0
        pieces = ENCODINGS[chosen].encode(Texts, pages())  # type: ignore[index]  # mypy widens the literals
        assert next(pieces)
        assert told <= most


@pytest.mark.parametrize("chosen", ["xlsx", "spreadsheet.csv"])
def test_spreadsheets_have_the_same_columns_and_times_of_a_zone(
    chosen: ExportFormat, database: Database, record: Record, world: World
) -> None:
    record("=SN")
    pages = export_measurements(database, world.acme.id, RunFilter(), MeasurementFilter())
    encoding = encoding_of(chosen, ZoneInfo("Asia/Tokyo"))
    file = b"".join(encoding.encode(ExportedMeasurement, pages))
    if chosen == "xlsx":
        found = load_workbook(io.BytesIO(file)).worksheets[0].iter_rows(values_only=True)
        rows = [[str(value or "") for value in row] for row in found]
        quote = ""
    else:
        rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
        quote = "'"
    zoned = {"run_started_at", "started_at"}
    names = ExportedMeasurement.__struct_fields__
    assert rows[0] == [f"{name} (Asia/Tokyo)" if name in zoned else name for name in names]
    told = dict(zip(names, rows[1], strict=True))
    assert (told["serial_number"], told["name"], told["value"]) == (f"{quote}=SN", "vcc", "3.31")
    assert told["run_started_at"].startswith("2026-01-02 12:04:05")
    assert dict(zip(names, rows[3], strict=True))["string_value"] == f"{quote}-1+1"
