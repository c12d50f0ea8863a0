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
