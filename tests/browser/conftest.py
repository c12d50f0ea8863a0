"""A browser in front of a demo: what people see and do, in the program that they do it with."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from playwright.sync_api import Browser, StorageState, expect

from runcard.cli.demo import DemoAccess
from tests.browser.chromium import VARIABLE, find_chromium, running_chromium
from tests.browser.windows import Account, Windows
from tests.servers import DEADLINE_S, AnyServer, Installation

# Of its own it waits for five seconds, in which a busy machine may not have imported a file.
expect.set_options(timeout=DEADLINE_S * 1000)


class Demo(NamedTuple):
    """A running demo, and how to get into it."""

    server: AnyServer
    access: DemoAccess

    @property
    def admin(self) -> Account:
        return Account(self.access.email, self.access.password)


class Made(NamedTuple):
    """A demo to copy, which nobody serves."""

    data_dir: Path
    access: DemoAccess


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The program. Without one, what needs it is left out; in CI it fails."""
    found = find_chromium()
    if found is None:
        lacking = f"no Chromium on the PATH, and none named by {VARIABLE}"
        if os.environ.get("CI"):
            pytest.fail(f"{lacking}; CI leaves nothing out", pytrace=False)
        pytest.skip(lacking)
    return found


# Of the module: while Playwright runs, nothing else in this process may run an event loop.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with running_chromium(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def made_demo(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What `runcard demo` makes, with its columnar copy."""
    data_dir = tmp_path_factory.mktemp("demo")
    installation = Installation(data_dir, None)
    access = installation.runcard("demo", "--no-serve")
    installation.runcard("rebuild", "analytics")
    return Made(data_dir, msgspec.convert(access, DemoAccess))


@pytest.fixture(scope="module")
def demo(made_demo: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of the module's own."""
    data_dir = tmp_path_factory.mktemp("served") / "demo"
    shutil.copytree(made_demo.data_dir, data_dir)
    server = AnyServer(data_dir, None)
    server.start()
    yield Demo(server, made_demo.access)
    server.stop()


@pytest.fixture(scope="module")
def admin(browser: Browser, demo: Demo) -> StorageState:
    """The cookies of the demo's admin, who has logged in."""
    windows = Windows(browser, demo.server.url)
    cookies = windows.log_in(demo.admin).context.storage_state()
    windows.close()
    return cookies


@pytest.fixture
def windows(browser: Browser, demo: Demo) -> Iterator[Windows]:
    """Windows on the demo, none of which may complain on its console."""
    opened = Windows(browser, demo.server.url)
    yield opened
    opened.close()
    assert opened.complaints == []
