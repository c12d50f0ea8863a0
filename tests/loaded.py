"""Processes of the `runcard` command that begin as copies of one which has loaded the program already.

Loading takes longer than most of what a server of the tests does. A copy has arguments, an environment, a folder and
outputs of its own, shares nothing with the others, and ends as each Python program ends. `tests/cli` starts the command
as it is installed.

Run as a program, this module is the process that is copied: see `_serve`.
"""

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from runcard.cli.main import app

_MOST_BYTES = 1 << 20
_LOADED_WITHIN_S = 60.0


class LoadedProcess:
    """One of the copies, in what is used of a `subprocess.Popen`."""

    def __init__(self, pid: int, told: socket.socket, stdout: TextIOWrapper) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._told = told

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout_s: float) -> int:
        """Its exit code; the negative number of the signal that ended it. Raises TimeoutError."""
        if self.returncode is None:
            self._told.settimeout(timeout_s)
            self.returncode = int(self._told.recv(64))
            self._told.close()
        return self.returncode


class LoadedRuncard:
    """The process that is copied. It ends when this is closed, or when the process of the tests ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )

    def start(
        self, arguments: Sequence[str | Path], environment: Mapping[str, str], stderr: BinaryIO
    ) -> LoadedProcess:
        """Start the command with these arguments; its output can be read."""
        mine, theirs = socket.socketpair()
        readable, writable = os.pipe()
        asked = {
            "arguments": [str(one) for one in arguments],
            "environment": dict(environment),
            "folder": str(Path.cwd()),
        }
        with theirs, self._lock:
            descriptors = [theirs.fileno(), writable, stderr.fileno()]
            socket.send_fds(self._socket, [json.dumps(asked).encode()], descriptors)
            os.close(writable)
            mine.settimeout(_LOADED_WITHIN_S)
            pid = int(mine.recv(64))
        return LoadedProcess(pid, mine, os.fdopen(readable))

    def close(self) -> None:
        """End it, after all of its copies."""
        self._socket.close()
        self._process.wait(_LOADED_WITHIN_S)


def _serve(asking: socket.socket) -> Mapping[str, Any] | None:
    """Make copies until nobody can ask any more. In a copy: what was asked of it; in the one that was copied: None."""
    ended, woken = socket.socketpair()
    for one in (ended, woken):
        one.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(asking, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is ended:
                    ended.recv(_MOST_BYTES)
                    _tell_who_ended(running)
                    continue
                message, descriptors, _, _ = socket.recv_fds(asking, _MOST_BYTES, 3)
                if not message:
                    return None
                told = socket.socket(fileno=descriptors[0])
                pid = os.fork()
                if pid == 0:
                    for one in (asking, ended, woken, told, *running.values()):
                        one.close()
                    found: Mapping[str, Any] = json.loads(message)
                    _become(found, *descriptors[1:])
                    return found
                for descriptor in descriptors[1:]:
                    os.close(descriptor)
                told.send(b"%d" % pid)
                running[pid] = told


def _tell_who_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as told:
            told.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(asked: Mapping[str, Any], stdout: int, stderr: int) -> None:
    """In a copy: be as a process is that was started so."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for given, place in ((stdout, 1), (stderr, 2)):
        os.dup2(given, place)
        os.close(given)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    sys.argv = [str(Path(sys.executable).with_name("runcard")), *asked["arguments"]]


def main() -> None:
    gc.freeze()  # so that copies share the memory of what is loaded
    # What was loaded has threads that calculate; they begin anew in a copy.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    if _serve(socket.socket(fileno=int(sys.argv[1]))) is not None:
        gc.unfreeze()
        sys.exit(app())


if __name__ == "__main__":
    main()
