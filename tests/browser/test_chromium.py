"""Where a Chromium is looked for, and what happens where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import VARIABLE, find_chromium

ROOT = Path(__file__).parents[2]
PREPARE = ROOT / ".ci" / "chromium"


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch(mode=0o755)
    return path


def environment(folder: Path, **more: str) -> dict[str, str]:
    """That of this process, but for programs in one folder only, and outside of CI unless it is said."""
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", VARIABLE}}
    return {**kept, "PATH": str(folder), **more}


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_it_is_found_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None
    there = program(tmp_path, name)
    assert find_chromium() == there


def test_the_one_that_is_named_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    named = program(tmp_path, "my-chromium")
    program(tmp_path, "chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(VARIABLE, str(named))
    assert find_chromium() == named


def test_a_name_of_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError, match=VARIABLE):
        find_chromium()


@pytest.mark.parametrize(("more", "code"), [({}, 0), ({"CI": "true"}, 1)], ids=["elsewhere", "in CI"])
def test_make_says_that_there_is_none(tmp_path: Path, more: dict[str, str], code: int):
    # Nothing to install one with, either.
    done = subprocess.run(
        ["/bin/bash", PREPARE], env=environment(tmp_path, **more), capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "No Chromium" in done.stderr
    assert VARIABLE in done.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [({}, "skipped"), ({"CI": "true"}, "CI leaves nothing out")],
    ids=["elsewhere", "in CI"],
)
def test_the_suite_leaves_the_browser_out_but_not_in_ci(tmp_path: Path, more: dict[str, str], told: str):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not_logged_in"]
    done = subprocess.run(
        [*command, f"--basetemp={tmp_path / 'inner'}", Path(__file__).with_name("test_every_page.py")],
        env=environment(tmp_path, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (1 if more else 0), done.stdout
    assert told in done.stdout
    assert "no Chromium on the PATH" in done.stdout
