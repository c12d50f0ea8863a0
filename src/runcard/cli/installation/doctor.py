"""`runcard doctor`: find what is wrong with an installation, and say how to mend it."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runcard.cli.installation.checkup import (
    AttachmentCheck,
    Finding,
    check_data_dir,
    check_database,
    check_documents,
    check_months,
    check_schema,
    check_trail,
    state_of_copy,
)
from runcard.cli.installation.packs import PackCheck
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import progress_bar, show_json
from runcard.domain.errors import StorageUnavailable
from runcard.opening import open_blobs, open_documents, open_unmigrated
from runcard.settings import Settings, check_is_there, load_settings
from runcard.store.commit.writer import Writer
from runcard.store.documents.moving import list_packs
from runcard.store.engine.database import Database, DatabaseFailed, naming_failures
from runcard.store.installation.integrity import count_runs


def doctor(
    mend: Annotated[
        bool,
        typer.Option("--mend", help="Remove files and uploads that have belonged to nothing for a day."),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Check an installation and say what to mend. Ends with 1 if something is wrong."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    with closing(open_unmigrated(settings)) as database:
        checkup = _Checkup(settings, database)
        checkup.run(mend=mend)
    if as_json:
        checkup.show_json()
    else:
        checkup.show()
    if checkup.findings:
        raise typer.Exit(1)


class _Checkup:
    """Runs all checks in order, except those that cannot work because of an earlier finding."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._checked: list[str] = []
        self._removed = 0
        self._abandoned = 0
        self._copy = ""
        self.findings: list[Finding] = []

    def run(self, *, mend: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with progress_bar(*columns) as progress:
            self._check("data directory", check_data_dir(self._settings))
            if not self._check("schema", check_schema(self._database)):
                return
            self._check("database", check_database(self._database))
            self._check("months", check_months(self._database))
            self._check("documents", self._documents(progress))
            self._check("records", self._records(progress))
            self._check("attachments", self._attachments(mend=mend))
            self._check("document store", self._packs(mend=mend))
            self._copy = state_of_copy(self._settings, self._database)

    def show(self) -> None:
        for check in self._checked:
            found = [finding for finding in self.findings if finding.check == check]
            typer.echo(f"{'FAULT' if found else 'ok':<5}  {check}")
            for finding in found:
                typer.echo(f"       {finding.message}\n       → {finding.mend}")
        if self._copy:
            typer.echo(f"The columnar copy {self._copy}.")
        if self._removed:
            typer.echo(f"{self._removed} files and uploads that belonged to nothing were removed.")
        if self._abandoned:
            typer.echo(f"{self._abandoned} uploads belong to nothing; `runcard doctor --mend` removes them.")

    def show_json(self) -> None:
        show_json(
            {
                "ok": not self.findings,
                "checked": self._checked,
                "columnar_copy": self._copy or None,
                "findings": [finding._asdict() for finding in self.findings],
                "abandoned_uploads": self._abandoned,
                "removed": self._removed,
            }
        )

    def _check(self, name: str, findings: Iterable[Finding]) -> bool:
        """Run a check and return whether it found nothing. If it cannot go on, that is its last finding."""
        before = len(self.findings)
        self._checked.append(name)
        try:
            with naming_failures():
                for finding in findings:
                    self.findings.append(finding)
        except (DatabaseFailed, StorageUnavailable) as error:
            self.findings.append(Finding(name, str(error), "Mend this first, then run doctor again."))
        return len(self.findings) == before

    def _documents(self, progress: Progress) -> Iterator[Finding]:
        with self._database.read() as connection:
            total = count_runs(connection)
        task = progress.add_task("Reading runs", total=total)
        yield from check_documents(self._database, lambda count: progress.update(task, advance=count))

    def _records(self, progress: Progress) -> Iterator[Finding]:
        task = progress.add_task("Comparing records", total=None)
        yield from check_trail(self._database, lambda count: progress.update(task, advance=count))

    def _attachments(self, *, mend: bool) -> Iterator[Finding]:
        blobs = open_blobs(self._settings)
        if mend:
            attachments = AttachmentCheck(self._database, blobs)
            list(attachments.check())
            with closing(Writer(self._database)) as writer:
                self._removed += attachments.clear(writer)
        attachments = AttachmentCheck(self._database, blobs)
        yield from attachments.check()
        self._abandoned = len(attachments.abandoned)

    def _packs(self, *, mend: bool) -> Iterator[Finding]:
        with self._database.read() as connection:
            has_packs = bool(list_packs(connection))
        if not has_packs and self._settings.documents_url is None:
            return
        packs = PackCheck(self._database, open_documents(self._settings))
        if mend:
            self._removed += packs.clear()
        yield from packs.check()
