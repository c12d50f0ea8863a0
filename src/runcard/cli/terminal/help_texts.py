"""Help that can be read in a narrow terminal."""

from typing import Any

from typer.core import TyperGroup


class WholeSummaries(TyperGroup):
    """A group that says of each command a whole sentence, on as many lines as it takes. Else it is cut at one."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for command in self.commands.values():
            words = " ".join((command.help or "").partition("\n\n")[0].split())
            command.short_help = words.partition(". ")[0].removesuffix(".") + "."
        super().format_commands(ctx, formatter)
