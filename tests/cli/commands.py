"""The `runcard` command: the installed one, run as a process, or what it does, where the process is of no interest."""

import json
import logging
import os
import selectors
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, Any, BinaryIO, NamedTuple

from typer.testing import CliRunner

from runcard.cli.main import app
from tests.loaded import LoadedProcess
from tests.servers import DEADLINE_S, RUNCARD, loaded_runcard


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


def run_beside(*arguments: str | Path, **variables: str) -> Done:
    """The same in a process that is a copy of one which has loaded the command already."""
    with TemporaryFile() as stderr:
        process = loaded_runcard().start(arguments, environment() | variables, stderr)
        return _ended(process, stderr)


def _ended(process: LoadedProcess, stderr: BinaryIO) -> Done:
    """What a process has said when it ends by itself; one that does not is killed."""
    late = Timer(DEADLINE_S, process.kill)
    late.start()
    try:
        with process.stdout:
            stdout = process.stdout.read()
        code = process.wait(DEADLINE_S)
    finally:
        late.cancel()
    stderr.seek(0)
    return Done(code, stdout, stderr.read().decode())


def run_here(*arguments: str | Path, **variables: str) -> Done:
    """The same inside of this process, which spares the start of another."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    done = CliRunner().invoke(app, list(map(str, arguments)), env=variables)
    # A command that logs writes to a stream that is closed now.
    root.handlers[:] = handlers
    root.setLevel(level)
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
    with serving_as([RUNCARD, command, *options], environment()) as running:
        yield running


@contextmanager
def serving_as(command: Sequence[str | Path], variables: Mapping[str, str]) -> Iterator[Serving]:
    """The same by any command that serves, with these variables and no others."""
    process = subprocess.Popen(
        [*command, "--port", "0", "--json"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Serving(json.loads(_first_line(process)), process)
        finally:
            process.kill()


class ServingBeside(NamedTuple):
    """As `Serving`, of a process that is a copy; `stderr`: what it complains of."""

    first: Any
    process: LoadedProcess
    stderr: BinaryIO

    def stop(self) -> Done:
        self.process.send_signal(signal.SIGTERM)
        return _ended(self.process, self.stderr)


@contextmanager
def serving_beside(command: str, *options: str | Path) -> Iterator[ServingBeside]:
    """As `serving`, in a process that is a copy of one which has loaded the command already."""
    with TemporaryFile() as stderr:
        arguments = [command, "--port", "0", "--json", *options]
        process = loaded_runcard().start(arguments, environment(), stderr)
        try:
            line = _line_of(process.stdout)
            assert line, _ended(process, stderr).stderr
            yield ServingBeside(json.loads(line), process, stderr)
        finally:
            process.kill()
            process.wait(DEADLINE_S)
            process.stdout.close()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = _line_of(process.stdout)
    if not line:
        raise AssertionError(process.communicate(timeout=DEADLINE_S)[1])
    return line


def _line_of(stdout: IO[str]) -> str:
    """The first; empty where there is none."""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        assert selector.select(DEADLINE_S), "nothing was printed"
    return stdout.readline()
