"""Options that several commands share."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer


def _warn_of_password(url: str | None) -> str | None:
    if url is not None and _has_password(url):
        typer.echo(
            "Warning: --database-url contains a password, which every user of this machine can see in the list of "
            "processes. Put the URL into a file and name the file in RUNCARD_DATABASE_URL_FILE.",
            err=True,
        )
    return url


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:  # no URL, which is reported where it is used
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
    typer.Option("--organization", metavar="SLUG", help="The organization, if there are several."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
StationOption = Annotated[
    str | None,
    typer.Option("--station", help="Name or id of the station that records. Default: the first admin."),
]
UserOption = Annotated[str | None, typer.Option("--user", help="E-mail or id of the user who records.")]
ProcedureOption = Annotated[
    str | None,
    typer.Option(
        "--procedure", help="Identifier (FVT1) or id of the procedure for all runs, whatever the files say."
    ),
]
PartOption = Annotated[
    str | None, typer.Option("--part-number", help="Part number of units for which a file names none.")
]
SerialOption = Annotated[
    str | None, typer.Option("--serial-number", help="Serial number of the unit if a file names none.")
]
SerialTemplateOption = Annotated[
    str | None,
    typer.Option(
        "--serial-number-template",
        metavar="TEMPLATE",
        help="Serial numbers made from values in the reports, such as '{file}-{part_id}' or '{lot}-{wafer}-{x}-{y}'.",
    ),
]
NamePatternOption = Annotated[
    str | None,
    typer.Option(
        "--name-pattern",
        metavar="REGEX",
        help="Find missing values in the path of a file. The serial number is the group (?P<serial_number>…), else the "
        "first group, else the whole match; other fields are groups with their names.",
    ),
]
ContentPatternOption = Annotated[
    str | None,
    typer.Option(
        "--content-pattern", metavar="REGEX", help="Like --name-pattern, but in the content of each file."
    ),
]
OverrideOption = Annotated[
    bool, typer.Option("--override", help="Stated values also replace values that the files have.")
]
