"""The timeline of a unit."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.domain.floor.repair import RepairFailure
from runcard.domain.runs.outcome import RunOutcome
from runcard.store.bin.tombstones import GoneRun
from runcard.store.files.attachments import Attachment
from runcard.store.units.attempts import UnitAttempts
from runcard.store.units.moves import Move, UnitPlace
from runcard.store.units.records import FirstRun, UnitRecord
from runcard.store.units.repairs import RepairRecord
from runcard.web.frame.facts import creator_name
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import batch_url, bin_url, revision_url, run_url, unit_url
from runcard.web.units.repairs import fault_text, operator_of, repair_anchor

# How many of the sub-units that came at once are named; the tree has them all.
_NAMED = 8
# How many faults of a repair are named; its card has them all.
_FAULTS = 3


class Word(NamedTuple):
    """A piece of a sentence. url: where it leads; empty: nowhere."""

    text: str
    url: str = ""


class Event(NamedTuple):
    """outcome: of a run or a repair; None for any other event. aside: who or what did it.

    is_void: no figure counts it.
    """

    at: Moment
    words: Sequence[Word]
    aside: str = ""
    outcome: RunOutcome | None = None
    is_void: bool = False


class _Happened(NamedTuple):
    at: datetime
    words: Sequence[Word]
    aside: str = ""
    outcome: RunOutcome | None = None
    is_void: bool = False


class Past(NamedTuple):
    """All that is recorded about a unit's past. gone: its deleted runs."""

    unit: UnitRecord
    first_run: FirstRun | None
    attempts: Sequence[UnitAttempts]
    moves: Sequence[Move]
    repairs: Sequence[RepairRecord]
    files: Sequence[Attachment]
    gone: Sequence[GoneRun]


def timeline(past: Past, zone: ZoneInfo) -> Sequence[Event]:
    """The events of a unit's past, the last first."""
    happened = sorted(_happened(past), key=lambda one: one.at, reverse=True)
    return [Event(moment_of(one.at, zone), *one[1:]) for one in happened]


def _happened(past: Past) -> Iterator[_Happened]:
    """The events in no order of time, except that of two at the same moment the later one comes first."""
    for file in past.files:
        yield _Happened(file.created_at, [Word(f"File {file.name} attached")])
    yield from _moves([move for move in past.moves if move.unit.id == past.unit.id])
    yield from _assembled([move for move in past.moves if move.unit.id != past.unit.id])
    for attempts in past.attempts:
        for one in attempts.shown:
            attempt = f", attempt {one.number}" if attempts.total > 1 else ""
            voided = ", voided" if one.is_voided else ""
            words = [
                Word("Tested: "),
                Word(attempts.procedure.name, run_url(one.id)),
                Word(f"{attempt}{voided}"),
            ]
            by = creator_name(one.created_by)
            yield _Happened(one.started_at, words, by, one.outcome, is_void=one.is_voided)
    for gone in past.gone:
        words = [Word("Tested: "), Word("a run that was deleted", bin_url(gone.id))]
        yield _Happened(gone.started_at, words, gone.why or "", gone.outcome, is_void=True)
    for repair in past.repairs:
        yield _repaired(repair)
    yield _created(past.unit, past.first_run)


def _repaired(repair: RepairRecord) -> _Happened:
    report, here = repair.report, unit_url(repair.unit.serial_number)
    faults = [_fault(one) for one in report.failures[:_FAULTS]]
    others = [] if len(report.failures) <= _FAULTS else [" and others"]
    words = [
        Word("Repaired: "),
        Word(report.operation, f"{here}#{repair_anchor(repair.id)}"),
        Word("".join([": " if faults else "", ", ".join(faults), *others])),
    ]
    return _Happened(report.started_at, words, operator_of(repair), report.outcome)


def _fault(failure: RepairFailure) -> str:
    return f"{fault_text(failure)} at {failure.component}" if failure.component else fault_text(failure)


def _created(unit: UnitRecord, first_run: FirstRun | None) -> _Happened:
    by = creator_name(unit.created_by)
    if first_run is None:
        return _Happened(unit.created_at, [Word("Created")], by)
    words = [Word("Created by "), Word("its first run", run_url(first_run.id))]
    return _Happened(first_run.started_at, words, by)


def _moves(moves: Sequence[Move]) -> Iterator[_Happened]:
    for move in moves:
        yield _Happened(move.at, [*_moved(move), *_during(move.run_id)])


def _assembled(moves: Sequence[Move]) -> Iterator[_Happened]:
    """An event for each time that sub-units came to the unit; those of one run together."""
    for (at, run_id), some in groupby(moves, key=lambda move: (move.at, move.run_id)):
        names = [Word(move.unit.serial_number, unit_url(move.unit.serial_number)) for move in some]
        listed = [word for name in names[:_NAMED] for word in (Word(", "), name)][1:]
        others = [Word(" and others")] if len(names) > _NAMED else []
        yield _Happened(at, [Word("Took in "), *listed, *others, *_during(run_id)])


def _during(run_id: UUID | None) -> Sequence[Word]:
    return [] if run_id is None else [Word(" during "), Word("a run", run_url(run_id))]


def _moved(move: Move) -> Sequence[Word]:
    before, after = move.before, move.after
    match move.kind, before, after:
        case "parent", None, UnitPlace():
            return [Word("Assembled into "), _unit(after)]
        case "parent", UnitPlace(), None:
            return [Word("Taken out of "), _unit(before)]
        case "parent", UnitPlace(), UnitPlace():
            return [Word("Moved from "), _unit(before), Word(" to "), _unit(after)]
        case "batch", None, UnitPlace():
            return [Word("Put into batch "), _batch(after)]
        case "batch", UnitPlace(), None:
            return [Word("Taken out of batch "), _batch(before)]
        case "batch", UnitPlace(), UnitPlace():
            return [Word("Batch changed from "), _batch(before), Word(" to "), _batch(after)]
        case "revision", UnitPlace(), UnitPlace():
            return [Word("Re-linked from "), _revision(before), Word(" to "), _revision(after)]
    return [Word("Re-linked")]


def _unit(place: UnitPlace) -> Word:
    return _word(place, unit_url(place.number))


def _batch(place: UnitPlace) -> Word:
    return _word(place, batch_url(place.number))


def _revision(place: UnitPlace) -> Word:
    if not place.number:
        return Word("a deleted revision")
    return Word(f"{place.part_number} rev {place.number}", revision_url(place.part_number, place.number))


def _word(place: UnitPlace, url: str) -> Word:
    return Word(place.number, url) if place.number else Word("a deleted one")
