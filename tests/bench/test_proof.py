"""The bench of the proof runs, and counts what it says."""

from bench import proof
from tests.bench.benches import told_by


def test_every_run_is_an_entry_that_fits():
    [line] = told_by(proof, "--runs", "40")
    assert line["entries"] > 40
    assert line["records"] > 80
    assert line["sealed_per_s"] > 0
    assert line["verified_per_s"] > 0
    assert line["receipt_ms"] > 0
