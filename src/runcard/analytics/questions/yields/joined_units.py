"""What a merge of two units would give: the attempts of both are one sequence, so first runs become retests."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.analytics.copy.standing import CopiedAttempt, GoneAttempt, standings
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of
from runcard.domain.errors import FiguresUnavailable
from runcard.store.bin.tombstones import GoneRun, list_gone_runs
from runcard.store.lists.names import names_of
from runcard.store.lists.run_filter import RunFilter
from runcard.store.units.attempts import UnitRun, list_runs_of_units


class JoinedProcedure(NamedTuple):
    """The runs of two units on one procedure. of_source, of_into: how many runs each has.

    before, after: how many of the two units count there, and how many of these passed at first.
    """

    procedure_id: UUID
    of_source: int
    of_into: int
    before: Ratio
    after: Ratio


class JoinedPart(NamedTuple):
    """First-pass yield of the production units of a part, over all time, before and after."""

    number: str
    before: Ratio
    after: Ratio


class JoinedUnits(NamedTuple):
    """procedures: those that the units ran on. parts: those of their runs; None if this server has no figures."""

    procedures: Sequence[JoinedProcedure]
    parts: Sequence[JoinedPart] | None


class _First(NamedTuple):
    """The first run of a unit on a procedure, where it counts."""

    procedure_id: UUID
    part_id: UUID
    has_passed: bool


def joined_units(snapshot: Snapshot, source_id: UUID, into_id: UUID) -> JoinedUnits:
    """What a merge of the source into the other unit would give."""
    both = (source_id, into_id)
    runs, gone = list_runs_of_units(snapshot.scope, both), list_gone_runs(snapshot.scope, both)
    before, after = (_firsts(runs, gone, one) for one in (None, into_id))
    counts = Counter((run.procedure_id, run.unit_id) for run in runs)
    named = names_of(snapshot.scope, "procedure", {run.procedure_id for run in runs})
    procedures = [
        JoinedProcedure(
            procedure_id,
            counts[procedure_id, source_id],
            counts[procedure_id, into_id],
            _ratio([one for one in before if one.procedure_id == procedure_id]),
            _ratio([one for one in after if one.procedure_id == procedure_id]),
        )
        for procedure_id in sorted(named, key=lambda one: (named[one], one))
    ]
    try:
        parts = _parts(snapshot, before, after)
    except FiguresUnavailable:
        parts = None
    return JoinedUnits(procedures, parts)


def _firsts(runs: Sequence[UnitRun], gone: Sequence[GoneRun], unit_id: UUID | None) -> Sequence[_First]:
    """The first runs that count. unit_id: whose runs all are; None: of the unit that each is of."""
    numbers: dict[UUID, int] = defaultdict(lambda: len(numbers))
    attempts = [
        CopiedAttempt(
            place,
            run.id,
            numbers[run.procedure_id],
            unit_id or run.unit_id,
            run.started_at,
            run.outcome,
            run.voided_at,
        )
        for place, run in enumerate(runs)
    ]
    deleted = [
        GoneAttempt(one.id, numbers[one.procedure_id], unit_id or one.unit_id, one.started_at, one.outcome)
        for one in gone
    ]
    found = standings(attempts, deleted)
    return [
        _First(run.procedure_id, run.part_id, run.outcome == "PASS")
        for place, run in enumerate(runs)
        if found[place].attempt == 1 and run.voided_at is None and run.sample is None
    ]


def _parts(snapshot: Snapshot, before: Collection[_First], after: Collection[_First]) -> Sequence[JoinedPart]:
    """The parts of these first runs, by number. Raises FiguresUnavailable."""
    numbers = names_of(snapshot.scope, "part", {one.part_id for one in (*before, *after)})
    found: list[JoinedPart] = []
    for part_id, number in sorted(numbers.items(), key=lambda item: item[1]):
        chosen = Selection(RunFilter(part_numbers=[number]))
        total = first_pass_yield(snapshot, chosen, ZoneInfo("UTC")).total
        old, new = (_ratio([one for one in some if one.part_id == part_id]) for some in (before, after))
        then = ratio_of(total.first_pass.count - old.count + new.count, total.units - old.n + new.n)
        found.append(JoinedPart(number, total.first_pass, then))
    return found


def _ratio(firsts: Sequence[_First]) -> Ratio:
    return ratio_of(sum(one.has_passed for one in firsts), len(firsts))
