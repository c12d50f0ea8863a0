"""The server, the key and the spool: as given, or from the environment. No other module reads the environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runcard_client.api import root_of
from runcard_client.errors import InvalidSettings


@dataclass(frozen=True)
class Settings:
    url: str
    api_key: str
    spool: Path


def read_settings(
    url: str | None = None,
    api_key: str | None = None,
    spool: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings given, else those in RUNCARD_URL, RUNCARD_API_KEY and RUNCARD_SPOOL. Raises InvalidSettings.

    environment: None: that of this process.
    """
    variables = os.environ if environment is None else environment
    found_url = url or variables.get("RUNCARD_URL")
    found_key = api_key or variables.get("RUNCARD_API_KEY")
    if not found_url:
        raise InvalidSettings(
            "no server is named; give url, or set RUNCARD_URL, as http://runcard.example.com:8000"
        )
    if not found_key:
        raise InvalidSettings(
            "no key is given; give api_key, or set RUNCARD_API_KEY to the station's key, rc_…"
        )
    key = found_key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidSettings("api_key has characters that no key has; give it as it was printed, rc_…")
    return Settings(root_of(found_url), key, spool_path(spool, variables))


def spool_path(given: str | Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """The file of the spool: as given, else RUNCARD_SPOOL, else in the folder for this user's application data."""
    variables = os.environ if environment is None else environment
    named = given or variables.get("RUNCARD_SPOOL")
    return Path(named).expanduser() if named else _data_folder(variables) / "runcard-client" / "spool.sqlite3"


def editor() -> list[str]:
    """The command of this user's editor, with its options: VISUAL, else EDITOR, else the editor of the system."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    return shlex.split(named) if named else ["notepad" if sys.platform == "win32" else "vi"]


def _data_folder(variables: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(variables.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(variables.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
