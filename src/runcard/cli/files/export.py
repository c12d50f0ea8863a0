"""`runcard export`: runs and measurements as files."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, TypeVar, get_args
from uuid import UUID

import typer
from msgspec import Struct
from rich.progress import TextColumn, TimeElapsedColumn

from runcard.analytics.groups import zone_of
from runcard.cli.installation.opened import Installation, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import progress_bar, show_record
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.organization import Organization
from runcard.domain.runs.outcome import RunOutcome
from runcard.exports.formats import Encoding, ExportFormat, encoding_of
from runcard.exports.rows import ExportedMeasurement, ExportedRun, export_measurements, export_runs
from runcard.store.contents.measurements import MeasurementFilter
from runcard.store.lists.run_filter import RunFilter
from runcard.store.procedures.rows import get_procedure
from runcard.store.stations.rows import get_station

Row = TypeVar("Row", bound=Struct)

_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
_OUTCOMES: tuple[RunOutcome, ...] = get_args(RunOutcome)
Moment = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        help="In UTC, unless it has a time zone.",
    ),
]
Texts = list[str] | None
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", dir_okay=False, help="File to write. Default: standard output."),
]
Format = Annotated[
    ExportFormat | None, typer.Option("--format", help="Default: by the ending of the file name, else csv.")
]
Stations = Annotated[Texts, typer.Option("--station", help="Name or id of the station that reported.")]
Causes = Annotated[Texts, typer.Option("--cause", help="Code of the run's cause, or of one above it.")]

FinalOnly = Annotated[
    bool,
    typer.Option("--final-only", help="Leave out measurements of attempts that were repeated in the run."),
]

TimeZone = Annotated[
    str, typer.Option("--time-zone", help="For times in files for spreadsheets, such as Europe/Berlin.")
]


def export(  # noqa: PLR0913 (the options of a command)
    what: Annotated[
        Literal["runs", "measurements"], typer.Argument(metavar="runs|measurements", help="What a row is.")
    ],
    *,
    output: Output = None,
    file_format: Format = None,
    time_zone: TimeZone = "UTC",
    procedures: Annotated[Texts, typer.Option("--procedure", help="Identifier (FVT1) or id.")] = None,
    serial_numbers: Annotated[Texts, typer.Option("--serial-number")] = None,
    part_numbers: Annotated[Texts, typer.Option("--part-number")] = None,
    batch_numbers: Annotated[Texts, typer.Option("--batch-number")] = None,
    stations: Stations = None,
    outcomes: Annotated[Texts, typer.Option("--outcome", help="Outcome of the run: PASS, FAIL, …")] = None,
    tags: Annotated[Texts, typer.Option("--tag", help="Name of a tag of the run.")] = None,
    causes: Causes = None,
    started_after: Moment = None,
    started_before: Moment = None,
    phases: Annotated[Texts, typer.Option("--phase", help="Measurements of phases with this name.")] = None,
    names: Annotated[Texts, typer.Option("--measurement", help="Measurements with this name.")] = None,
    final_only: FinalOnly = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Write runs or measurements to a file, one in each row. Filter options may be given several times."""
    if what == "runs" and (phases or names or final_only):
        raise InvalidInput.at(
            "what", "--phase, --measurement and --final-only are for measurements. Leave them out for runs."
        )
    chosen = file_format or _format_of(output)
    encoding = encoding_of(chosen, zone_of(time_zone))
    # The file is opened first, so that it gets the user's own permissions and not those of the data directory.
    with _opened(output) as file, open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        run_filter = RunFilter(
            procedure_ids=_procedure_ids(installation, organization, procedures),
            serial_numbers=serial_numbers,
            part_numbers=part_numbers,
            batch_numbers=batch_numbers,
            created_by_station_ids=_station_ids(installation, organization, stations),
            outcomes=None if not outcomes else [_outcome(text) for text in outcomes],
            tags=tags,
            causes=causes,
            started_after=_utc(started_after),
            started_before=_utc(started_before),
        )
        if what == "runs":
            runs = export_runs(installation.database, organization.id, run_filter)
            count = _write(file, encoding, ExportedRun, runs)
        else:
            inside = MeasurementFilter(names=names, phase_names=phases, only_final=final_only)
            found = export_measurements(installation.database, organization.id, run_filter, inside)
            count = _write(file, encoding, ExportedMeasurement, found)
    if output is not None:
        show_record({"path": str(output), "format": chosen, "rows": count}, as_json=as_json)


def _format_of(path: Path | None) -> ExportFormat:
    name = "" if path is None else path.name.lower()
    # The longest ending first, because a .spreadsheet.csv is no plain CSV.
    by_length = sorted(_FORMATS, key=len, reverse=True)
    return next((ending for ending in by_length if name.endswith(f".{ending}")), "csv")


def _outcome(text: str) -> RunOutcome:
    for outcome in _OUTCOMES:
        if outcome == text.upper():
            return outcome
    raise InvalidInput.at("outcome", f"{text} is no outcome of a run; choose one of {', '.join(_OUTCOMES)}")


def _procedure_ids(
    installation: Installation, organization: Organization, references: Texts
) -> list[UUID] | None:
    if not references:
        return None
    with installation.database.read_in(organization.id) as scope:
        return [get_procedure(scope, reference).id for reference in references]


def _station_ids(
    installation: Installation, organization: Organization, references: Texts
) -> list[UUID] | None:
    if not references:
        return None
    with installation.database.read_in(organization.id) as scope:
        return [get_station(scope, reference).id for reference in references]


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _write(file: BinaryIO, encoding: Encoding, kind: type[Row], pages: Iterator[Sequence[Row]]) -> int:
    """Write the rows to a file, and return how many they are."""
    columns = (TextColumn("Exporting: {task.completed} rows"), TimeElapsedColumn())
    count = 0
    with progress_bar(*columns) as progress:
        task = progress.add_task("rows", total=None)

        def tell(number: int) -> None:
            nonlocal count
            count += number
            progress.update(task, completed=count)

        file.writelines(encoding.encode(kind, _counted(pages, tell)))
    return count


def _counted(pages: Iterator[Sequence[Row]], tell: Callable[[int], None]) -> Iterator[Sequence[Row]]:
    for page in pages:
        tell(len(page))
        yield page


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when it is complete; for None standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
