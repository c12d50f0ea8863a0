"""The `runcard` command: the installed one, run as a process, or what it does, where the process is of no interest."""

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from runcard.cli.main import app
from tests.servers import DEADLINE_S, RUNCARD


class Done(NamedTuple):
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What a command printed that was asked for JSON, and succeeded."""
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


def environment() -> dict[str, str]:
    """That of the tests, without the settings of whoever runs them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RUNCARD_")}


def runcard(*arguments: str | Path, **variables: str) -> Done:
    """Run a command to its end."""
    done = subprocess.run(
        [RUNCARD, *arguments],
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def run_here(*arguments: str | Path, **variables: str) -> Done:
    """The same inside of this process, which spares the start of another."""
    done = CliRunner().invoke(app, list(map(str, arguments)), env=variables)
    return Done(done.exit_code, done.stdout, done.stderr)


class Serving(NamedTuple):
    """A command that goes on; `first`: what it printed as JSON when it was ready."""

    first: Any
    process: subprocess.Popen[str]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> Done:
        self.process.send_signal(how)
        stdout, stderr = self.process.communicate(timeout=DEADLINE_S)
        return Done(self.process.returncode, stdout, stderr)


@contextmanager
def serving(command: str, *options: str | Path) -> Iterator[Serving]:
    """`serve` or `demo` on a free port, until the end of the block."""
    process = subprocess.Popen(
        [RUNCARD, command, "--port", "0", "--json", *options],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Serving(json.loads(_first_line(process)), process)
        finally:
            process.kill()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(DEADLINE_S), "nothing was printed"
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=DEADLINE_S)[1])
    return line
