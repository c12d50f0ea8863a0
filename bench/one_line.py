"""How a bench that measures one thing tells what it found."""

import msgspec
from rich.console import Console
from rich.table import Table


def print_line(line: msgspec.Struct, *, as_json: bool, digits: int) -> None:
    """Print a line as JSON, or as a table with the names of its fields. digits: after the point of its numbers."""
    if as_json:
        print(msgspec.json.encode(line).decode())
        return
    table = Table(*line.__struct_fields__)
    table.add_row(*(f"{getattr(line, name):,.{digits}f}" for name in line.__struct_fields__))
    Console().print(table)
