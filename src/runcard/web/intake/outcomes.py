"""What became of report files, as lines of a page."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.domain.runs.outcome import RunOutcome
from runcard.importers.formats import TABULAR
from runcard.intake.report_files import Fate, RehearsedRun
from runcard.store.engine.scope import Scope
from runcard.store.files.imports import list_imported_runs
from runcard.store.lists.pages import Page
from runcard.store.runs.records import RunRecord, read_runs
from runcard.web.frame.formats import Moment, count_text, counted_text, moment_of
from runcard.web.frame.urls import run_url
from runcard.web.frame.visit import Visit
from runcard.web.intake.report_formats import format_text

# The endings of the names of tables, packed or not.
_TABLES = tuple(
    f"{ending}{packed}" for ending in (".csv", ".tsv", ".txt", ".xlsx") for packed in ("", ".gz", ".bz2")
)
_WORDS = {
    "recorded": ("PASS", "recorded"),
    "known": ("SKIP", "already known"),
    "refused": ("FAIL", "refused"),
    "strange": ("SKIP", "no report"),
}


class ArrivedFile(NamedTuple):
    """The name of a file that was sent, and what became of it."""

    name: str
    fate: Fate


class RecordLink(NamedTuple):
    text: str
    url: str


class RehearsedLine(NamedTuple):
    """A run as it would be recorded. stated: the fields that were stated at the import."""

    serial_number: str
    part_number: str
    procedure: str
    outcome: RunOutcome
    started_at: Moment
    stated: str


class OutcomeLine(NamedTuple):
    """tone: the outcome whose colour it has. recorded: what was recorded. reason: why the file, or the rest of it, was
    not recorded.

    stated: the fields that were stated, and for how many runs. runs: the first runs of a preview, which records none.
    """

    name: str
    tone: str
    word: str
    format: str
    recorded: str
    links: Sequence[RecordLink]
    reason: str
    warnings: Sequence[str] = ()
    stated: str = ""
    runs: Sequence[RehearsedLine] = ()


def import_url(import_id: UUID) -> str:
    return f"/imports/{import_id}"


def quarantined_url(file_id: UUID) -> str:
    return f"/imports/quarantine/{file_id}"


def mapping_url(file_id: UUID) -> str:
    return f"{quarantined_url(file_id)}/mapping"


def may_be_table(name: str, importer: str | None) -> bool:
    """Whether a refused file may be a table with columns to map. importer: the format that it was read as."""
    return importer in {TABULAR, "TABLE"} or (importer is None and name.lower().endswith(_TABLES))


def outcome_lines(scope: Scope, visit: Visit, arrived: Sequence[ArrivedFile]) -> Sequence[OutcomeLine]:
    only = _only_runs(scope, [one.fate for one in arrived])
    return [_line(one.name, one.fate, only, visit.zone) for one in arrived]


def lacking_text(arrived: Sequence[ArrivedFile]) -> str:
    """The fields that refused files lack and a form can state, as a sentence; empty if they lack none."""
    lacks = sorted({one.fate.lacks for one in arrived if one.fate.lacks is not None})
    if not lacks:
        return ""
    names = " and ".join(map(stated_name, lacks))
    return f"The refused files do not say their {names}: say it here or above, and send them again."


def stated_name(field: str) -> str:
    """The name, for people, of a field that can be stated."""
    return field.replace("_", " ")


def runs_text(runs: int, repairs: int) -> str:
    """The numbers of runs and repairs in words, such as 12 runs and 1 repair; empty if both are 0."""
    counted = [(runs, "run"), (repairs, "repair")]
    counts = [counted_text(count, noun) for count, noun in counted if count > 0]
    return " and ".join(counts)


def _only_runs(scope: Scope, fates: Sequence[Fate]) -> Mapping[UUID, RunRecord]:
    """The run of each import that has exactly one, by the id of the import."""
    ids: dict[UUID, UUID] = {}
    for import_id in {fate.import_id for fate in fates if fate.import_id and fate.run_count == 1}:
        listed = list_imported_runs(scope, import_id, Page(1))
        if len(listed.rows) == 1 and not listed.has_more:
            ids[import_id] = listed.rows[0]
    found = {run.id: run for run in read_runs(scope, list(ids.values()))}
    return {import_id: found[run_id] for import_id, run_id in ids.items() if run_id in found}


def _line(name: str, fate: Fate, only: Mapping[UUID, RunRecord], zone: ZoneInfo) -> OutcomeLine:
    tone, word = _WORDS[fate.status]
    if fate.status == "recorded" and fate.import_id is None:
        word = "would be recorded"
    if fate.recorded_count:
        tone, word = "ERROR", "recorded in part"
    return OutcomeLine(
        name,
        tone,
        word,
        format_text(fate.importer),
        _recorded_text(fate),
        _links(name, fate, only),
        fate.reason or "",
        fate.warnings,
        ", ".join(f"{stated_name(field)} of {runs_text(count, 0)}" for field, count in fate.stated),
        [_rehearsed(run, zone) for run in fate.rehearsed],
    )


def _rehearsed(run: RehearsedRun, zone: ZoneInfo) -> RehearsedLine:
    stated = ", ".join(map(stated_name, run.stated))
    started_at = moment_of(run.started_at, zone)
    return RehearsedLine(run.serial_number, run.part_number, run.procedure, run.outcome, started_at, stated)


def _recorded_text(fate: Fate) -> str:
    if fate.recorded_count:
        return f"Reports 1 to {count_text(fate.recorded_count)} are recorded; a retry continues from there."
    return runs_text(fate.run_count, fate.repair_count)


def _links(name: str, fate: Fate, only: Mapping[UUID, RunRecord]) -> Sequence[RecordLink]:
    links = []
    if fate.import_id is not None:
        run = only.get(fate.import_id)
        if run is None:
            links.append(RecordLink("What was recorded", import_url(fate.import_id)))
        else:
            links.append(RecordLink(f"{run.unit.serial_number} {run.outcome}", run_url(run.id)))
    if fate.quarantined_id is not None:
        if may_be_table(name, fate.importer):
            links.append(RecordLink("Map its columns", mapping_url(fate.quarantined_id)))
        links.append(RecordLink("In quarantine", quarantined_url(fate.quarantined_id)))
    return links
