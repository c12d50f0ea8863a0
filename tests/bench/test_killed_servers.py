"""The bench that kills a server again and again runs, and what was acknowledged is there once in the end."""

import pytest

from bench import killed_servers
from tests.bench.benches import told_by
from tests.deploy.proxies import nginx_program


@pytest.mark.skipif(nginx_program() is None, reason="no nginx (Debian: apt-get install nginx-light)")
def test_nothing_that_was_acknowledged_is_lost_or_there_twice():
    options = ("--seconds", "10", "--every-s", "3", "--stations", "8")
    [line] = told_by(killed_servers, *options)
    assert line["kills"] > 0
    assert line["acknowledged"] > 0
    assert (line["lost"], line["twice"]) == (0, 0)
    assert line["acknowledged"] == line["recorded"] == line["copied"]
