"""What a server may take, and that SQLite and DuckDB keep to their parts of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.memory import MIB, MemoryPlan, memory_bytes

# Six connections read a file of 8 MiB, each into a cache that would hold all of it.
_SIX_READERS = """
import sqlite3, sys
from pathlib import Path
from runcard.store.engine.database import Database, bound_page_caches

def taken_kib():
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

path = Path(sys.argv[1])
with sqlite3.connect(path) as made:
    made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)")
    made.executemany("INSERT INTO t (b) VALUES (?)", ((bytes(2000),) for _ in range(4_000)))
made.close()
bound_page_caches(int(sys.argv[2]))
database = Database.open(None, path)
before = taken_kib()
connections = [database.engine.connect() for _ in range(6)]
for connection in connections:
    connection.exec_driver_sql("SELECT sum(b = x'00') FROM t").all()
print(taken_kib() - before)
"""


def taken_mib(path: Path, bound_bytes: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _SIX_READERS, str(path), str(bound_bytes)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return int(done.stdout) / 1024


def test_all_connections_to_sqlite_share_one_bound(tmp_path: Path):
    assert taken_mib(tmp_path / "bounded.sqlite3", 4 * MIB) < 16
    assert taken_mib(tmp_path / "free.sqlite3", 1024 * MIB) > 32


def test_the_copy_keeps_to_its_part(tmp_path: Path):
    engine = DuckDb(tmp_path / "analytics.duckdb", 123 * MIB)
    with engine.transaction() as cursor:
        [(limit,)] = cursor.execute("SELECT current_setting('memory_limit')").fetchall()
    engine.close()
    assert limit == "123.0 MiB"


@pytest.mark.parametrize("memory_mb", [256, 512, 1024, 4096, 65_536])
def test_the_parts_leave_room_for_the_rest(memory_mb: int):
    plan = MemoryPlan.of(memory_mb, 16 * MIB)
    parts = plan.page_caches_bytes + plan.copy_bytes + plan.bodies_bytes + plan.hashes_at_once * 64 * MIB
    assert parts < memory_mb * MIB * (1 if memory_mb < 512 else 0.7)


def test_a_body_of_the_largest_size_is_always_let_in():
    assert MemoryPlan.of(256, 64 * MIB).bodies_bytes == 64 * MIB


@pytest.mark.parametrize(
    ("limit", "expected_mib"),
    [("max\n", 2048), (f"{512 * MIB}\n", 512), (f"{2**63 - 4096}\n", 2048), (None, 2048)],
)
def test_a_cgroup_counts_where_it_has_less_than_the_machine(
    tmp_path: Path, limit: str | None, expected_mib: int
):
    machine, cgroup = tmp_path / "meminfo", tmp_path / "memory.max"
    machine.write_text("MemFree:   77 kB\nMemTotal:        2097152 kB\n", "ascii")
    if limit is not None:
        cgroup.write_text(limit, "ascii")
    assert memory_bytes([cgroup], machine) == expected_mib * MIB


def test_where_nothing_tells_a_small_machine_is_assumed(tmp_path: Path):
    assert memory_bytes([], tmp_path / "none") == 1024 * MIB
