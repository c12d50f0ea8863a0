"""The bench of fair shares runs, and counts what it says."""

from bench import fair_share
from tests.bench.benches import told_by

KEYS = {
    "case",
    "alone_runs_per_s",
    "runs_per_s",
    "kept_ratio",
    "alone_p99_ms",
    "p99_ms",
    "failed",
    "reads",
    "refused",
    "peak_mib",
}


def test_stations_are_measured_beside_those_who_read():
    brief = ["--runs", "50", "--seconds", "0.5", "--connections", "4"]
    [line] = told_by(fair_share, *brief, "--only", "lists", "--memory-mb", "512")

    assert set(line) == KEYS
    assert (line["case"], line["failed"]) == ("lists", 0)
    assert line["alone_runs_per_s"] > 0
    assert line["peak_mib"] > 50
