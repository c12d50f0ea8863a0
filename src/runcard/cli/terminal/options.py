"""Options that every command has."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer


def _warn_of_password(url: str | None) -> str | None:
    if url is not None and _has_password(url):
        typer.echo(
            "Warning: --database-url holds a password, which every user of this machine sees in the list of processes. "
            "Put the URL into a file and name that in RUNCARD_DATABASE_URL_FILE.",
            err=True,
        )
    return url


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:  # no URL, which is told where it is used
        return False


DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Directory that holds everything. Default: RUNCARD_DATA_DIR, else ./data.", show_default=False
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="postgresql://user@host/name. Default: RUNCARD_DATABASE_URL, or the file that RUNCARD_DATABASE_URL_FILE "
        "names, else SQLite in the data directory.",
        show_default=False,
        callback=_warn_of_password,
    ),
]
OrganizationSlug = Annotated[
    str | None,
    typer.Option("--organization", metavar="SLUG", help="Which organization, where there are several."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
StationOption = Annotated[
    str | None,
    typer.Option("--station", help="Name or id of the station that records; else the first admin does."),
]
UserOption = Annotated[str | None, typer.Option("--user", help="E-mail or id of the user who records.")]
ProcedureOption = Annotated[
    str | None,
    typer.Option(
        "--procedure", help="Identifier (FVT1) or id of the procedure of all runs, whatever files say."
    ),
]
PartOption = Annotated[
    str | None, typer.Option("--part-number", help="Part number of units whose file names none.")
]
SerialOption = Annotated[
    str | None, typer.Option("--serial-number", help="Serial number of the unit whose file names none.")
]
SerialTemplateOption = Annotated[
    str | None,
    typer.Option(
        "--serial-number-template",
        metavar="TEMPLATE",
        help="Serial numbers from what reports say, such as '{file}-{part_id}' or '{lot}-{wafer}-{x}-{y}'.",
    ),
]
NamePatternOption = Annotated[
    str | None,
    typer.Option(
        "--name-pattern",
        metavar="REGEX",
        help="Find values that files do not say in their path. The serial number is the group "
        "(?P<serial_number>…), else the first one, else all; others by name.",
    ),
]
ContentPatternOption = Annotated[
    str | None,
    typer.Option("--content-pattern", metavar="REGEX", help="The same in the content of each file."),
]
OverrideOption = Annotated[
    bool, typer.Option("--override", help="What is stated replaces what files say, too.")
]
