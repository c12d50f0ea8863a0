"""Options that every command has."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Directory that holds everything. Default: RUNCARD_DATA_DIR, else ./data.", show_default=False
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="postgresql://user:password@host/name. Default: RUNCARD_DATABASE_URL, else SQLite in the data directory.",
        show_default=False,
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
