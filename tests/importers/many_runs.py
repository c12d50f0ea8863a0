"""A file of as many runs as a test wants: JUnit XML, a suite a unit."""

from collections.abc import Iterable


def junit_of(
    serial_numbers: Iterable[str], procedure: str = "Board", part_number: str | None = "PCB01"
) -> bytes:
    part = "" if part_number is None else f'<property name="part_number" value="{part_number}"/>'
    suites = "".join(
        f'<testsuite name="{procedure}" timestamp="2026-01-02T03:04:05" time="1">'
        f'<properties><property name="serial_number" value="{one}"/>{part}</properties>'
        f'<testcase name="power on" classname="{procedure}" time="1"/></testsuite>'
        for one in serial_numbers
    )
    return f'<?xml version="1.0"?><testsuites>{suites}</testsuites>'.encode()
