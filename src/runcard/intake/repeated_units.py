"""Runs that add to units of another file only because a tester counts lots and parts from 1 in every file.

A tester that tests a part again says so (PRR.PART_FLG, MIR.RTST_COD), or runs another program. So these are the signs:
the same lot and part id, the same procedure, another file of the same format, and no mark of a retest.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.text import lookup_key
from runcard.importers.formats import rules_of
from runcard.ingest.import_groups import ReportGroup
from runcard.ingest.record_run import PreparedRun
from runcard.store.engine.database import Database
from runcard.store.files.imports import ImportedFile, find_made_by_others

_MEND = (
    "If these are other devices, tell them apart by a serial number template, such as {file}-{part_id}: "
    "--serial-number-template (command line), Serial number template (page), serial_number_template (REST)."
)


class Made(NamedTuple):
    """A unit and a procedure of its runs. procedure: by name or id. Both are lookup keys."""

    procedure: str
    serial_number: str


# For each unit and procedure, the file that made it, among files that are only rehearsed.
Rehearsed = dict[Made, str]


class RepeatedUnits:
    """Finds such runs of one file. rehearsed: what the rehearsed files before it made; None if files are recorded.

    What a recorded file made is found in the record.
    """

    def __init__(
        self,
        database: Database,
        organization_id: UUID,
        file: ImportedFile,
        place: str,
        rehearsed: Rehearsed | None,
    ) -> None:
        self._database = database
        self._organization_id = organization_id
        self._file = file
        self._place = place
        self._rehearsed = rehearsed
        self._rules = rules_of(file.importer)
        self._count = 0
        self._example = ("", "")

    def look_at(self, group: ReportGroup) -> None:
        """Check the reports of a group that is about to be recorded."""
        if not self._rules.composes:
            return
        runs = [report for report in group.reports if isinstance(report, PreparedRun)]
        others = self._others(runs)
        for run in runs:
            other = others.get(_made(run))
            if other is not None and not self._rules.is_retest(run.report.metadata or {}):
                self._example = self._example if self._count else (run.report.serial_number, other)
                self._count += 1
        if self._rehearsed is not None:
            self._rehearsed.update({made: self._place for made in map(_made, runs) if made not in others})

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self._count:
            return ()
        serial_number, file = self._example
        runs = "1 run adds to a unit" if self._count == 1 else f"{self._count} runs add to units"
        added = (
            f"{runs} that another file made with the same lot and part id, such as {serial_number} of {file}"
        )
        return (f"{added}, and the tester marks no retest. {_MEND}",)

    def _others(self, runs: Sequence[PreparedRun]) -> dict[Made, str]:
        """For each unit and procedure of these runs that another file made before, the name of that file."""
        serial_keys = {lookup_key(run.report.serial_number) for run in runs}
        with self._database.read_in(self._organization_id) as scope:
            found = find_made_by_others(scope, self._file, serial_keys)
        others = {
            Made(lookup_key(procedure), unit.serial_key): unit.file or "a file that was deleted"
            for unit in found
            for procedure in (unit.procedure, str(unit.procedure_id))
        }
        rehearsed = self._rehearsed or {}
        known = {
            made: rehearsed[made]
            for made in map(_made, runs)
            if rehearsed.get(made, self._place) != self._place
        }
        return known | others


def _made(run: PreparedRun) -> Made:
    return Made(lookup_key(run.report.procedure), lookup_key(run.report.serial_number))
