"""The bench of ingest runs, and counts what it says; how fast anything is stays out of the test run."""

import pytest

from bench import ingest
from tests.bench.benches import run_bench, told_by

BRIEF = ["--seconds", "0.2", "--repeat", "2", "--bodies", "40"]
KEYS = {
    "case",
    "connections",
    "runs_per_s",
    "p50_ms",
    "p99_ms",
    "ratio_to_no_store",
    "bytes_per_run",
    "answered",
    "recorded",
}


def test_every_answer_of_the_server_is_a_recorded_run_and_none_of_the_one_without_a_store():
    no_store, sqlite = told_by(ingest, *BRIEF, "--connections", "4", "--cases", "no_store,sqlite")

    assert set(no_store) == set(sqlite) == KEYS
    assert (no_store["case"], sqlite["case"]) == ("no_store", "sqlite")
    assert no_store["connections"] == sqlite["connections"] == 4
    assert sqlite["recorded"] == sqlite["answered"] > 0
    assert no_store["recorded"] == 0 < no_store["answered"]
    assert no_store["ratio_to_no_store"] == 1
    assert sqlite["ratio_to_no_store"] > 0
    assert 0 < sqlite["p50_ms"] <= sqlite["p99_ms"]
    assert no_store["bytes_per_run"] is None
    assert sqlite["bytes_per_run"] > 0


def test_what_is_made_by_hand_records_every_run_that_it_answers():
    lines = told_by(ingest, *BRIEF, "--connections", "4", "--cases", "hand_made,hand_made_copy")

    assert [line["case"] for line in lines] == ["hand_made", "hand_made_copy"]
    assert all(line["recorded"] == line["answered"] > 0 for line in lines)
    assert all(line["bytes_per_run"] > 0 for line in lines)


def test_without_json_a_table_is_printed():
    done = run_bench(ingest, *BRIEF, "--connections", "1", "--cases", "sqlite")

    assert done.exit_code == 0, done.stderr
    assert "runs/s" in done.stdout
    assert "sqlite" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--cases", "sqlite,oracle"], "oracle"),
        (["--connections", "1,many"], "1,8,32,64"),
        (["--connections", "0"], "at least one"),
    ],
)
def test_what_cannot_be_measured_is_named(arguments: list[str], mend: str):
    done = run_bench(ingest, *BRIEF, *arguments)

    assert done.exit_code == 2
    assert mend in done.stderr
