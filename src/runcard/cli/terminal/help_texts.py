"""Help texts that are readable in a narrow terminal."""

from typing import Any

from typer.core import TyperGroup


class WholeSummaries(TyperGroup):
    """A group whose help shows the whole first sentence of each command. Click would cut it to one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for command in self.commands.values():
            words = " ".join((command.help or "").partition("\n\n")[0].split())
            command.short_help = words.partition(". ")[0].removesuffix(".") + "."
        super().format_commands(ctx, formatter)
