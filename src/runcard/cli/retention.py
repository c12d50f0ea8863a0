"""`runcard retention`: delete what is older than an organization keeps it."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from runcard.app import open_blobs
from runcard.cli.installation import Installation, open_installation
from runcard.cli.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.output import Record, progress_bar, show_record
from runcard.domain.errors import Conflict
from runcard.domain.organization import Organization
from runcard.domain.retention import Amount
from runcard.edge.arrived_files import Stores
from runcard.edge.retention import sweep
from runcard.store.locks import Lock
from runcard.store.retention import Forecast, forecast

_KEEPS_ALL = "It keeps everything: `runcard organization set --run-retention-days DAYS` changes that."


def retention(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted; delete nothing.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Delete what is older than an organization keeps it, now. A server does the same each hour."""
    now = datetime.now(UTC)
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        with installation.database.read() as connection:
            expected = forecast(connection, home.id, home.retention.cutoffs(now))
        record = _told(expected) if dry_run else _sweep(installation, home, now, expected)._asdict()
    days = {name: getattr(home, name) for name in ("run_retention_days", "file_retention_days")}
    show_record(
        {"organization": home.slug, **days, "dry_run": dry_run, **record},
        as_json=as_json,
        note=None if home.retention.is_set else _KEEPS_ALL,
    )


def _told(expected: Forecast) -> Record:
    """What would be deleted, for people and scripts."""
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


def _sweep(installation: Installation, home: Organization, now: datetime, expected: Forecast) -> Amount:
    stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
    removed = Amount()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        installation.database.alone(Lock.SWEEP) as is_alone,
        progress_bar(*columns) as bar,
    ):
        if not is_alone:
            raise Conflict("A server is deleting what is old at this moment. Let it, or try again later.")
        task = bar.add_task("Deleting runs and files", total=expected.runs.total + expected.files.total)
        started = time.monotonic()
        for more in sweep(stores, home.id, now):
            removed = removed.with_more(more)
            bar.update(task, advance=more.runs + more.files)
            # As long as it worked, so that a server beside it gets at the database.
            time.sleep(time.monotonic() - started)
            started = time.monotonic()
    return removed
