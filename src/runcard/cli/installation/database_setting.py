"""The line of `runcard.toml` that names the database. `runcard move` writes it, and takes it back."""

import json
import os
import re
from pathlib import Path

from runcard.settings import Settings
from runcard.store.files.secret_files import replace_secret

_LINE = re.compile(r"^\s*database_url\s*=.*\n?", re.MULTILINE)


def write_database_url(settings: Settings, url: str) -> Path:
    """Write the URL into runcard.toml of the data directory, and return that file. Only its owner may read it."""
    # A JSON text is a TOML text too. At the top it stands before any table.
    return _rewrite(settings, f"database_url = {json.dumps(url)}\n")


def remove_database_url(settings: Settings) -> Path:
    """Remove the URL from runcard.toml of the data directory, and return that file."""
    return _rewrite(settings, "")


def _rewrite(settings: Settings, line: str) -> Path:
    path = settings.data_dir / "runcard.toml"
    kept = _LINE.sub("", path.read_text("utf-8")) if path.exists() else ""
    replace_secret(path, (line + kept).encode())
    if os.geteuid() == 0:  # the server may run as another user, who has to read it
        owner = settings.sqlite_path.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
    return path
