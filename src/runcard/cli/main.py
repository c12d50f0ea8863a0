"""The `runcard` command."""

from typing import Annotated

import typer

from runcard import __version__
from runcard.cli import demo
from runcard.cli.copies import backup, verify
from runcard.cli.copies import organization as move_organization
from runcard.cli.files import export, import_files, quarantine
from runcard.cli.floor import init, key, organization, procedure, retention, station, team, user
from runcard.cli.installation import doctor, follow, move, rebuild, secret, serve
from runcard.cli.terminal.errors import ClearErrors
from runcard.cli.terminal.help_texts import WholeSummaries

app = typer.Typer(
    # Rich would show options in tables, and cut their names at 80 columns.
    rich_markup_mode=None,
    name="runcard",
    cls=ClearErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(is_given: object) -> None:
    if is_given:
        typer.echo(f"runcard {__version__}")
        raise typer.Exit


@app.callback()
def runcard(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Runcard: a self-hosted data platform for hardware test."""


app.command()(serve.serve)
app.command()(follow.worker)
app.command()(demo.demo)
app.command()(init.init)
organization.app.command("export")(move_organization.export_organization)
organization.app.command("import")(move_organization.import_organization)
app.add_typer(organization.app, name="organization", cls=WholeSummaries)
app.add_typer(user.app, name="user", cls=WholeSummaries)
app.add_typer(key.app, name="key", cls=WholeSummaries)
app.add_typer(secret.app, name="secret", cls=WholeSummaries)
app.add_typer(station.app, name="station", cls=WholeSummaries)
app.add_typer(team.app, name="team", cls=WholeSummaries)
app.add_typer(procedure.app, name="procedure", cls=WholeSummaries)
app.command("import")(import_files.import_files)
app.command()(export.export)
app.add_typer(quarantine.app, name="quarantine", cls=WholeSummaries)
app.command()(retention.retention)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(move.move)
app.add_typer(rebuild.app, name="rebuild", cls=WholeSummaries)
app.command()(doctor.doctor)
app.command()(verify.verify)
