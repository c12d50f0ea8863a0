"""`runcard secret`: show and replace the keys that sign links and forms."""

from collections.abc import Sequence

import typer

from runcard.auth.secret_keys import KEY_FILE, key_id, new_key, open_keys, read_keys, write_keys
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import show_rows
from runcard.settings import Settings, SettingsError, check_is_there, load_settings

app = typer.Typer(
    no_args_is_help=True,
    help="List and replace the keys that sign links and forms; only their ids are shown.",
)

_RESTART = "Restart every server of this data directory: a server reads the keys as it starts."


@app.command("list")
def list_(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show the keys by ids that are the same on every host. The first key signs; all of them verify."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    _show(read_keys(settings.secret_key, settings.data_dir), as_json=as_json)


@app.command()
def rotate(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Sign with a new key. What older keys have signed keeps working until `runcard secret drop`."""
    settings = _settings(data_dir, database_url)
    keys = [new_key(), *open_keys(None, settings.data_dir)]
    write_keys(settings.data_dir / KEY_FILE, keys)
    _show(keys, as_json=as_json, note=_RESTART)


@app.command()
def drop(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Keep only the newest key. Links and forms that older keys have signed stop working."""
    settings = _settings(data_dir, database_url)
    keys = open_keys(None, settings.data_dir)[:1]
    write_keys(settings.data_dir / KEY_FILE, keys)
    _show(keys, as_json=as_json, note=_RESTART)


def _settings(data_dir: DataDir, database_url: DatabaseUrl) -> Settings:
    """The settings, if the keys are in a file that can be changed. Raises SettingsError where they are not."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    if settings.secret_key is not None:
        raise SettingsError(
            "The setting secret_key gives the keys, so this command cannot change them. Put a new key before the "
            'present one there, as in "NEW,OLD", and restart; remove the old key a day later.'
        )
    return settings


def _show(keys: Sequence[str], *, as_json: bool, note: str | None = None) -> None:
    rows = [{"key": key_id(key), "signs": position == 0} for position, key in enumerate(keys)]
    show_rows(rows, as_json=as_json, none="No key yet; the first server makes one.")
    if note and not as_json:
        typer.echo(note)
