"""Names of this server that links may be made of."""

import socket

import pytest

from runcard.domain.errors import HostNotAllowed
from runcard.edge.connections.hosts import AllowedHosts

WITHOUT_A_SETTING = [
    "127.0.0.1:8000",
    "192.168.1.5:8000",
    "[::1]:8000",
    "[2001:db8::5]",
    "localhost",
    "LOCALHOST:8000",
    "runcard",
    "testserver:80",
    "line-1.local",
    "runcard.factory.internal:8000",
    socket.gethostname(),
]


@pytest.mark.parametrize("host", WITHOUT_A_SETTING)
def test_what_works_without_a_setting(host: str):
    AllowedHosts([]).check(f"http://{host}/")
    AllowedHosts(["runcard.example"]).check(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "192.168.1.5.evil.example",
        "evil.example@runcard",
        "runcard:evil.example",
        "runcard\\evil.example",
        "[evil.example]",
        "",
        ":80",
        "a b",
        "notexample.com",
    ],
)
def test_what_anybody_can_own_is_refused(host: str):
    allowed = AllowedHosts(["runcard.example", ".example.com"])
    with pytest.raises(HostNotAllowed, match="allowed_hosts"):
        allowed.check(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["runcard.example", "RUNCARD.example:443", "a.example.com", "a.b.example.com."]
)
def test_what_is_named_is_allowed(host: str):
    AllowedHosts(["Runcard.Example", ".example.com"]).check(f"https://{host}")
    AllowedHosts(["*"]).check(f"https://{host}")


def test_a_message_is_short_whatever_the_host_is():
    with pytest.raises(HostNotAllowed) as refused:
        AllowedHosts([]).check("http://" + "a." * 10_000)
    assert len(str(refused.value)) < 300
