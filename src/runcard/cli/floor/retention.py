"""`runcard retention`: delete what is older than an organization keeps it."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from runcard.cli.installation.opened import Installation, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import Record, progress_bar, show_record
from runcard.domain.errors import Conflict
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import Amount
from runcard.intake.arrived_files import Stores
from runcard.opening import open_blobs
from runcard.store.engine.locks import Lock
from runcard.store.retention.old_records import Forecast, forecast
from runcard.upkeep.sweeps import sweep

_KEEPS_ALL = (
    "This organization keeps everything. `runcard organization set --run-retention-days DAYS` changes that."
)


def retention(  # noqa: PLR0913 (the options of a command)
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted; delete nothing.")
    ] = False,
    clock_is_right: Annotated[
        bool,
        typer.Option(
            "--clock-is-right", help="Trust the clock, even if it shows a long time without any activity."
        ),
    ] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Delete everything now, not only a day's share.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Delete now what is older than an organization keeps it. A server does the same every hour."""
    now = datetime.now(UTC)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            expected = forecast(scope, organization.retention.cutoffs(now))
        if dry_run:
            record, note = _forecast_record(expected), None
        else:
            sweeping = partial(sweep, now=now, clock_is_right=clock_is_right, at_once=at_once)
            removed = _sweep(installation, organization, sweeping, expected)
            record, note = removed._asdict(), _left(expected, removed)
    days = {name: getattr(organization, name) for name in ("run_retention_days", "file_retention_days")}
    show_record(
        {"organization": organization.slug, **days, "dry_run": dry_run, **record},
        as_json=as_json,
        note=note if organization.retention.is_set else _KEEPS_ALL,
    )


def _left(expected: Forecast, removed: Amount) -> str | None:
    runs, files = max(0, expected.runs.total - removed.runs), max(0, expected.files.total - removed.files)
    if not runs and not files:
        return None
    return (
        f"{runs} runs and {files} files are left for the next days, because about a tenth is deleted each day. "
        "`runcard retention --at-once` deletes them now."
    )


def _forecast_record(expected: Forecast) -> Record:
    """What would be deleted, as a record to print."""
    runs, files = expected.runs, expected.files
    return {
        "runs": runs.total,
        "oldest_run": runs.oldest_at,
        "newest_run": runs.newest_at,
        "files": files.total,
        "oldest_file": files.oldest_at,
        "newest_file": files.newest_at,
        "size_bytes": expected.size_bytes,
    }


def _sweep(
    installation: Installation,
    organization: Organization,
    sweeping: Callable[[Stores, UUID], Iterator[Amount]],
    expected: Forecast,
) -> Amount:
    stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
    removed = Amount()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        installation.database.alone(Lock.SWEEP) as is_alone,
        progress_bar(*columns) as bar,
    ):
        if not is_alone:
            raise Conflict("A server is deleting old records right now. Let it finish, or try again later.")
        task = bar.add_task("Deleting runs and files", total=expected.runs.total + expected.files.total)
        started = time.monotonic()
        for more in sweeping(stores, organization.id):
            removed = removed.with_more(more)
            bar.update(task, advance=more.runs + more.files)
            # Pause as long as it worked, so that a running server gets its turn at the database.
            time.sleep(time.monotonic() - started)
            started = time.monotonic()
    return removed
