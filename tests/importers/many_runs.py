"""Files of as many runs, or of as many warnings, as a test wants."""

from collections.abc import Iterable


def junit_of(
    serial_numbers: Iterable[str], procedure: str = "Board", part_number: str | None = "PCB01"
) -> bytes:
    part = "" if part_number is None else f'<property name="part_number" value="{part_number}"/>'
    # JUnit XML, a suite a unit.
    suites = "".join(
        f'<testsuite name="{procedure}" timestamp="2026-01-02T03:04:05" time="1">'
        f'<properties><property name="serial_number" value="{one}"/>{part}</properties>'
        f'<testcase name="power on" classname="{procedure}" time="1"/></testsuite>'
        for one in serial_numbers
    )
    return f'<?xml version="1.0"?><testsuites>{suites}</testsuites>'.encode()


def doubtful_lot(tests: Iterable[int]) -> bytes:
    """ATDF of one part, each of whose tests has a unit that contradicts its exponent."""
    results = "".join(f"PTR:{one}|1|0|1.5|P||vdd|||V||||||||3\n" for one in tests)
    return (
        "FAR:A|4|2|S\nMIR:LOT-9|PCB01|Board||||08:30:00 23-JUL-2025||P|1\nPIR:1|0\n"
        f"{results}PRR:1|0|7|1|P|1\nMRR:\n"
    ).encode()
