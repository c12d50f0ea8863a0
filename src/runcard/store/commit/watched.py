"""Records that a write changes, as they were before it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Table

from runcard.store.commit.changes import ChangeKind


class Watched(NamedTuple):
    """row: the record before the write; None: the write creates it; empty: it was not read.

    kind: what the change is called; None: the usual. why: the reason that was given. by_report: a report causes the
    change. is_restored: the write brings back what was deleted, so its entry names no fields.
    """

    table: Table
    row: Mapping[str, Any] | None
    kind: ChangeKind | None = None
    why: str | None = None
    by_report: bool = False
    is_restored: bool = False
