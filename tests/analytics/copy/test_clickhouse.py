"""The copy in ClickHouse: a batch that is cut short shows nothing and is mended, and each reader sees one state."""

import math
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.copy.engines.clickhouse import ClickHouse
from runcard.analytics.copy.engines.clickhouse_address import Address
from runcard.analytics.copy.engines.clickhouse_sql import for_clickhouse
from runcard.analytics.copy.engines.clickhouse_tables import EVERY_TABLE, statements
from runcard.analytics.copy.engines.engine import CopyFailed
from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.settings import SettingsError, load_settings
from runcard.store.bin.deleting import Deletion
from runcard.store.runs.rows import delete_run
from tests.analytics.clickhouse import connect, own_clickhouse
from tests.analytics.copies import OwnCopy, own_copy
from tests.conftest import DatabaseKind
from tests.histories import START, Floor

# Far more than a batch has.
_INSERTS = 40


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """What lies in ClickHouse does not depend on the database behind it."""
    return "sqlite"


def report(number: int) -> RunReport:
    """A run of a unit that comes again, so that the standing of what is there changes."""
    measured = Measurement("m", "PASS", number, "V", 0.0, float(number % 3 + 100))
    return RunReport(
        procedure="later",
        serial_number=f"SN-{number % 4}",
        part_number="P",
        outcome="PASS" if number % 3 else "FAIL",
        phases=(Phase("p", "PASS", START, START, (measured,)),),
        logs=(Log("INFO", START, "text", "a.py", 1),),
    )


