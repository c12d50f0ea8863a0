"""Production lines: procedures with a random past of runs, and of what may happen to these and their units."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.domain.actor import SystemActor, UserActor
from runcard.domain.errors import RuncardError
from runcard.domain.ids import new_id
from runcard.domain.runs.correction import RunCorrection
from runcard.domain.runs.report import RunReport
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.store.bin.deleting import Deletion
from runcard.store.bin.merged import list_merged_into
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import MetadataTest
from runcard.store.products.batches import delete_batch, get_batch
from runcard.store.restoring.contents import list_bin
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.store.retention.old_records import delete_old_runs
from runcard.store.runs.rows import delete_run, is_recorded
from runcard.store.runs.voids import end_voids, void_runs
from runcard.store.trail.metadata import change_metadata
from runcard.store.unit_merges.merge import merge_units
from runcard.store.unit_merges.obstacles import Kept
from runcard.store.unit_merges.split import split_unit
from runcard.store.units.classes import classify_unit
from runcard.store.units.records import delete_units, rename_unit
from tests.analytics.copies import OwnCopy
from tests.histories import RUN_OUTCOMES, SERIALS, START, Floor, conditions, lengths, moments, some_of

_numbers = count()
_OPERATORS = ("Ada", "Bo")


class Line:
    """A procedure of its own, with units and batches that no other has."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._home = floor.home
        self._suffix = f"-{next(_numbers)}"
        self.procedure_id = floor.procedure()
        self.runs: list[UUID] = []
        self._somebody = UserActor(new_id(), floor.home, "admin")

    def serial(self, serial: str) -> str:
        return serial + self._suffix

    def record(self, history: Sequence[RunReport]) -> None:
        reports = [
            replace(
                report,
                serial_number=self.serial(report.serial_number),
                batch_number=self.serial("B") if place % 2 else None,
                operator=_OPERATORS[place % 2],
                procedure_version=f"v{place % 2}",
                part_number=f"{'bAc'[place % 3]}{self._suffix}",
                revision_number="bA"[place % 2],
                metadata={"place": place % 3},
            )
            for place, report in enumerate(history)
        ]
        self.runs += self._floor.record(self.procedure_id, reports)

    def happen(self, event: str, place: int) -> None:
        """Something happens to one of the runs, or to a unit; nothing where that is not there any more."""
        run_id = self.runs[place % len(self.runs)]
        serial = self.serial(SERIALS[place % len(SERIALS)])
        deeds: dict[str, Callable[[SharedTransaction], object]] = {
            "delete a run": lambda tx: delete_run(tx.of(SystemActor(self._home, "test")), run_id, Deletion()),
            "let a unit grow old": lambda tx: delete_old_runs(
                tx.of(SystemActor(self._home, "test")),
                [self._unit(tx, serial)],
                START + timedelta(days=36_500),
                500,
            ),
            "void a run": lambda tx: void_runs(
                tx.of(self._somebody), self._somebody, [run_id], "wrong fixture"
            ),
            "let a run count again": lambda tx: end_voids(tx.of(self._somebody), [run_id], None),
            "restore": lambda tx: restore(tx.of(self._somebody), self._in_bin(tx, place), None),
            "remove from the bin": lambda tx: purge(tx.of(self._somebody), self._in_bin(tx, place), None),
            "delete a unit": lambda tx: delete_units(
                tx.of(SystemActor(self._home, "test")), [serial], Deletion(), with_runs=True
            ),
            "delete the batch": lambda tx: delete_batch(
                tx.of(SystemActor(self._home, "test")),
                get_batch(tx.of(SystemActor(self._home, "test")).scope, self.serial("B")),
                Deletion(),
            ),
            "rename": lambda tx: rename_unit(
                tx.of(SystemActor(self._home, "test")), tx.catalog.get_unit(self._home, serial), f"a{serial}"
            ),
            "make golden": lambda tx: self._make_golden(tx, serial, with_runs=False),
            "make golden with its runs": lambda tx: self._make_golden(tx, serial, with_runs=True),
            "note": lambda tx: self._note(tx, run_id),
            **self._corrections(run_id, serial, place),
            **self._merges(serial, place),
        }
        with suppress(RuncardError):  # it has happened to this one before, or it was never made
            self._floor.writer.write_shared(deeds[event])

    def _corrections(
        self, run_id: UUID, serial: str, place: int
    ) -> dict[str, Callable[[SharedTransaction], object]]:
        """What is corrected in a run, and in a unit."""
        admin, right = self._floor.admin, self.serial(SERIALS[(place + 1) % len(SERIALS)])
        of_run = {
            "correct the unit of a run": RunCorrection(serial_number=right),
            "correct the start of a run": RunCorrection(started_at=START + timedelta(minutes=place - 2)),
            "correct the rest of a run": RunCorrection(operator="Bo", batch_number=self.serial("B")),
        }
        of_unit = {
            "correct a label": UnitCorrection(serial_number=f"c{serial}"),
            "correct a batch": UnitCorrection(batch_number=None),
        }

        def of_one(tx: Transaction, correction: UnitCorrection) -> object:
            unit = tx.catalog.get_unit(self._home, serial)
            return correct_units(tx, admin, [unit.id], correction, "wrong")

        return {
            **{
                deed: partial(lambda one, tx: correct_runs(tx.of(admin), admin, [run_id], one, "wrong"), one)
                for deed, one in of_run.items()
            },
            **{
                deed: partial(lambda one, tx: of_one(tx.of(admin), one), one) for deed, one in of_unit.items()
            },
            "take it back": lambda tx: take_back_corrections(tx.of(admin), [run_id], "right after all"),
        }

    def _in_bin(self, tx: SharedTransaction, place: int) -> UUID:
        """One of the things in the bin. Raises NotFound where it is empty."""
        rows = list_bin(tx.of(self._somebody).scope, Page(6)).rows
        return rows[place % len(rows)].thing.id if rows else new_id()

    def _unit(self, tx: SharedTransaction, serial: str) -> UUID:
        return tx.catalog.get_unit(self._home, serial).id

    def _merges(self, serial: str, place: int) -> dict[str, Callable[[SharedTransaction], object]]:
        into = self.serial(SERIALS[(place + 1) % len(SERIALS)])
        return {
            "merge": lambda tx: merge_units(
                tx.of(self._somebody),
                self._unit(tx, serial),
                self._unit(tx, into),
                Kept(part=True),
                "one unit",
            ),
            "split": lambda tx: split_unit(
                tx.of(self._somebody), self._merged(tx, serial), "two units", with_later_runs=place % 2 == 0
            ),
        }

    def _merged(self, tx: SharedTransaction, serial: str) -> UUID:
        """What was merged into a unit last. Raises NotFound where nothing was."""
        merged = list_merged_into(tx.of(self._somebody).scope, self._unit(tx, serial))
        return merged[0].id if merged else new_id()

    def _make_golden(self, tx: SharedTransaction, serial: str, *, with_runs: bool) -> None:
        classify_unit(
            tx.of(SystemActor(self._home, "test")), self._unit(tx, serial), "golden", with_runs=with_runs
        )

    def _note(self, tx: SharedTransaction, run_id: UUID) -> None:
        mine = tx.of(SystemActor(self._home, "test"))
        if not is_recorded(mine.scope, run_id):
            return
        change_metadata(mine, "run", run_id, "metadata", {"place": 7})
        tx.note_change(self._home, "run_changed", run_id)


events = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "delete a run",
                "let a unit grow old",
                "delete a unit",
                "void a run",
                "let a run count again",
                "restore",
                "remove from the bin",
                "delete the batch",
                "rename",
                "make golden",
                "make golden with its runs",
                "note",
                "correct the unit of a run",
                "correct the start of a run",
                "correct the rest of a run",
                "correct a label",
                "correct a batch",
                "take it back",
                "merge",
                "split",
                "follow",
            ]
        ),
        st.integers(0, 5),
    ),
    max_size=4,
)
run_filters = conditions(
    {
        "serial_numbers": some_of([*SERIALS, "nowhere"]).map(sorted),
        "outcomes": some_of(RUN_OUTCOMES).map(sorted),
        "batch_numbers": some_of(["B", "none"]).map(sorted),
        "procedure_versions": some_of(["V0", "v1"]).map(sorted),
        "environments": some_of(["production"]).map(sorted),
        "operated_by_names": some_of(_OPERATORS).map(sorted),
        "samples": some_of(["production", "golden", "failing"]).map(list),
        "metadata": st.sampled_from(
            [[MetadataTest("place", at_least=1.0)], [MetadataTest("place", equals=7)]]
        ),
        "search_query": st.sampled_from(["sn-", "A"]),
        "corrected": st.booleans(),
        "duration_min": lengths,
        "duration_max": lengths,
        "started_after": moments,
        "ended_before": moments,
        "created_before": moments,
        "created_after": moments,
    },
    at_most=2,
)


def after_all_that(
    floor: Floor, followed: OwnCopy, history: list[RunReport], happened: list[tuple[str, int]]
) -> Line:
    """A line with a past, which the copy has followed, some of it while it happened."""
    line = Line(floor)
    line.record(history)
    for event, place in happened:
        if event == "follow":
            followed.follow()
        else:
            line.happen(event, place)
    followed.follow()
    return line


def of_line(line: Line, asked: Mapping[str, Any]) -> RunFilter:
    names = {"serial_numbers", "batch_numbers"}
    own = {name: [line.serial(one) for one in asked[name]] for name in names & asked.keys()}
    return RunFilter(procedure_ids=[line.procedure_id], **{**asked, **own})
