"""Help of every command, in a terminal of 80 columns."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from runcard.cli.main import app


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands and groups of commands, with the words that call them."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = {" ".join(path) or "runcard": command for path, command in commands(typer.main.get_command(app))}


@pytest.mark.parametrize("name", ALL)
def test_no_name_and_no_summary_is_cut(name: str) -> None:
    command = ALL[name]
    shown = command.get_help(command.context_class(command, info_name=name, terminal_width=80))
    assert max(map(len, shown.splitlines())) <= 80
    names = [option for one in command.params for option in (*one.opts, *one.secondary_opts)]
    options = [option for option in names if option.startswith("--")]
    assert "--help" in shown
    for word in (*options, *getattr(command, "commands", ())):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown), f"{word} in:\n{shown}"
    if hasattr(command, "commands"):
        _usage, _, summaries = shown.partition("\n\n")
        assert "..." not in summaries
