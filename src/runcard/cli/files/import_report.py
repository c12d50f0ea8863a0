"""The report of an import, for people and for scripts."""

from collections import Counter

import typer

from runcard.cli.terminal.output import Record, show_json
from runcard.intake.report_files import Fate, RehearsedRun

_TITLES = {
    "recorded": "recorded",
    "known": "already known",
    "refused": "refused",
    "strange": "no report",
}
_QUARANTINE = "`runcard quarantine list` shows the refused files that were kept; `retry` tries them again."


class ImportReport:
    """Collects the fates of imported files.

    rehearses: it was a dry run, so nothing was recorded or put in quarantine. keeps_files: the report lists each file
    and not only counts.
    """

    def __init__(self, *, rehearses: bool, keeps_files: bool = True) -> None:
        self._rehearses = rehearses
        self._keeps_files = keeps_files
        self._files: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()
        self._repairs = 0
        self._records: list[Record] = []

    @property
    def has_refused(self) -> bool:
        return self._files["refused"] > 0

    def add(self, name: str, fate: Fate) -> Record:
        """Add a file to the report, and return its record for scripts."""
        self._files[fate.status] += 1
        self._runs[fate.status] += fate.run_count
        self._repairs += fate.repair_count
        record = {
            "file": name,
            "status": fate.status,
            "format": fate.importer,
            "runs": fate.run_count,
            "repairs": fate.repair_count,
            "recorded_reports": fate.recorded_count,
            "reason": fate.reason,
            "stated": dict(fate.stated),
            "warnings": list(fate.warnings),
            "first_runs": [_rehearsed(run) for run in fate.rehearsed],
        }
        if self._keeps_files:
            self._records.append(record)
        return record

    def end(self, *, as_json: bool) -> None:
        """Print the report. Raises Exit with 1 where a file was refused."""
        if as_json:
            self.show_json()
        else:
            self.show()
        if self.has_refused:
            raise typer.Exit(1)

    def show(self) -> None:
        if self._rehearses:
            typer.echo("Nothing was recorded. This is what an import would have done:")
        for status, title in _TITLES.items():
            if self._files[status] or status == "recorded":
                typer.echo(f"{title:<13}  {self._counts(status)}")
            for record in self._records:
                if record["status"] == status and (_more(record) or status in ("refused", "strange")):
                    typer.echo(f"  {line(record)}")
        if self.has_refused and not self._rehearses:
            typer.echo(_QUARANTINE)

    def show_json(self) -> None:
        counts = {status: self._files[status] for status in _TITLES}
        show_json(
            {
                **counts,
                "runs": self._runs["recorded"] + self._runs["refused"],
                "repairs": self._repairs,
                "dry_run": self._rehearses,
                "files": self._records,
            }
        )

    def _counts(self, status: str) -> str:
        counts = [_count(self._files[status], "file")]
        runs = self._runs["recorded"] + self._runs["refused"] if status == "recorded" else self._runs[status]
        if status in ("recorded", "known"):
            counts.append(_count(runs, "run"))
        if status == "recorded" and self._repairs:
            counts.append(_count(self._repairs, "repair"))
        return ", ".join(counts)


def line(record: Record) -> str:
    """The line about a file, for people, with details on the lines below."""
    runs, reason, done = record["runs"], record["reason"], record["recorded_reports"]
    if reason is None:
        repairs = f", {_count(record['repairs'], 'repair')}" if record["repairs"] else ""
        summary = f"{record['file']}: {_TITLES[record['status']]}, {_count(runs, 'run')}{repairs}"
    else:
        partly = f" Reports 1 to {done} of it are recorded; a retry goes on from there." if done else ""
        summary = f"{record['file']}: {reason}{partly}"
    return "\n".join([summary, *(f"    {detail}" for detail in _more(record))])


def _more(record: Record) -> list[str]:
    """Details about a file: the first runs of a dry run, or else what was stated; then warnings."""
    stated = [f"{_label(field)} of {_count(runs, 'run')}" for field, runs in record["stated"].items()]
    details = [_run(run) for run in record["first_runs"]] or (
        [f"stated: {', '.join(stated)}"] if stated else []
    )
    return [*details, *(f"warning: {warning}" for warning in record["warnings"])]


def _rehearsed(run: RehearsedRun) -> Record:
    return {**run._asdict(), "stated": list(run.stated)}


def _run(run: Record) -> str:
    """The line about a run as it would be recorded."""
    values = [run["serial_number"], run["part_number"], run["procedure"], run["outcome"]]
    started_at = f"{run['started_at']:%Y-%m-%d %H:%M:%S} UTC"
    stated = f" (stated: {', '.join(map(_label, run['stated']))})" if run["stated"] else ""
    return f"{'  '.join([*values, started_at])}{stated}"


def _label(field: str) -> str:
    return field.replace("_", " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
