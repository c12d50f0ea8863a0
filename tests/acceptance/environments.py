"""Programs as they run at test stations: real clients, the old ones each in an environment of its own."""

import fcntl
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.acceptance.wire import Json
from tests.servers import Server

SCRIPTS = Path(__file__).parent / "clients"
_CACHE = Path(__file__).parents[2] / ".cache" / "clients"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Only a client that hangs meets it.
_DEADLINE_S = 180


class Environment(NamedTuple):
    """A Python with a version of the tofupilot client."""

    python: Path

    def run(self, folder: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        """What Python prints, called with these arguments in this working directory. It must end well."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=folder,
            env=_variables() | dict(variables or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
        output = _COLOURS.sub("", done.stdout)
        assert done.returncode == 0, output
        return output


class Told(NamedTuple):
    """What a script prints: for people, and at the end what it found out."""

    output: str
    found: Json


def _variables() -> dict[str, str]:
    """No telemetry and no word to the outside: a proxy that is not there refuses it at once."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    nowhere = "http://127.0.0.1:9"
    return kept | {
        "DISABLE_TELEMETRY": "true",
        "PYTHONIOENCODING": "utf-8",
        "HTTPS_PROXY": nowhere,
        "HTTP_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def current_environment() -> Environment:
    """That of the tests themselves."""
    return Environment(Path(sys.executable))


def install_into(python: Path, *what: str | Path) -> None:
    """Have pip, that of the tests, install this for another Python: the little of it that runs compiles itself."""
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", *what], check=True, timeout=600)


def old_environment(name: str) -> Environment:
    """The environment that `clients/NAME.lock` describes: made when it is first asked for, then kept."""
    wanted = (SCRIPTS / f"{name}.lock").read_text("utf-8")
    folder = _CACHE / name
    python = folder / "bin" / "python"
    installed = folder / "installed.lock"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not installed.is_file() or installed.read_text("utf-8") != wanted:
            venv.create(folder, clear=True)
            install_into(python, "--requirement", SCRIPTS / f"{name}.lock")
            installed.write_text(wanted, "utf-8")
    return Environment(python)


def run_script(environment: Environment, script: str, folder: Path, server: Server, **orders: Any) -> Told:
    """Run a script of `clients/` with these orders, as station FCT-1 unless another key is named."""
    access = {"url": server.url, "api_key": server.world.acme.fct.api_key}
    output = environment.run(folder, str(SCRIPTS / script), json.dumps(access | orders))
    return Told(output, json.loads(output.rstrip().rpartition("\n")[2]))
