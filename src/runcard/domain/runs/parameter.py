"""Parameters: the configuration that a run had, and the names of the secrets that it used."""

from typing import Literal

from msgspec import Struct

ParameterSource = Literal["default", "shell", "dotenv", "process", "station", "procedure", "organization"]


class Parameter(Struct, frozen=True, array_like=True, gc=False):
    """A configured value and where it came from."""

    key: str
    value: str | int | float | bool
    variable_id: str | None = None
    version: int | None = None
    source: ParameterSource | None = None


class Secret(Struct, frozen=True, array_like=True, gc=False):
    """The name of a secret that a run used, and where it came from; its value is never kept."""

    key: str
    variable_id: str | None = None
    version: int | None = None
    source: ParameterSource | None = None
