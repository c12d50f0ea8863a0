"""Pareto: what fails most, and its share of all failures."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.groups import Group, references
from runcard.analytics.snapshot import Asking, Selection, Snapshot

ParetoKind = Literal["phases", "measurements", "first_failing_phases"]

_WHAT = {
    "phases": "a phase with the outcome FAIL or ERROR, as often as it occurs in a run",
    "measurements": "a measurement with the outcome FAIL, as often as it occurs in a run",
    "first_failing_phases": "the first phase of a run, in recorded order, with the outcome FAIL or ERROR",
}
_FINAL = "Attempts of phases that were repeated in the same run are left out."
_EVERY = "Each attempt of a phase counts."
_DEFINITION = (
    "n: selected runs. A failure is {what}. {attempts} runs: selected runs with such a failure. share: of all "
    "failures; cumulated_share: that of the row and all above it."
)


class Failing(NamedTuple):
    """What is counted. top: number of rows, most frequent first.

    only_final: without attempts of a phase that were repeated in the same run.
    """

    kind: ParetoKind = "phases"
    only_final: bool = True
    top: int = 20


class ParetoRow(Struct, frozen=True):
    """measurement: None if phases are counted. Shares are from 0 to 1."""

    procedure: Group
    sequence_path: str | None
    phase: str
    measurement: str | None
    failures: int
    runs: int
    share: float
    cumulated_share: float


class ParetoOthers(Struct, frozen=True):
    """Failures that have no row. names: how many phases or measurements. share: None if nothing failed."""

    names: int
    failures: int
    share: float | None


class ParetoAnswer(Answer, frozen=True, kw_only=True):
    """failures, runs_affected: of all phases or measurements, including those in `others`."""

    kind: ParetoKind
    failures: int
    runs_affected: int
    rows: Sequence[ParetoRow]
    others: ParetoOthers


def pareto(
    snapshot: Snapshot,
    selection: Selection,
    failing: Failing,
) -> ParetoAnswer:
    """What failed most in the runs of a selection. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection)
    [n] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql}")
    found = asking.rows(_query(asking, failing), [*asking.runs.values, failing.top])
    names, failures, affected = found[0][-3:] if found else (0, 0, 0)
    rows = _rows(asking, found, failures)
    rest = failures - sum(row.failures for row in rows)
    return ParetoAnswer(
        n=n,
        definition=_DEFINITION.format(
            what=_WHAT[failing.kind], attempts=_FINAL if failing.only_final else _EVERY
        ),
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        kind=failing.kind,
        failures=failures,
        runs_affected=affected,
        rows=rows,
        others=ParetoOthers(names - len(rows), rest, rest / failures if failures else None),
    )


def _rows(asking: Asking, found: Sequence[tuple[Any, ...]], total: int) -> Sequence[ParetoRow]:
    procedures = references(asking, "procedure", {row[0] for row in found})
    cumulated = accumulate(row[4] for row in found)
    return [
        ParetoRow(
            procedures[procedure], path, phase, measurement, failures, runs, failures / total, so_far / total
        )
        for (procedure, path, phase, measurement, failures, runs, *_), so_far in zip(
            found, cumulated, strict=True
        )
    ]


def _query(asking: Asking, failing: Failing) -> str:
    """The query of the most frequent names; each row ends with the counts of all names, failures and affected runs."""
    return f"""
        WITH failing AS ({_failing(asking, failing)}), by_run AS (
            SELECT run, procedure, sequence_path, phase, measurement, count(*) AS failures
            FROM failing GROUP BY ALL
        ), by_name AS (
            SELECT procedure, sequence_path, phase, measurement, sum(failures)::BIGINT AS failures, count(*) AS runs
            FROM by_run GROUP BY procedure, sequence_path, phase, measurement
        )
        SELECT by_name.*, count(*) OVER (), (sum(failures) OVER ())::BIGINT, (SELECT count(DISTINCT run) FROM by_run)
        FROM by_name JOIN {asking.snapshot.places} USING (procedure)
        ORDER BY failures DESC, runs DESC, phase, sequence_path NULLS FIRST, measurement, places.place LIMIT ?
    """


def _failing(asking: Asking, failing: Failing) -> str:
    """The query of failures, one row each."""
    if failing.kind == "measurements":
        # r.failed counts failures in all attempts, and leaves few runs to join.
        final = "AND x.is_final AND r.failed > 0" if failing.only_final else ""
        return f"""
            SELECT x.run AS run, s.procedure AS procedure, s.sequence_path AS sequence_path, s.phase AS phase,
                s.name AS measurement
            FROM measurements x JOIN runs r USING (run) JOIN specs s USING (spec)
            WHERE x.outcome = 'FAIL' {final} AND {asking.runs.sql}
        """
    final = "AND x.is_final" if failing.only_final else ""
    phases = f"""
        FROM phases x JOIN runs r USING (run)
        WHERE x.outcome IN ('FAIL', 'ERROR') {final} AND {asking.runs.sql}
    """
    if failing.kind == "phases":
        return f"""
            SELECT x.run AS run, x.procedure AS procedure, x.sequence_path AS sequence_path, x.name AS phase,
                NULL::VARCHAR AS measurement
            {phases}
        """
    return f"""
        SELECT run, procedure, struct_extract(named, 1) AS sequence_path, struct_extract(named, 2) AS phase,
            NULL::VARCHAR AS measurement
        FROM (
            SELECT x.run AS run, x.procedure AS procedure, arg_min((x.sequence_path, x.name), x.position) AS named
            {phases} GROUP BY x.run, x.procedure
        )
    """
