"""systemd understands the unit, and finds that it can do little harm."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY, unknown_settings

UNIT = "runcard.service"
# systemd counts from 0 (closed) to 10.
MOST_EXPOSURE = 2.0

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze (Debian: apt-get install systemd)"
)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unit with its drop-in, for a Runcard that is installed here."""
    folder = tmp_path_factory.mktemp("systemd") / "system"
    shutil.copytree(DEPLOY / "systemd", folder)
    unit = folder / UNIT
    installed = str(Path(sys.executable).parent)
    unit.write_text(unit.read_text("utf-8").replace("/opt/runcard/bin", installed), "utf-8")
    return folder


def analyzed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line(units: Path):
    done = analyzed("verify", "--man=no", "--recursive-errors=no", units / UNIT)
    assert (done.returncode, re.findall(f".*{UNIT}.*", done.stderr)) == (0, [])


def test_the_unit_can_do_little_harm(units: Path):
    done = analyzed("security", "--offline=yes", "--no-pager", units / UNIT)
    [exposure] = re.findall(rf"Overall exposure level for {UNIT}: ([\d.]+)", done.stdout)
    assert float(exposure) < MOST_EXPOSURE


def test_every_variable_is_a_setting():
    files = ("systemd/runcard.service", "systemd/runcard.env", "systemd/runcard.service.d/secrets.conf")
    texts = [(DEPLOY / name).read_text("utf-8") for name in files]
    named = re.findall(r"^(?:Environment=)?(RUNCARD_\w+)=", "\n".join(texts), re.MULTILINE)
    assert len(named) >= 5
    assert unknown_settings(named) == set()


def test_secrets_are_credentials_of_the_service():
    text = (DEPLOY / "systemd/runcard.service.d/secrets.conf").read_text("utf-8")
    loaded = re.findall(r"^LoadCredential=(\w+):/etc/runcard/\1$", text, re.MULTILINE)
    named = re.findall(r"^Environment=RUNCARD_\w+_FILE=%d/(\w+)$", text, re.MULTILINE)
    assert loaded == named == ["database_url", "secret_key", "signing_key"]
