"""Where the server and the spool are."""

from pathlib import Path

import pytest

from runcard_client import InvalidSettings
from runcard_client.settings import Settings, read_settings, spool_path

GIVEN = {"RUNCARD_URL": "http://runcard:8000/", "RUNCARD_API_KEY": "rc_1", "RUNCARD_SPOOL": "/data/spool"}


def test_the_environment_says_what_is_not_given():
    assert read_settings(environment=GIVEN) == Settings("http://runcard:8000", "rc_1", Path("/data/spool"))
    told = read_settings("https://other/api", "rc_2", "/x", GIVEN)
    assert told == Settings("https://other", "rc_2", Path("/x"))


@pytest.mark.parametrize(
    ("url", "api_key", "told"),
    [
        (None, "rc_1", "no server is named"),
        ("http://a", None, "no key is given"),
        ("runcard:8000", "rc_1", "url is 'runcard:8000'; give the server's address"),
        ("http://", "rc_1", "url is 'http://'"),
        ("http://a/?x=1", "rc_1", "url is"),
        ("http://a", "rc_1\nrc_2", "api_key has characters that no key has"),
        ("http://a", "rc_ü", "api_key has characters that no key has"),
    ],
    ids=["no-url", "no-key", "no-scheme", "no-host", "query", "two-keys", "no-ascii"],
)
def test_what_is_missing_or_wrong_is_named(url: str | None, api_key: str | None, told: str):
    with pytest.raises(InvalidSettings, match=told):
        read_settings(url, api_key, environment={})


def test_a_spool_lies_where_this_user_keeps_data():
    assert spool_path(None, {"XDG_DATA_HOME": "/home/a/.data"}).name == "spool.sqlite3"
    assert spool_path("~/s", {}) == Path.home() / "s"
