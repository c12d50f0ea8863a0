"""The secrets that deploy/make-secrets makes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY

MakeSecrets = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def make_secrets() -> MakeSecrets:
    """Runs the script, and tells how it ended."""

    def make(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([DEPLOY / "make-secrets", folder], capture_output=True, text=True, check=False)

    return make


@pytest.fixture(scope="session")
def secrets_folder(make_secrets: MakeSecrets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the secrets of compose.large.yaml."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    done = make_secrets(folder)
    assert done.returncode == 0, done.stderr
    return folder
