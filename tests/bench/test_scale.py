"""The bench of scale runs, and counts what it says."""

from bench import scale
from tests.bench.benches import told_by


def test_each_part_is_measured_with_more_hosts_and_with_more_runs():
    lines = told_by(scale, "--hosts", "2", "--sizes", "300", "--seconds", "0.2", "--repeat", "1")
    assert [(line["case"], line["hosts"], line["records"]) for line in lines] == [
        ("sqlite", 1, None),
        ("postgresql_2", 2, None),
        ("sqlite", 1, 300),
        ("postgresql", 1, 300),
    ]
    assert all(
        line["runs_per_s"] > 0 and line["servers_us"] > 0 and line["stations_us"] > 0 for line in lines
    )
    assert all((line["postgresql_us"] > 0) == line["case"].startswith("postgresql") for line in lines)
