"""The thread that brings changes into the Merkle trees while runs are recorded, and sends their heads outside."""

import logging
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.domain.proof.head import SignedHead
from runcard.domain.proof.tiles import TileDamaged
from runcard.evidence.head_files import append_head, head_line
from runcard.evidence.prover import Prover
from runcard.intake.arrived_files import Stores
from runcard.store.commit.changes import last_seq, list_changed_organizations
from runcard.store.trail.adoption import adopt_some, list_adoptions
from runcard.upkeep.repeated_work import RepeatedWork

_log = logging.getLogger(__name__)

_LOOKS_EVERY_S = 2.0
# While stations wait, this thread rests so many times as long as it worked.
_REST_RATIO = 100
_LONGEST_REST_S = 10.0
# How long a command that takes a head outside may run.
_COMMAND_S = 60.0


class HeadsOutside(NamedTuple):
    """Where signed heads go, so that they can convict a database that was rebuilt.

    every_s: how often a head is signed, if anything changed. file: heads are appended to it, a line each. command: is
    run for each head, which comes on its standard input; None: no command.
    """

    every_s: float
    file: Path
    command: Sequence[str] | None = None


class Sealer(RepeatedWork):
    """Seals what was committed, and signs heads."""

    def __init__(
        self, stores: Stores, prover: Prover, outside: HeadsOutside, is_busy: Callable[[], bool]
    ) -> None:
        """is_busy: whether stations wait for their runs to be recorded."""
        self._prover = prover
        self._is_busy = is_busy
        self._outside = outside
        self._unsigned: set[UUID] = set()
        # The last change that was looked at; None: this process has not looked yet.
        self._looked_at: int | None = None
        self._signed_at = float("-inf")
        super().__init__(
            stores,
            name="runcard-sealer",
            every_s=_LOOKS_EVERY_S,
            failing="bringing changes into the proof failed",
        )

    def _work(self) -> None:
        self._adopt()
        with self._stores.database.read() as connection:
            newest = last_seq(connection)
            changed = list_changed_organizations(connection, self._looked_at)
        for organization_id in changed:
            self._seal(organization_id)
        self._unsigned.update(changed)
        self._looked_at = newest
        if time.monotonic() - self._signed_at >= self._outside.every_s:
            self._signed_at = time.monotonic()
            while self._unsigned and not self._closing.is_set():
                self._send(self._unsigned.pop())

    def _adopt(self) -> None:
        """Give digests to records from before the trail."""
        with self._stores.database.read() as connection:
            waiting = list_adoptions(connection)
        for organization_id in waiting:
            author = SystemActor(organization_id, "adoption")
            while not self._closing.is_set():
                started = time.monotonic()
                if not self._stores.writer.write(author, adopt_some):
                    break
                self._rest(started)

    def _seal(self, organization_id: UUID) -> None:
        while not self._closing.is_set():
            started = time.monotonic()
            try:
                if not self._prover.seal_some(organization_id):
                    return
            except TileDamaged as damage:  # the other organizations are sealed all the same
                _log.warning("changes of the organization %s are not proven: %s", organization_id, damage)
                return
            self._rest(started)

    def _rest(self, started: float) -> None:
        """While stations wait, rest many times as long as the last work took. started: of that work."""
        if self._is_busy():
            self._closing.wait(min((time.monotonic() - started) * _REST_RATIO, _LONGEST_REST_S))

    def _send(self, organization_id: UUID) -> None:
        try:
            signed = self._prover.sign(organization_id)
        except TileDamaged as damage:
            _log.warning("the proof of the organization %s is not signed: %s", organization_id, damage)
            return
        if signed is None:
            return
        try:
            append_head(self._outside.file, signed)
        except OSError as error:
            _log.warning("a signed head could not be kept outside: %s", error)
        if self._outside.command is not None:
            _run(self._outside.command, signed)


def _run(command: Sequence[str], signed: SignedHead) -> None:
    try:
        done = subprocess.run(  # noqa: S603 (the command that the settings name)
            command,
            input=head_line(signed),
            timeout=_COMMAND_S,
            capture_output=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("the command that takes a head outside could not be run: %s", error)
        return
    if done.returncode:
        said = done.stderr[-500:].decode(errors="replace")
        _log.warning("the command that takes a head outside ended with %d: %s", done.returncode, said)
