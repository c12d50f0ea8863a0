"""Pythons of stations: the tests' own, and the oldest that the client keeps to, where there is one on this machine."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST = "3.9"
_CLIENT = Path(__file__).parents[2] / "client"
_LOCK = Path(__file__).with_suffix(".lock")
_FOLDER = Path(__file__).parents[2] / ".cache" / "clients" / f"python{OLDEST}"
_VERSION = "import ensurepip, sqlite3, sys; print('%d.%d' % sys.version_info[:2])"


def oldest_python() -> Path | None:
    """A Python 3.9 with the client, pytest and Robot Framework, made when it is first asked for; None where there is
    none to make it with.
    """
    base = next((one for one in _candidates() if _is_oldest(one)), None)
    if base is None:
        return None
    python, installed, wanted = _FOLDER / "bin" / "python", _FOLDER / "installed.lock", _LOCK.read_text()
    _FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with _FOLDER.with_suffix(".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not installed.is_file() or installed.read_text() != wanted:
            subprocess.run([base, "-m", "venv", "--clear", _FOLDER], check=True, timeout=120)
            pip: list[str | Path] = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--no-compile",
            ]
            subprocess.run([*pip, "--requirement", _LOCK], check=True, timeout=600)
            subprocess.run([*pip, "--editable", _CLIENT], check=True, timeout=600)
            installed.write_text(wanted)
    return python


def own_python() -> Path:
    return Path(sys.executable)


def _candidates() -> Iterator[Path]:
    """Of the PATH, and of pyenv, whose own on the PATH is for the versions only that somebody chose."""
    found = shutil.which(f"python{OLDEST}")
    if found is not None:
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{OLDEST}.*/bin/python"))


def _is_oldest(python: Path) -> bool:
    done = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0 and done.stdout.strip() == OLDEST
