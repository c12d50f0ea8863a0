"""What has become of report files, as pages tell it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.edge.report_files import Fate
from runcard.store.database import Connection
from runcard.store.file_imports import list_imported_runs
from runcard.store.pages import Page
from runcard.store.run_records import RunRecord, read_runs
from runcard.web.formats import count_text
from runcard.web.report_formats import format_text
from runcard.web.urls import run_url

_WORDS = {
    "recorded": ("PASS", "recorded"),
    "known": ("SKIP", "already known"),
    "refused": ("FAIL", "refused"),
    "strange": ("SKIP", "no report"),
}


class Arrived(NamedTuple):
    """A file that was brought, by its name, and what has become of it."""

    name: str
    fate: Fate


class Link(NamedTuple):
    text: str
    url: str


class OutcomeLine(NamedTuple):
    """tone: the outcome whose colour it has. told: what was recorded. reason: why it, or the rest of it, was not."""

    name: str
    tone: str
    word: str
    format: str
    told: str
    links: Sequence[Link]
    reason: str
    warnings: Sequence[str] = ()


def import_url(import_id: UUID) -> str:
    return f"/imports/{import_id}"


def quarantined_url(file_id: UUID) -> str:
    return f"/imports/quarantine/{file_id}"


def outcome_lines(
    connection: Connection, organization_id: UUID, arrived: Sequence[Arrived]
) -> Sequence[OutcomeLine]:
    only = _only_runs(connection, organization_id, [one.fate for one in arrived])
    return [_line(one.name, one.fate, only) for one in arrived]


def runs_text(runs: int, repairs: int) -> str:
    """Such as 1 run, 12 runs and 1 repair; empty for nothing."""
    counted = [(runs, "run"), (repairs, "repair")]
    told = [f"{count_text(count)} {noun}{'' if count == 1 else 's'}" for count, noun in counted if count > 0]
    return " and ".join(told)


def _only_runs(
    connection: Connection, organization_id: UUID, fates: Sequence[Fate]
) -> Mapping[UUID, RunRecord]:
    """The run of each import that has one only, by the import."""
    ids: dict[UUID, UUID] = {}
    for import_id in {fate.import_id for fate in fates if fate.import_id and fate.run_count == 1}:
        listed = list_imported_runs(connection, organization_id, import_id, Page(1))
        if len(listed.rows) == 1 and not listed.has_more:
            ids[import_id] = listed.rows[0]
    found = {run.id: run for run in read_runs(connection, organization_id, list(ids.values()))}
    return {import_id: found[run_id] for import_id, run_id in ids.items() if run_id in found}


def _line(name: str, fate: Fate, only: Mapping[UUID, RunRecord]) -> OutcomeLine:
    tone, word = _WORDS[fate.status]
    if fate.recorded_count:
        tone, word = "ERROR", "recorded in part"
    return OutcomeLine(
        name,
        tone,
        word,
        format_text(fate.importer),
        _told(fate),
        _links(fate, only),
        fate.reason or "",
        fate.warnings,
    )


def _told(fate: Fate) -> str:
    if fate.recorded_count:
        return f"Reports 1 to {count_text(fate.recorded_count)} are recorded; a retry goes on from there."
    return runs_text(fate.run_count, fate.repair_count)


def _links(fate: Fate, only: Mapping[UUID, RunRecord]) -> Sequence[Link]:
    links = []
    if fate.import_id is not None:
        run = only.get(fate.import_id)
        if run is None:
            links.append(Link("What was recorded", import_url(fate.import_id)))
        else:
            links.append(Link(f"{run.unit.serial_number} {run.outcome}", run_url(run.id)))
    if fate.quarantined_id is not None:
        links.append(Link("In quarantine", quarantined_url(fate.quarantined_id)))
    return links
