"""The copy in a ClickHouse that is reached over HTTP, as it is outside of the tests."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from runcard.analytics.copy.engines.clickhouse import ClickHouse
from runcard.analytics.copy.engines.clickhouse_address import Address
from runcard.analytics.copy.engines.engine import CopyAway, CopyFailed
from runcard.domain.actor import SystemActor
from runcard.store.bin.deleting import Deletion
from runcard.store.runs.rows import delete_run
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.copy.test_clickhouse import report
from tests.clickhouse_server import ClickHouseServer, running_clickhouse
from tests.conftest import DatabaseKind
from tests.histories import Floor

# Tables into which a batch writes, the last one last of all.
WRITTEN = (
    "procedures",
    "specs",
    "runs",
    "phases",
    "measurements",
    "logs",
    "units",
    "gone_runs",
    "copy_state",
)


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """What lies in ClickHouse does not depend on the database behind it."""
    return "sqlite"


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouseServer]:
    with running_clickhouse() as server:
        yield server


@pytest.fixture
def address(clickhouse: ClickHouseServer) -> Address:
    return Address.of(clickhouse.create())


@pytest.fixture
def engine(address: Address) -> Iterator[ClickHouse]:
    engine = ClickHouse.at(address)
    yield engine
    engine.close()


def test_a_copy_over_http_holds_what_one_in_duckdb_holds(floor: Floor, engine: ClickHouse):
    procedure_id = floor.procedure()
    copy = OwnCopy(floor.database, engine)
    with own_copy(floor.database) as plain:
        made = list(floor.record(procedure_id, [report(number) for number in range(9)]))
        copy.follow()
        floor.writer.write(
            SystemActor(floor.home, "test"), partial(delete_run, run_id=made[0], deletion=Deletion())
        )
        floor.record(procedure_id, [report(number) for number in range(9, 18)])
        copy.follow()
        plain.follow()
        assert copy.content() == plain.content()


def test_a_batch_whose_answer_is_lost_is_made_once(
    floor: Floor, engine: ClickHouse, clickhouse: ClickHouseServer
):
    procedure_id = floor.procedure()
    copy = OwnCopy(floor.database, engine)
    lost = 0
    with own_copy(floor.database) as plain:
        for number, table in enumerate(WRITTEN):
            floor.record(procedure_id, [report(number), report(number + 4)])
            clickhouse.leave_unanswered(f"INSERT INTO `{table}`")
            try:
                copy.follow()
            except CopyAway:
                lost += 1
                # As a worker does that begins again.
                copy = OwnCopy(floor.database, engine)
                copy.follow()
        clickhouse.leave_unanswered("nothing")
        plain.follow()
        assert copy.content() == plain.content()
    assert lost > 3


def test_a_long_query_and_temporary_tables_go_over_http(floor: Floor, engine: ClickHouse):
    OwnCopy(floor.database, engine).follow()
    ids = list(range(100_000))
    with engine.transaction() as cursor:
        kept = cursor.keep("kept", "SELECT unnest(?::BIGINT[]) AS n", [ids])
        assert kept == len(ids)
        assert cursor.execute("SELECT sum(n) FROM kept").fetchall() == [(sum(ids),)]
    with engine.transaction() as cursor:
        assert cursor.keep("kept", "SELECT 1 AS n") == 1


def test_a_clickhouse_that_comes_back_has_its_copy(
    floor: Floor, engine: ClickHouse, clickhouse: ClickHouseServer
):
    procedure_id = floor.procedure()
    copy = OwnCopy(floor.database, engine)
    floor.record(procedure_id, [report(1)])
    copy.follow()
    before = copy.content()
    clickhouse.kill()
    try:
        # One that has just become the writer, which must not take this for a ClickHouse without a copy.
        with pytest.raises(CopyAway, match=r"cannot be reached: .*refused"):
            engine.make_ready()
        with pytest.raises(CopyAway):
            copy.content()
    finally:
        clickhouse.start()
    assert copy.content() == before
    floor.record(procedure_id, [report(2)])
    copy.follow()
    with own_copy(floor.database) as plain:
        plain.follow()
        assert copy.content() == plain.content()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"password": "guess"}, "516"), ({"user": "eve"}, "516"), ({"database": "none"}, "81")],
)
def test_a_clickhouse_that_lets_nobody_in_says_why(address: Address, wrong: Any, told: str):
    engine = ClickHouse.at(address._replace(**wrong))
    with pytest.raises(CopyAway, match=f"{address.host}:{address.port}.*code: {told}") as refused:
        engine.make_ready()
    assert address.password not in str(refused.value)


def test_tables_that_are_none_of_runcard_are_no_copy(engine: ClickHouse):
    with pytest.raises(CopyFailed) as refused:
        engine.last_seen()
    assert not isinstance(refused.value, CopyAway)
    engine.make_ready()
    assert engine.last_seen().seq == 0
