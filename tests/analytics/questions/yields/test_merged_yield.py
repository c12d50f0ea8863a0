"""What is shown before a merge is what comes of it."""

from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.analytics.questions.yields.first_pass_yield import YieldRow, first_pass_yield
from runcard.analytics.questions.yields.merged_yield import MergedYield, merged_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.actor import SystemActor
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import RunReport
from runcard.store.creator import Creator
from runcard.store.lists.run_filter import RunFilter
from runcard.store.merging.merges import list_open_merges, move_records
from runcard.store.procedures.merges import PROCEDURES, list_merges_into, merge_procedures
from runcard.store.procedures.rows import get_procedure
from runcard.store.runs.records import list_latest_runs
from runcard.store.units.classes import classify_unit
from tests.analytics.copies import content_of, own_copy
from tests.histories import START, Floor

OUTCOMES: list[RunOutcome] = ["PASS", "PASS", "FAIL", "ERROR"]
CREATOR = Creator(None, None)


def reports(prefix: str, chance: Random, count: int) -> list[RunReport]:
    """Runs of few units, some of which both procedures test, with versions that both have and such that one has."""
    return [
        RunReport(
            procedure="",
            serial_number=f"{chance.choice([prefix, 'BOTH'])}-{chance.randint(1, 6)}",
            part_number="P",
            outcome=chance.choice(OUTCOMES),
            procedure_version=chance.choice([None, "1", f"only {prefix}"]),
            started_at=START + timedelta(minutes=chance.randint(0, 500)),
        )
        for _ in range(count)
    ]


def merge_all(floor: Floor, source: UUID, target: UUID) -> None:
    with floor.database.read_in(floor.home) as scope:
        a, b = (get_procedure(scope, str(one)) for one in (source, target))
    floor.writer.write_shared(
        lambda tx: merge_procedures(tx.of(SystemActor(floor.home, "test")), a, b, CREATOR)
    )
    with floor.database.read() as connection:
        [merge] = list_open_merges(connection, PROCEDURES)
    move = partial(move_records, mergeable=PROCEDURES, merge=merge, at_most=7)
    while floor.writer.write(SystemActor(floor.home, "test"), move):
        pass


def test_the_yield_of_both_and_the_shared_units_are_told_before(floor: Floor) -> None:
    chance = Random(7)
    source, target = floor.procedure("Same"), floor.procedure("Same")
    ours, theirs = reports("A", chance, 40), reports("B", chance, 30)
    floor.record(source, ours)
    floor.record(target, theirs)
    wanted = RunFilter(procedure_ids=[source, target])
    with floor.database.read_in(floor.home) as scope:
        runs = list_latest_runs(scope, wanted, 100).rows
    golden = next(run.unit.id for run in runs if run.unit.serial_number.startswith("BOTH"))
    floor.writer.write_shared(
        lambda tx: classify_unit(tx.of(SystemActor(floor.home, "test")), golden, "golden", with_runs=True)
    )
    with own_copy(floor.database) as copy:

        def told() -> tuple[MergedYield, YieldRow]:
            copy.follow()
            with (
                floor.database.read_in(floor.home) as scope,
                Snapshot(copy.copy, scope) as snapshot,
            ):
                # By the id of what was merged too.
                of_source = Selection(RunFilter(procedure_ids=[source]))
                return (
                    merged_yield(snapshot, [source, target]),
                    first_pass_yield(snapshot, of_source, ZoneInfo("UTC")).total,
                )

        before, _ = told()
        merge_all(floor, source, target)
        nothing, after = told()
        assert (before.units, before.first_pass) == (after.units, after.first_pass)
        mine, others = ({one.serial_number for one in some} for some in (ours, theirs))
        assert before.shared_units == len(mine & others) > 0
        assert before.shared_runs == sum(one.serial_number in mine & others for one in ours + theirs)
        assert len(before.shared) == min(10, before.shared_units)
        assert (nothing.units, nothing.first_pass) == (after.units, after.first_pass)
        # What followed the merge is what a copy finds that begins afterwards.
        with own_copy(floor.database) as fresh:
            fresh.follow()
            assert content_of(copy.copy) == content_of(fresh.copy)


def test_runs_keep_their_versions_and_are_noted(floor: Floor) -> None:
    chance = Random(8)
    first, second, third = (floor.procedure(f"Step {number}") for number in range(3))
    said = {
        run_id: report.procedure_version
        for procedure in (first, second, third)
        for run_id, report in floor.record(procedure, reports(str(procedure), chance, 10)).items()
    }
    merge_all(floor, first, second)
    merge_all(floor, second, third)
    with floor.database.read_in(floor.home) as scope:
        runs = list_latest_runs(scope, RunFilter(procedure_ids=[first]), 100).rows
        merges = list_merges_into(scope, third)
    assert {run.id: run.version.name if run.version else None for run in runs} == said
    assert {run.procedure.id for run in runs} == {third}
    # The first came to the third by way of the second.
    assert [(one.source_id, one.moved, one.left) for one in merges] == [(second, 20, 0), (first, 10, 0)]
