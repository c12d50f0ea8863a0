"""Copies that are made and read without a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.copy.projector import Projector
from runcard.store.engine.database import Database

# So few that small histories are in both tables of measurements.
_ENOUGH_ROWS = 40


class OwnCopy:
    """A copy that is brought up to date when it is told to."""

    def __init__(self, database: Database, path: Path) -> None:
        self.copy = ColumnarCopy(DuckDb(path, enough_rows=_ENOUGH_ROWS), timeout_s=0)
        self._projector = Projector(database, self.copy.engine)

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
    runs = (
        "SELECT r.* EXCLUDE (procedure), p.id AS procedure_id FROM runs r JOIN procedures p USING (procedure)"
    )
    inside = (
        "SELECT x.* EXCLUDE (procedure), p.id AS procedure_id FROM {} x JOIN procedures p USING (procedure)"
    )
    measured = (
        "SELECT m.* EXCLUDE (spec, procedure), s.* EXCLUDE (spec, procedure), p.id AS procedure_id "
        "FROM measurements m JOIN specs s USING (spec) JOIN procedures p ON p.procedure = m.procedure "
        "AND p.procedure = s.procedure"
    )
    queries = {
        "copy_state": "SELECT * FROM copy_state",
        "units": "SELECT * FROM units",
        "runs": runs,
        "phases": inside.format("phases"),
        "measurements": measured,
        "series": "SELECT * FROM series",
        "logs": inside.format("logs"),
        "log_blocks": inside.format("log_blocks"),
    }
    with copy.engine.transaction() as cursor:
        return {
            table: sorted(repr(row) for row in cursor.execute(query).fetchall())
            for table, query in queries.items()
        }


@contextmanager
def own_copy(database: Database) -> Iterator[OwnCopy]:
    """An empty copy in a folder of its own."""
    with TemporaryDirectory() as folder:
        made = OwnCopy(database, Path(folder) / "analytics.duckdb")
        try:
            yield made
        finally:
            made.close()
