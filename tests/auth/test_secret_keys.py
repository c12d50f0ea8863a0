"""Keys that sign links and forms: which are refused, and how one takes the place of another."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from itsdangerous import URLSafeTimedSerializer

from runcard.auth.form_tokens import FormTokens
from runcard.auth.secret_keys import KEY_FILE, SecretKeyUnusable, key_id, new_key, open_keys, write_keys
from runcard.domain.errors import FormExpired, SignatureInvalid
from runcard.edge.connections.hosts import AllowedHosts
from runcard.edge.links import Links

OLD, NEW = "old-" * 8, "new-" * 8
FILE = uuid4()


def links(*keys: str) -> Links:
    return Links(keys, "http://runcard.test", AllowedHosts(()), {"upload": 60, "download": 60})


def token(keys: Sequence[str]) -> str:
    return links(*keys).url("download", FILE, "").rpartition("/")[2]


@pytest.mark.parametrize("given", ["", " ", ",", "x", "x" * 31, f"{OLD},x"])
def test_a_key_that_can_be_guessed_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(SecretKeyUnusable, match="secret_key"):
        open_keys(given, tmp_path)
    (tmp_path / KEY_FILE).write_text(given.replace(",", "\n"), "ascii")
    with pytest.raises(SecretKeyUnusable, match=KEY_FILE) as refused:
        open_keys(None, tmp_path)
    assert OLD not in str(refused.value)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"\xff" * 64)
    with pytest.raises(SecretKeyUnusable, match="something other than keys"):
        open_keys(None, tmp_path)


def test_the_first_start_makes_a_key_that_the_next_one_finds(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (key,) = open_keys(None, folder)
    assert len(key) == 64
    assert open_keys(None, folder) == [key]
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(OLD, "ascii")
    assert open_keys(None, tmp_path) == [OLD]


def test_settings_give_several_keys(tmp_path: Path) -> None:
    assert open_keys(f"{NEW}, {OLD}", tmp_path) == [NEW, OLD]
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    path.touch(mode=0o644)
    write_keys(path, [NEW, OLD])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text("ascii") == f"{NEW}\n{OLD}\n"
    assert list(tmp_path.iterdir()) == [path]


def test_links_of_the_old_key_work_until_it_is_dropped() -> None:
    old = token([OLD])
    assert links(NEW, OLD).attachment_id("download", old) == FILE
    with pytest.raises(SignatureInvalid):
        links(NEW).attachment_id("download", old)
    assert links(NEW).attachment_id("download", token([NEW, OLD])) == FILE


def test_links_of_an_older_version_work_until_they_expire() -> None:
    signed = URLSafeTimedSerializer(OLD, salt="runcard.download").dumps(FILE.hex)
    assert isinstance(signed, str)
    assert links(OLD).attachment_id("download", signed) == FILE
    assert links(NEW, OLD).attachment_id("download", signed) == FILE
    with pytest.raises(SignatureInvalid):
        links(OLD).attachment_id("upload", signed)


def test_links_are_not_signed_with_sha_1() -> None:
    signature = token([OLD]).rpartition(".")[2]
    assert len(signature) == 43  # 32 bytes in base64


def test_forms_of_the_old_key_work_until_it_is_dropped() -> None:
    old = FormTokens([OLD]).token("holder")
    FormTokens([NEW, OLD]).check("holder", old)
    FormTokens([NEW]).check("holder", FormTokens([NEW, OLD]).token("holder"))
    with pytest.raises(FormExpired):
        FormTokens([NEW]).check("holder", old)


def test_an_id_tells_keys_apart() -> None:
    keys = [new_key() for _ in range(3)]
    assert len({key_id(key) for key in keys}) == 3
    assert key_id(OLD) == key_id(OLD)
    assert all(key_id(key) not in key for key in keys)
