"""How far a bench has come."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def progress_bar(*, is_hidden: bool) -> Progress:
    """A bar on standard error. It is drawn only when it is told to, because a bench is often its own load generator."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), auto_refresh=False, disable=is_hidden)
