"""The bench of what proof takes from stations runs, and counts what it says."""

from bench import proof_cost
from tests.bench.benches import told_by


def test_runs_are_recorded_with_hashing_and_without():
    [line] = told_by(proof_cost, "--rounds", "2", "--seconds", "0.1", "--connections", "4")
    assert line["rounds"] == 2
    assert line["recorded"] > 8
    assert line["low"] <= line["ratio"] <= line["high"]
    assert line["with_us"] > 0
    assert line["without_us"] > 0
