"""Print the results of commands: tables or lines for people, JSON for scripts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.table import Table

Record = Mapping[str, Any]

_NOTHING = "-"


def show_record(record: Record, *, as_json: bool, note: str | None = None) -> None:
    """Print a record, each field on a line. note: a last line, for people only."""
    if as_json:
        show_json(record)
        return
    width = max(len(name) for name in record)
    for name, value in record.items():
        typer.echo(f"{_label(name):<{width}}  {_text(value)}")
    if note:
        typer.echo(note)


def show_rows(
    rows: Sequence[Record], *, as_json: bool, none: str, only_in_json: Collection[str] = ()
) -> None:
    """Print records as a table. none: the text for people where there are no rows."""
    if as_json:
        show_json(list(rows))
        return
    if not rows:
        typer.echo(none)
        return
    table = Table()
    shown = [name for name in rows[0] if name not in only_in_json]
    for name in shown:
        table.add_column(_label(name), no_wrap=name == "id")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in shown))
    # If the output is piped to another program, each row stays on one line.
    console = Console() if Console().is_terminal else Console(width=10_000)
    console.print(table, highlight=False, markup=False)


def show_json(value: object) -> None:
    """Print a value as one line of JSON."""
    typer.echo(msgspec.json.encode(value).decode())


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A progress bar on stderr, which only people at a terminal see."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    match value:
        case None:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case list() | tuple():
            return ", ".join(_text(item) for item in value) or _NOTHING
        case _:
            return str(value)
