"""Copies that are made and read without a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.copy.engines.engine import CopyCursor, Engine
from runcard.analytics.copy.projector import Projector
from runcard.analytics.copy.schema import TABLES
from runcard.store.engine.database import Database
from tests.analytics.clickhouse import own_clickhouse

EngineKind = Literal["duckdb", "clickhouse"]

# So few that small histories are in both tables of measurements.
_ENOUGH_ROWS = 40


class OwnCopy:
    """A copy that is brought up to date when it is told to."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self.copy = ColumnarCopy(engine, timeout_s=0)
        self._projector = Projector(database, engine)

    @classmethod
    def in_file(cls, database: Database, path: Path) -> "OwnCopy":
        """A copy in a file of DuckDB."""
        return cls(database, DuckDb(path, enough_rows=_ENOUGH_ROWS))

    def step(self) -> bool:
        """Take in what one transaction takes; whether there may be more."""
        progress = self._projector.step()
        self.copy.tell(progress.seq)
        return progress.is_behind

    def follow(self) -> None:
        """Take in all that has happened."""
        while self.step():
            pass

    def seen(self) -> int:
        """The last change that it has taken in."""
        return self._projector.seen()

    def content(self) -> dict[str, list[str]]:
        return content_of(self.copy)

    def close(self) -> None:
        self.copy.close()
        self.copy.engine.close()


def content_of(copy: ColumnarCopy) -> dict[str, list[str]]:
    """What is in every table, without the numbers that are the copy's own."""
    with copy.engine.transaction() as cursor:
        procedures = dict(cursor.execute("SELECT procedure, id FROM procedures").fetchall())
        specs = _rows(cursor, "specs")
        by_number = {spec.pop("spec"): spec for spec in specs}
        content = {table: _rows(cursor, table) for table in TABLES if table not in ("procedures", "specs")}
    for rows in content.values():
        for row in rows:
            if "spec" in row:
                row["spec"] = {**by_number[row["spec"]]}
                row["spec"]["procedure"] = procedures[row["spec"]["procedure"]]
            if "procedure" in row:
                row["procedure"] = procedures[row["procedure"]]
    return {table: sorted(map(repr, rows)) for table, rows in content.items()}


def _rows(cursor: CopyCursor, table: str) -> list[dict[str, Any]]:
    columns = list(TABLES[table])
    found = cursor.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    return [dict(zip(columns, row, strict=True)) for row in found]


@contextmanager
def own_copy(database: Database, kind: EngineKind = "duckdb") -> Iterator[OwnCopy]:
    """An empty copy in a folder or a database of its own."""
    if kind == "clickhouse":
        with own_clickhouse() as engine:
            yield OwnCopy(database, engine)
        return
    with TemporaryDirectory() as folder:
        made = OwnCopy.in_file(database, Path(folder) / "analytics.duckdb")
        try:
            yield made
        finally:
            made.close()
