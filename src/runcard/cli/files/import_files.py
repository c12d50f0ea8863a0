"""`runcard import`: import existing report files, and watch a folder for those that testers write."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from runcard import __version__
from runcard.cli.files.found_files import FoundFile, find_files, members
from runcard.cli.files.import_report import ImportReport, line
from runcard.cli.files.watching import watched_files
from runcard.cli.installation.opened import Installation, open_installation
from runcard.cli.terminal.options import (
    ContentPatternOption,
    DatabaseUrl,
    DataDir,
    Json,
    NamePatternOption,
    OrganizationSlug,
    OverrideOption,
    PartOption,
    ProcedureOption,
    SerialOption,
    SerialTemplateOption,
    StationOption,
    UserOption,
)
from runcard.cli.terminal.output import Record, progress_bar, show_json
from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.statement import Statement, check_statement
from runcard.importers.formats import FORMATS, FormatName
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Stores
from runcard.intake.choices import ImportChoice, check_may_replace
from runcard.intake.report_files import Fate, ReportFiles
from runcard.opening import open_blobs
from runcard.store.procedures.rows import get_procedure

CLIENT = RunClient("runcard import", __version__)
_FORMATS = ", ".join(known.name for known in FORMATS)

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help=f"Format of all files: {_FORMATS}. Default: detected from the content of each."
    ),
]
ReplaceOption = Annotated[
    bool,
    typer.Option(
        "--replace", help="Replace the run that was recorded from the same report in an earlier file."
    ),
]
SkipOption = Annotated[
    bool, typer.Option("--skip-bad-rows", help="Leave out rows of tables that cannot be read, and name each.")
]


_Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH…", help="Files, folders, ZIP archives, or patterns such as 'logs/**/*.xml'."
    ),
]
_Watch = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Import the files of this folder as soon as they are complete, until stopped.",
    ),
]


def import_files(  # noqa: PLR0913 (the options of a command)
    paths: _Paths = None,
    *,
    watch: _Watch = None,
    settle_s: Annotated[
        float,
        typer.Option(min=0.1, help="With --watch: seconds without a change after which a file is complete."),
    ] = 5.0,
    file_format: FormatOption = None,
    procedure: ProcedureOption = None,
    part_number: PartOption = None,
    serial_number: SerialOption = None,
    serial_number_template: SerialTemplateOption = None,
    name_pattern: NamePatternOption = None,
    content_pattern: ContentPatternOption = None,
    override: OverrideOption = False,
    replace: ReplaceOption = False,
    skip_bad_rows: SkipOption = False,
    station: StationOption = None,
    user: UserOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be recorded; record nothing.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Record the runs of report files, each content only once. Ends with 1 if a file was refused."""
    if (watch is None) == (not paths):
        raise typer.BadParameter("Give either PATH or --watch FOLDER.")
    statement = Statement(serial_number, serial_number_template, name_pattern, content_pattern, override)
    check_statement(statement)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        actor = installation.sender(organization, station, user)
        choice = ImportChoice(
            format_called(file_format),
            procedure_called(installation, organization, procedure),
            part_number,
            rehearses=dry_run,
            replaces=replace,
            skips_bad_rows=skip_bad_rows,
            statement=statement,
        )
        check_may_replace(actor, choice)
        report = ImportReport(rehearses=dry_run, keeps_files=watch is None)
        importing = _Importing(installation, actor, choice)
        if watch is None:
            _import_all(importing, list(find_files(paths or [])), report)
        else:
            settled = watched_files(watch, settle_s, time.monotonic, time.sleep)
            _watch(importing, settled, report, as_json=as_json)
    report.end(as_json=as_json)


def format_called(name: str | None) -> FormatName | None:
    """The format with this name, ignoring case; None for None. Raises InvalidInput."""
    if name is None:
        return None
    for known in FORMATS:
        if known.name == name.upper():
            return known.name
    raise InvalidInput.at("format", f"{name} is no known format; choose one of {_FORMATS}")


def procedure_called(
    installation: Installation, organization: Organization, reference: str | None
) -> str | None:
    """The id of the procedure with this identifier or id; None for None. Raises NotFound."""
    if reference is None:
        return None
    with installation.database.read_in(organization.id) as scope:
        return str(get_procedure(scope, reference).id)


class _Importing:
    """Imports files with the choices of the command."""

    def __init__(self, installation: Installation, actor: Actor, choice: ImportChoice) -> None:
        stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
        self._named = ReportFiles(stores, actor, CLIENT, choice)
        self._passed = ReportFiles(stores, actor, CLIENT, choice._replace(keeps_strange=False))

    def bring_in(self, file: FoundFile, tell: Callable[[int], None] = lambda _: None) -> Fate:
        """Import a file and return its fate. A file in a folder that is no report does not go to quarantine."""
        files = self._named if file.is_named else self._passed
        try:
            with file.open() as content:
                return files.bring_in(file.short_name, content, tell, place=file.place)
        except (PayloadTooLarge, UnreadableReport) as error:
            return Fate("refused", reason=error.summary)
        except OSError as error:
            return Fate("refused", reason=f"The file cannot be read: {error.strerror}.")


def _import_all(importing: _Importing, files: Iterable[FoundFile], report: ImportReport) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = list(files)
    with progress_bar(*columns) as progress:
        task = progress.add_task("Importing files", total=len(found))
        reports = progress.add_task("Reports", total=None)
        for file in found:
            fate = importing.bring_in(file, lambda count: progress.update(reports, advance=count))
            report.add(file.name, fate)
            progress.update(task, advance=1)


def _watch(importing: _Importing, paths: Iterator[Path], report: ImportReport, *, as_json: bool) -> None:
    """Import files as they come and print the result of each, until somebody stops the command."""
    with _until_stopped():
        for path in paths:
            for file in members(FoundFile(path, is_named=True)):
                record = report.add(file.name, importing.bring_in(file))
                _say(record, as_json=as_json)


def _say(record: Record, *, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        typer.echo(line(record))


@contextmanager
def _until_stopped() -> Iterator[None]:
    """A block that SIGINT and SIGTERM end without an error."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
