"""Reading what the server has."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from runcard_client import (
    Client,
    InvalidReport,
    LibraryMissing,
    MeasurementReport,
    MeasurementRow,
    PhaseReport,
    Refused,
    RunRow,
    Table,
    ValidatorReport,
)
from runcard_client import tables as tables_module
from tests.client.reporting import STARTED_AT, report_of
from tests.servers import Server

RUNS = 3


@pytest.fixture(scope="module")
def burn_in(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A procedure of three runs, of which the last failed."""
    name = f"Burn-in {uuid4().hex}"
    admin_key = server.world.acme.admin.api_key
    headers = {"Authorization": f"Bearer {admin_key}"}
    httpx.post(f"{server.url}/api/v2/procedures", json={"name": name}, headers=headers).raise_for_status()
    spool = tmp_path_factory.mktemp("spool") / "spool.sqlite3"
    with Client(server.url, server.world.acme.fct.api_key, spool=spool, sends=False) as station:
        for number in range(RUNS):
            began_at = STARTED_AT + timedelta(hours=number)
            measurements = [
                MeasurementReport("vcc", 3.0 + number, "PASS", "V", low=3.0, high=4.5),
                MeasurementReport("mode", "fast", "PASS", validators=[ValidatorReport("PASS", "==", "fast")]),
                MeasurementReport("led", True, "UNSET"),
            ]
            station.record_run(
                report_of(
                    f"{name}-{number}"[-40:],
                    procedure=name,
                    outcome="FAIL" if number == RUNS - 1 else "PASS",
                    started_at=began_at,
                    ended_at=began_at + timedelta(seconds=1.5),
                    phases=[PhaseReport("soak", "PASS", began_at, began_at, measurements, retry_count=0)],
                    batch_number="B-1",
                    operator="Grace",
                    slot_key="left",
                    execution_id=str(uuid4()),
                )
            )
        assert station.flush().is_empty
    return name


def test_runs_are_read_newest_first(client: Client, burn_in: str):
    newest, _, oldest = client.runs(burn_in)
    assert isinstance(oldest, RunRow)
    assert (oldest.started_at, oldest.duration_s, oldest.outcome) == (STARTED_AT, 1.5, "PASS")
    assert (oldest.procedure, oldest.part_number, oldest.batch_number) == (burn_in, "PCB-1", "B-1")
    assert (oldest.station, oldest.operator, oldest.slot_key, oldest.slot_name) == (
        "FCT-1",
        "Grace",
        "left",
        None,
    )
    assert newest.outcome == "FAIL"


def test_runs_are_read_by_what_they_are(client: Client, burn_in: str):
    assert [run.outcome for run in client.runs(burn_in, outcomes=["FAIL"])] == ["FAIL"]
    [first] = client.runs(burn_in, started_before=STARTED_AT + timedelta(minutes=1))
    assert first.started_at == STARTED_AT
    assert [run.id for run in client.runs(serial_numbers=[first.serial_number.lower()])] == [first.id]
    with pytest.raises(InvalidReport, match="started_after 2026-01-01T00:00:00 has no time zone"):
        client.runs(started_after=datetime(2026, 1, 1))  # noqa: DTZ001 (that is what is wrong with it)
    with pytest.raises(Refused, match="is not on this server"):
        client.runs("No such procedure")


def test_measurements_are_read_with_their_limits(client: Client, burn_in: str):
    rows = list(client.measurements(burn_in, name="vcc"))
    assert [(row.value, row.low, row.high, row.unit, row.phase) for row in rows] == [
        (5.0, 3.0, 4.5, "V", "soak"),
        (4.0, 3.0, 4.5, "V", "soak"),
        (3.0, 3.0, 4.5, "V", "soak"),
    ]
    kinds = {
        row.name: (row.kind, row.value, row.bool_value, row.string_value)
        for row in client.measurements(burn_in)
    }
    assert kinds["mode"] == ("string", None, None, "fast")
    assert kinds["led"] == ("boolean", None, True, None)


def test_pages_are_asked_for_as_they_are_needed(
    client: Client, burn_in: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runcard_client.records._PAGE_ROWS", 2)
    assert [len(page) for page in client.runs(burn_in).pages()] == [2, 1]
    assert len({row.id for row in client.measurements(burn_in)}) == 3 * RUNS


@pytest.fixture(params=["rows", "none"])
def table(client: Client, burn_in: str, request: pytest.FixtureRequest) -> Table[MeasurementRow]:
    """With rows and without: the types of the columns are the same."""
    return client.measurements(burn_in, phase_names=[] if request.param == "rows" else ["no such phase"])


def test_a_table_for_arrow(table: Table[MeasurementRow]):
    found = table.to_arrow()
    assert found.num_rows in (0, 3 * RUNS)
    types = {field.name: str(field.type) for field in found.schema}
    assert (types["value"], types["started_at"], types["bool_value"]) == (
        "double",
        "timestamp[us, tz=UTC]",
        "bool",
    )
    assert found.to_pylist()[-1:] == [vars(row) for row in list(table)[-1:]]


def test_a_table_for_pandas(table: Table[MeasurementRow]):
    found = table.to_pandas()
    assert len(found) in (0, 3 * RUNS)
    types = found.dtypes.astype(str).to_dict()
    assert (types["value"], types["started_at"], types["retry_count"]) == (
        "float64",
        "datetime64[us, UTC]",
        "Int64",
    )
    assert found["value"].dropna().tolist() == [row.value for row in table if row.value is not None]


def test_a_table_for_polars(table: Table[MeasurementRow]):
    found = table.to_polars()
    assert len(found) in (0, 3 * RUNS)
    assert str(found.schema["started_at"]) == "Datetime(time_unit='us', time_zone='UTC')"
    assert found.rows() == [tuple(vars(row).values()) for row in table]


def test_a_library_that_is_missing_is_named():
    with pytest.raises(
        LibraryMissing, match=r"to_arrow needs no_such; pip install 'runcard-client\[arrow\]'"
    ):
        tables_module._library("no_such", "to_arrow", "arrow")


def test_moments_are_read_whatever_their_digits(client: Client, burn_in: str):
    assert {run.created_at.tzinfo for run in client.runs(burn_in)} == {UTC}