class _Failing:
    """Lets this many inserts pass, and then one fail."""

    def __init__(self, passing: int) -> None:
        self.left = passing

    def client(self, database: str) -> Client:
        client = connect(database)
        insert = client.insert_arrow

        def insert_or_fail(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                raise DatabaseError("the connection is lost")
            return insert(*given, **named)

        client.insert_arrow = insert_or_fail  # type: ignore[method-assign]
        return client


def test_a_batch_that_is_cut_short_anywhere_shows_nothing_and_is_mended(floor: Floor):
    procedure_id = floor.procedure()
    with own_clickhouse() as engine, own_copy(floor.database) as plain:
        made = list(floor.record(procedure_id, [report(number) for number in range(9)]))
        OwnCopy(floor.database, engine).follow()
        floor.record(procedure_id, [report(number) for number in range(9, 18)])
        floor.writer.write(
            SystemActor(floor.home, "test"), partial(delete_run, run_id=made[0], deletion=Deletion())
        )
        before = OwnCopy(floor.database, engine).content()
        database = engine.place.rpartition("/")[2]
        for passing in range(_INSERTS):
            failing = _Failing(passing)
            torn = ClickHouse(partial(failing.client, database), engine.place)
            try:
                OwnCopy(floor.database, torn).follow()
            except CopyFailed:
                assert OwnCopy(floor.database, engine).content() == before
            else:
                break
            finally:
                torn.close()
        assert passing > 8
        plain.follow()
        assert OwnCopy(floor.database, engine).content() == plain.content()


def test_a_reader_sees_one_state_while_batches_are_written(floor: Floor):
    procedure_id = floor.procedure()
    with own_clickhouse() as engine:
        copy = OwnCopy(floor.database, engine)
        made = list(floor.record(procedure_id, [report(number) for number in range(6)]))
        copy.follow()
        query = "SELECT run, attempts, passed_at FROM runs ORDER BY run"
        inside = "SELECT x.run, x.num FROM measurements x JOIN runs r USING (run) ORDER BY x.run"
        with engine.transaction() as cursor:
            seen = [cursor.execute(one).fetchall() for one in (query, inside)]
            floor.record(procedure_id, [report(number) for number in range(6, 12)])
            floor.writer.write(
                SystemActor(floor.home, "test"), partial(delete_run, run_id=made[1], deletion=Deletion())
            )
            copy.follow()
            assert [cursor.execute(one).fetchall() for one in (query, inside)] == seen
        with engine.transaction() as cursor:
            later = cursor.execute(query).fetchall()
        assert len(later) == len(seen[0]) + 5
        assert not {*seen[0]} <= {*later}, "some have another standing"


def test_rows_that_hold_no_longer_are_removed(floor: Floor):
    procedure_id = floor.procedure()
    with own_clickhouse() as engine, own_copy(floor.database) as plain:
        swept = ClickHouse(engine._connect, engine.place, rest_s=0)
        copy = OwnCopy(floor.database, swept)
        for number in range(8):
            made = list(floor.record(procedure_id, [report(number), report(number + 4)]))
            copy.follow()
            deleted = partial(delete_run, run_id=made[0], deletion=Deletion())
            floor.writer.write(SystemActor(floor.home, "test"), deleted)
            copy.follow()
        plain.follow()
        assert copy.content() == plain.content()
        with swept._client() as client:
            [(rows,)] = client.query("SELECT count() FROM runs").result_rows
            [(ended,)] = client.query("SELECT count() FROM gone_inside").result_rows
        assert rows - len(plain.content()["runs"]) < 8
        assert ended < 8
        swept.close()


_COPYING = """
import sys
from functools import partial
from pathlib import Path
import clickhouse_connect
from runcard.analytics.copy import projector
from runcard.analytics.copy.engines.clickhouse import SETTINGS, ClickHouse
from runcard.store.engine.database import Database
from tests.analytics.copies import content_of
from runcard.analytics.copy.columnar_copy import ColumnarCopy

projector._CHANGES = 12
url, sqlite_path, folder, how = sys.argv[1:]
database = Database.open(url or None, Path(sqlite_path))
connect = partial(clickhouse_connect.get_client, interface="chdb", path=folder, settings=dict(SETTINGS))
engine = ClickHouse(connect, folder)
copying = projector.Projector(database, engine)
if how == "show":
    while copying.step().is_behind:
        pass
    print(repr(content_of(ColumnarCopy(engine, 0))))
else:
    while True:
        print(copying.step().seq, flush=True)
"""


@contextmanager
def copying(floor: Floor, folder: Path, how: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that copies, until it is killed at the end of the block."""
    url = floor.database.url
    where = (
        [url.render_as_string(hide_password=False), ""]
        if floor.database.is_postgresql
        else ["", str(url.database)]
    )
    command = [sys.executable, "-c", _COPYING, *where, str(folder), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_killed_again_and_again(floor: Floor, tmp_path: Path):
    chance, procedure_id = random.Random(4), floor.procedure()
    for kill in range(3):
        floor.record(procedure_id, [report(number + kill) for number in range(25)])
        with copying(floor, tmp_path / "chdb", "follow") as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, 3)):
                assert process.stdout.readline()
    with copying(floor, tmp_path / "chdb", "show") as process:
        told, _ = process.communicate()
    with own_copy(floor.database) as plain:
        plain.follow()
        assert told.strip() == repr(plain.content())


@given(st.text() | st.sampled_from(["?", "'", "\\", "\\'?", "a\0b", "::BIGINT", "list(", "TIMESTAMP '1'"]))
def test_texts_arrive_as_they_are(client: Client, text: str):
    asked = for_clickhouse("SELECT ? AS a, 'it''s ?' AS b", [text])
    assert client.query(asked).result_rows == [(text, "it's ?")]


@given(
    st.floats(allow_nan=False) | st.integers(-(2**63) + 1, 2**63 - 1) | st.booleans() | st.none() | st.uuids()
)
def test_values_arrive_as_they_are(client: Client, value: float | bool | UUID | None):
    [(found,)] = client.query(for_clickhouse("SELECT ?", [value])).result_rows
    assert (UUID(int=found) if isinstance(value, UUID) else found) == value
    assert not isinstance(value, float) or math.copysign(1, found) == math.copysign(1, value)


def test_ids_are_in_the_order_of_their_bytes(client: Client):
    ids = [uuid4() for _ in range(50)]
    asked = for_clickhouse("SELECT unnest(?::UUID[]) AS id ORDER BY id", [ids])
    assert [UUID(int=number) for (number,) in client.query(asked).result_rows] == sorted(ids)


def test_moments_are_exact(client: Client):
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC).replace(tzinfo=None)
    asked = for_clickhouse("SELECT ?::TIMESTAMP, epoch_us(?)", [moment, moment])
    microseconds = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001
    assert client.query(asked).result_rows == [(moment, microseconds)]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = connect()
    yield client
    client.close()


def test_an_address_says_where_and_with_what():
    address = Address.of("clickhouses://ada:p%40ss@columns.example:9443/runcard")
    assert address == Address("columns.example", 9443, "ada", "p@ss", "runcard", is_secure=True)
    assert address.place == "clickhouses://ada@columns.example:9443/runcard"
    assert Address.of("clickhouse://host/db?secure=true").port == 8443
    assert Address.of("clickhouse://host/db") == Address("host", 8123, "default", "", "db", is_secure=False)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:secret@h/d", "begins with 'postgresql'"),
        ("clickhouse://u:secret@h", "no host or no database"),
        ("clickhouse:///d", "no host or no database"),
        ("clickhouse://u:secret@h:x/d", "is no URL"),
        ("clickhouse://u:secret@h/d?tls=1", "unknown option 'tls'"),
    ],
)
def test_an_address_that_is_none_says_what_to_write(url: str, told: str):
    with pytest.raises(ValueError, match=told) as refused:
        Address.of(url)
    assert "secret" not in str(refused.value)


def test_a_clickhouse_that_is_away_says_where_it_was_looked_for():
    engine = ClickHouse.at(Address("127.0.0.1", 9, "ada", "secret", "runcard", is_secure=False))
    with pytest.raises(CopyFailed, match=r"127\.0\.0\.1") as failed:
        engine.last_seen()
    assert "secret" not in str(failed.value)


def test_the_tables_of_a_cluster_are_what_the_engine_understands(client: Client):
    made = list(statements("line-1.runcard"))
    assert len(made) == 2 * len(EVERY_TABLE)
    for statement in made:
        assert " ON CLUSTER 'line-1.runcard'" in statement
        tree = str(client.command(f"EXPLAIN AST {statement}"))
        assert "ReplicatedMergeTree" in tree or statement.startswith("DROP ")
    assert [plain for plain in statements() if "CLUSTER" in plain or "Replicated" in plain] == []


@pytest.mark.parametrize("name", ["a'b", "", "a b"])
def test_the_name_of_a_cluster_cannot_end_a_statement(tmp_path: Path, name: str):
    with pytest.raises(SettingsError, match="columns_cluster"):
        load_settings({}, data_dir=tmp_path, columns_cluster=name)
