"""`runcard demo`: serve an installation with example data."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from runcard.activity.noted_calls import Notes
from runcard.auth.api_keys import new_api_key
from runcard.auth.passwords import hash_password
from runcard.cli.demo_line.brought_files import brought_files
from runcard.cli.demo_line.calls import demo_calls
from runcard.cli.demo_line.corrections import correct_a_few
from runcard.cli.demo_line.fill import MadeFloor, bring_in_files, build_floor, classify_golden, record_history
from runcard.cli.demo_line.floor import ADMIN, STATIONS
from runcard.cli.demo_line.history import demo_runs
from runcard.cli.demo_line.notes import note_on_line
from runcard.cli.demo_line.samples import GOLDEN_SAMPLE, golden_runs
from runcard.cli.demo_line.voids import void_and_delete
from runcard.cli.installation.opened import Installation, open_or_create
from runcard.cli.installation.serve import Host, Port, listening, prepare_server, sole_server, url_of
from runcard.cli.terminal.options import DatabaseUrl, Json
from runcard.cli.terminal.output import Record, progress_bar, show_record
from runcard.intake.arrived_files import Stores
from runcard.opening import open_activity, open_blobs
from runcard.settings import SettingsError, load_settings
from runcard.store.people.organizations import count_organizations

_DATA_DIR = Path("demo-data")


class DemoAccess(msgspec.Struct, frozen=True):
    """The log-in and keys of the demo. They are kept in a file, so that a later start can show them again."""

    email: str
    password: str
    api_key: str
    station: str
    station_api_key: str


class _Plan(NamedTuple):
    seed: int
    runs: int
    days: int


def demo(  # noqa: PLR0913 (the options of a command)
    host: Host = "127.0.0.1",
    port: Port = 8000,
    seed: Annotated[int, typer.Option(help="Another seed makes another history.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="How many runs to make up.")] = 3000,
    days: Annotated[int, typer.Option(min=1, help="How many days the runs go back from now.")] = 60,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Only make the data; do not serve.")] = False,
    data_dir: Annotated[Path, typer.Option(help="Directory that holds everything.")] = _DATA_DIR,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Serve an installation with an organization, its people and stations, and a few thousand runs.

    The runs are made up at the first start; later starts serve what is there.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    plan = _Plan(seed, runs, days)
    if no_serve:
        with open_or_create(settings) as installation:
            _show(_prepare(installation, plan), {}, as_json=as_json)
        return
    with sole_server(settings), listening(host, port) as listener:
        with open_or_create(settings) as installation:
            access = _prepare(installation, plan)
        serve_until_stopped = prepare_server(settings, [listener])
        _show(access, {"url": url_of(settings, listener)}, as_json=as_json)
        serve_until_stopped()


def _show(access: DemoAccess | None, where: Record, *, as_json: bool) -> None:
    if access is None:
        note = "This installation was not made by the demo: log in with one of its own accounts."
        show_record({**where, "email": None}, as_json=as_json, note=note)
        return
    show_record({**where, **msgspec.structs.asdict(access)}, as_json=as_json)


def _prepare(installation: Installation, plan: _Plan) -> DemoAccess | None:
    """Create the demo in an empty installation and return its access; None where the installation is not a demo."""
    path = installation.settings.data_dir / "demo-access.json"
    with installation.database.read() as connection:
        is_there = count_organizations(connection) > 0
    if is_there:
        return _read_access(path) if path.exists() else None
    return _make(installation, plan, path)


def _make(installation: Installation, plan: _Plan, path: Path) -> DemoAccess:
    password, user_key = secrets.token_urlsafe(9), new_api_key()
    station_keys = {station: new_api_key() for station in STATIONS}
    password_hash = hash_password(password)
    floor = installation.writer.write_shared(
        lambda shared: build_floor(shared, password_hash, user_key, station_keys)
    )
    station = STATIONS[0]
    access = DemoAccess(ADMIN.email, password, user_key.api_key, station, station_keys[station].api_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # the file stays empty until everything is recorded

    keys = {station: key.api_key for station, key in station_keys.items()}
    _fill(installation, plan, floor, keys)
    path.write_bytes(msgspec.json.encode(access))
    return access


def _fill(installation: Installation, plan: _Plan, floor: MadeFloor, keys: Mapping[str, str]) -> None:
    """Record the runs, files and calls of the demo. keys: API keys by the name of the station."""
    stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
    history = list(demo_runs(plan.seed, plan.runs, plan.days, datetime.now(UTC)))
    golden = list(golden_runs(plan.seed, history))
    columns = (TextColumn("Recording runs"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task("runs", total=len(history) + len(golden))
        for runs in (history, golden):
            record_history(
                stores.writer,
                stores.blobs,
                floor,
                runs,
                lambda count: progress.update(task, advance=count),
            )
    if golden:
        classify_golden(stores.writer, floor, GOLDEN_SAMPLE)
    bring_in_files(stores, floor, brought_files(history))
    with stores.database.read_in(floor.organization_id) as scope:
        note_on_line(stores.writer, floor, scope, history)
    correct_a_few(stores, floor)
    void_and_delete(stores, floor)
    activity = open_activity(
        installation.settings,
        installation.database,
        Notes(demo_calls(plan.seed, history, keys)),
    )
    if activity is not None:
        activity.close()


def _read_access(path: Path) -> DemoAccess:
    """The access from the demo's file. Raises SettingsError where the demo was not made to its end."""
    content = path.read_bytes()
    if not content:
        raise SettingsError(
            f"data_dir {path.parent} holds a demo that was interrupted while it was made. "
            "Remove the directory and start again."
        )
    return msgspec.json.decode(content, type=DemoAccess)
