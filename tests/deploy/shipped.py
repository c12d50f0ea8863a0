"""What deploy/ ships, as the programs read it that it is for."""

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from runcard.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# `$$`, `${NAME}`, `${NAME:-else}` and `${NAME:?complaint}`.
_COMPOSE_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


def unknown_settings(names: Iterable[str]) -> set[str]:
    """The RUNCARD_* variables among them from which no setting is read."""
    known = {f"RUNCARD_{key.upper()}{end}" for key in Settings.__struct_fields__ for end in ("", "_FILE")}
    return {name for name in names if name.startswith("RUNCARD_")} - known


def instructions(containerfile: Path) -> list[tuple[str, str]]:
    """The instructions of a Containerfile in order, each with its arguments on one line."""
    lines = [line for line in containerfile.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    return [(one.partition(" ")[0], one.partition(" ")[2].strip()) for one in joined.splitlines() if one]


def stages(containerfile: Path) -> list[list[tuple[str, str]]]:
    """The instructions of each stage, its FROM first."""
    found: list[list[tuple[str, str]]] = []
    for name, arguments in instructions(containerfile):
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, arguments))
    return found


def assigned(arguments: str) -> dict[str, str]:
    """What an ENV or LABEL assigns."""
    return dict(one.split("=", 1) for one in shlex.split(arguments))


def compose(name: str, variables: Mapping[str, str]) -> Any:
    """A compose file with its variables filled in. Raises LookupError for one that is missing."""

    def value(match: re.Match[str]) -> str:
        dollar, variable, kind, rest = match.groups()
        if dollar:
            return "$"
        if variables.get(variable) or kind is None:
            return variables.get(variable, "")
        if kind == "-":
            return str(rest)
        raise LookupError(f"{variable}: {rest}")

    text = (DEPLOY / name).read_text("utf-8")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))
    return yaml.safe_load(_COMPOSE_VARIABLE.sub(value, body))
