"""Who asks, as a proxy says it that is named, and as nobody else does."""

import logging
from typing import Any

import pytest

from runcard.edge.connections.proxies import Proxies

NAMED = ["10.0.0.1", "10.1.0.0/16", "2001:db8::/32"]


def believed(client: str, **headers: str) -> Any:
    """The scope of a request from this address, as it is passed on."""
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"client": (client, 1234), "scheme": "http", "headers": [(b"host", b"here"), *fields]}
    Proxies(NAMED).believe(scope)
    return scope


@pytest.mark.parametrize("nearest", ["10.0.0.1", "10.1.2.3", "2001:db8::7", "::ffff:10.0.0.1"])
def test_a_named_proxy_says_who_asks_how_and_by_which_name(nearest: str):
    scope = believed(
        nearest, x_forwarded_for="192.0.2.7", x_forwarded_proto="https", x_forwarded_host="a.test"
    )
    assert (scope["client"][0], scope["scheme"]) == ("192.0.2.7", "https")
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"a.test"]


@pytest.mark.parametrize("nearest", ["127.0.0.1", "10.0.0.2", "::1", "", "unix"])
def test_nobody_else_is_believed(nearest: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        scope = believed(
            nearest, x_forwarded_for="192.0.2.7", x_forwarded_proto="https", x_forwarded_host="a.test"
        )
    assert (scope["client"][0], scope["scheme"]) == (nearest, "http")
    assert (b"host", b"here") in scope["headers"]
    assert f"from {nearest} is ignored" in caplog.text
    assert "trusted_proxies" in caplog.text


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("6.6.6.6, 192.0.2.7", "192.0.2.7"),  # what a caller made up stands before what the proxy saw
        ("192.0.2.7, 10.1.0.5", "192.0.2.7"),
        ("192.0.2.7:5000, 10.1.0.5", "192.0.2.7"),
        ("[2001:470::1]:443", "2001:470::1"),
        ("10.1.0.9, 10.1.0.5", "10.1.0.9"),
        ("unknown, 10.1.0.5", "10.1.0.5"),
        ("<script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_farthest_hop_that_a_named_proxy_saw_is_who_asks(said: str, client: str):
    assert believed("10.0.0.1", x_forwarded_for=said)["client"][0] == client


@pytest.mark.parametrize(("said", "scheme"), [("http, https", "https"), ("ftp", "http"), ("", "http")])
def test_a_scheme_is_http_or_https(said: str, scheme: str):
    assert believed("10.0.0.1", x_forwarded_proto=said)["scheme"] == scheme


def test_a_stranger_is_told_of_once_and_not_many_are(caplog: pytest.LogCaptureFixture):
    proxies = Proxies([])
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            for _ in range(2):
                client = (f"192.0.2.{number}", 1)
                proxies.believe({"client": client, "headers": [(b"x-forwarded-for", b"1.1.1.1")]})
    assert 1 <= len(caplog.records) <= 10
    assert len({record.getMessage() for record in caplog.records}) == len(caplog.records)
