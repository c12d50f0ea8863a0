"""Reports as compact JSON beside the files that they were read from."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from runcard.domain.runs.report import RunReport

CASES = Path(__file__).parent / "cases"


def compact(reports: Iterable[RunReport]) -> list[dict[str, object]]:
    """Reports as JSON says them (NaN and infinities as null), without what nobody said."""
    tree: list[dict[str, object]] = msgspec.json.decode(msgspec.json.encode(list(reports)))
    return [{name: value for name, value in one.items() if value not in (None, [], False)} for one in tree]


def golden(name: str) -> list[dict[str, object]]:
    """What was read from a file of tests/importers/cases when somebody last looked at each line of it."""
    tree: list[dict[str, object]] = msgspec.json.decode((CASES / f"{name}.golden.json").read_bytes())
    return tree
