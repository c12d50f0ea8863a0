"""Settings come from variables, or from the files that variables name, so that secrets stay out of the process list."""

from pathlib import Path

import pytest

from runcard.settings import SettingsError, load_settings


def test_every_variable_may_name_a_file_that_holds_its_value(tmp_path: Path):
    url, seconds = tmp_path / "url", tmp_path / "seconds"
    url.write_text("postgresql://runcard:secret@db/runcard\n", "utf-8")
    seconds.write_text("77", "utf-8")
    settings = load_settings(
        {
            "RUNCARD_DATA_DIR": str(tmp_path),
            "RUNCARD_DATABASE_URL_FILE": str(url),
            "RUNCARD_LIST_TIMEOUT_S_FILE": str(seconds),
            "RUNCARD_SECRET_KEY_FILE": "",
        }
    )
    assert settings.database_url == "postgresql://runcard:secret@db/runcard"
    assert (settings.list_timeout_s, settings.secret_key) == (77, None)


def test_a_variable_and_its_file_are_not_given_both(tmp_path: Path):
    environment = {"RUNCARD_SECRET_KEY": "x", "RUNCARD_SECRET_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(SettingsError, match="RUNCARD_SECRET_KEY and RUNCARD_SECRET_KEY_FILE are both given"):
        load_settings(environment)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "No such file"), (b"\xff\xfe", "no UTF-8")], ids=["missing", "binary"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, told: str):
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=told) as refused:
        load_settings({"RUNCARD_SECRET_KEY_FILE": str(path)})
    assert f"RUNCARD_SECRET_KEY_FILE names {path}" in str(refused.value)
