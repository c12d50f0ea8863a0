"""The compose files say what their specification allows, and close what they can."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.shipped import DEPLOY, compose, unknown_settings

VARIABLES = {"SITE_HOST": "runcard.test", "FILES_HOST": "files.test", "SITE_TLS": "admin@runcard.test"}
FILES = ("compose.yaml", "compose.large.yaml")


@pytest.mark.parametrize("name", FILES)
def test_compose_itself_takes_the_file(name: str):
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose (Debian: apt-get install docker-compose)")
    command: list[str | Path] = [program, "--file", DEPLOY / name, "config", "--quiet"]
    variables = {**VARIABLES, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def services() -> list[Any]:
    return [
        pytest.param(name, service, id=f"{name} {service}")
        for name in FILES
        for service in compose(name, VARIABLES)["services"]
    ]


@pytest.mark.parametrize(("name", "service"), services())
def test_a_service_may_do_nothing_that_it_need_not(name: str, service: str):
    said = compose(name, VARIABLES)["services"][service]
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert said["tmpfs"][0] == "/tmp"
    assert "memory" in said["deploy"]["resources"]["limits"]
    assert not said.get("privileged")
    assert set(said.get("cap_add", [])) <= {"NET_BIND_SERVICE", "DAC_OVERRIDE"}
    # No image may change under a name that stays, other than by its fixes.
    assert said["image"].rpartition(":")[2] not in ("", "latest")


@pytest.mark.parametrize(("name", "service"), services())
def test_a_service_comes_back_and_says_how_it_is(name: str, service: str):
    said = compose(name, VARIABLES)["services"][service]
    if service == "bucket":
        assert said["restart"] == "on-failure"
    elif service == "worker":
        assert said["restart"] == "unless-stopped"
        assert said["healthcheck"] == {"disable": True}  # that of the image asks a server
    else:
        assert said["restart"] == "unless-stopped"
        assert said["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize(("name", "service"), services())
def test_every_variable_of_runcard_is_a_setting(name: str, service: str):
    said = compose(name, VARIABLES)["services"][service]
    assert unknown_settings(said.get("environment", {})) == set()


@pytest.mark.parametrize("name", FILES)
def test_only_the_proxy_can_be_reached_from_outside(name: str):
    said = compose(name, VARIABLES)["services"]
    assert [service for service in said if "ports" in said[service]] == ["proxy"]


@pytest.mark.parametrize("name", FILES)
def test_runcard_trusts_the_network_of_the_proxy_and_no_other(name: str):
    said = compose(name, VARIABLES)
    subnet = said["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    servers = {service for service in said["services"] if service.startswith("runcard")}
    assert {said["services"][one]["environment"]["RUNCARD_TRUSTED_PROXIES"] for one in servers} == {subnet}
    inside = {one for one, service in said["services"].items() if "inside" in service["networks"]}
    assert inside == servers | {"proxy"}


def test_secrets_come_as_files_that_the_script_makes(secrets_folder):
    said = compose("compose.large.yaml", VARIABLES)
    made = {path.name for path in secrets_folder.iterdir()}
    assert {one["file"] for one in said["secrets"].values()} == {f"secrets/{name}" for name in made}
    asked = {name for service in said["services"].values() for name in service.get("secrets", [])}
    assert asked == made
    for service in said["services"].values():
        variables = service.get("environment", {})
        named = [value for key, value in variables.items() if key.endswith("_FILE")]
        assert {value.removeprefix("/run/secrets/") for value in named} <= set(service.get("secrets", []))
        assert not [key for key in variables if key.endswith(("_KEY", "_PASSWORD", "DATABASE_URL"))]


def test_the_script_replaces_no_secret(secrets_folder, make_secrets):
    before = {path.name: path.read_bytes() for path in secrets_folder.iterdir()}
    assert make_secrets(secrets_folder).returncode != 0
    assert {path.name: path.read_bytes() for path in secrets_folder.iterdir()} == before
    assert secrets_folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_mounted_are_shipped(name: str):
    mounted = [
        one.split(":")[0]
        for service in compose(name, VARIABLES)["services"].values()
        for one in service.get("volumes", [])
        if one.startswith("./")
    ]
    # The folder of the certificate is for who has one.
    assert [one for one in mounted if one != "./tls" and not (DEPLOY / one).is_file()] == []


@pytest.mark.parametrize(
    ("name", "missing"),
    [("compose.yaml", "SITE_HOST"), ("compose.large.yaml", "SITE_TLS"), ("compose.large.yaml", "FILES_HOST")],
)
def test_a_name_that_nobody_gave_is_asked_for(name: str, missing: str):
    with pytest.raises(LookupError, match=missing):
        compose(name, VARIABLES | {missing: ""})
