"""Sending what waits in the spool, one run after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runcard_client.api import Api
from runcard_client.errors import Refused, Unavailable
from runcard_client.procedures import id_in, look_up
from runcard_client.records import text_of
from runcard_client.spool import Spool, SpooledRun

_log = logging.getLogger(__name__)

# Answers to a run that may only mean that its procedure has another id by now.
_UNKNOWN_PROCEDURE = (403, 404)


@dataclass(frozen=True)
class Delivered:
    """What came of one go at the spool.

    sent: how many runs. refused: of each run that was parked, why. is_elsewhere: another process is sending from this
    spool. error: what it ended with before the spool was empty. retry_after_s: how long the server asks for.
    """

    sent: int = 0
    refused: Sequence[str] = ()
    is_elsewhere: bool = False
    error: str | None = None
    retry_after_s: float | None = None


class Delivery:
    """A spool and the server that it is for."""

    def __init__(self, spool: Spool, api: Api) -> None:
        self._spool = spool
        self._api = api

    def send_all(
        self, *, lock_timeout_s: float = 0.0, goes_on: Callable[[], bool] = lambda: True
    ) -> Delivered:
        """Send what waits, in the order in which it was added.

        A run that the server refuses is parked, and the next is sent. Anything else that fails ends it, so that no run
        overtakes another. `goes_on` is asked before each run. Raises SpoolUnusable.
        """
        sent = 0
        refused: list[str] = []
        with self._spool.sending(lock_timeout_s) as is_ours:
            if not is_ours:
                return Delivered(is_elsewhere=True)
            while goes_on() and (run := self._spool.first_waiting()) is not None:
                try:
                    refusal = self._send_or_park(run)
                except Unavailable as error:
                    self._spool.note_failure(run.seq, str(error))
                    return Delivered(sent, refused, error=str(error), retry_after_s=error.retry_after_s)
                if refusal is None:
                    sent += 1
                else:
                    refused.append(refusal)
        return Delivered(sent, refused)

    def _send_or_park(self, run: SpooledRun) -> str | None:
        """Why the server did not take it; None: it did."""
        try:
            self._send(run)
        except Refused as refused:
            self._spool.park(run.seq, str(refused))
            _log.error("run %s of %s is parked: %s", run.client_run_ref, run.serial_number, refused)
            return str(refused)
        return None

    def _send(self, run: SpooledRun) -> None:
        """Each step is noted before the next: a process that is killed repeats at most one, which changes nothing."""
        files = self._spool.files(run.seq)
        run_id = run.run_id
        if run_id is None:
            run_id = self._record(run)
            if files:
                self._spool.note_recorded(run.seq, run_id)
        if files:
            uploads = [upload_id or self._upload(run.seq, position) for position, upload_id in files]
            self._api.patch(f"/runs/{run_id}", {"attachments": uploads})
        self._spool.remove(run.seq)

    def _record(self, run: SpooledRun) -> str:
        """The id that the server gave the run, now or in an attempt whose answer was lost."""
        body = self._spool.body(run.seq)
        given_id = id_in(run.procedure)
        if given_id is not None:
            return self._post(given_id, body)
        procedure_id = self._spool.procedure_id(run.procedure) or self._look_up(run.procedure)
        try:
            return self._post(procedure_id, body)
        except Refused as refused:
            if refused.status not in _UNKNOWN_PROCEDURE:
                raise
            self._spool.note_procedure(run.procedure, None)
            current_id = self._look_up(run.procedure)
            if current_id == procedure_id:
                raise
        return self._post(current_id, body)

    def _post(self, procedure_id: str, body: bytes) -> str:
        # The body is an object with members, so this is one more of them, and the rest goes out as it was kept.
        return text_of(
            self._api.post("/runs", b'{"procedure_id":"%b",' % procedure_id.encode() + body[1:]), "id"
        )

    def _look_up(self, reference: str) -> str:
        procedure_id = look_up(reference, self._api)
        self._spool.note_procedure(reference, procedure_id)
        return procedure_id

    def _upload(self, seq: int, position: int) -> str:
        """The id of a file's upload. One that was begun and not noted stays on the server, linked to nothing."""
        file = self._spool.file(seq, position)
        slot = self._api.post("/attachments", {"name": file.name})
        upload_id = text_of(slot, "id")
        self._api.put_file(text_of(slot, "upload_url"), file.content, file.content_type)
        self._api.post(f"/attachments/{upload_id}/finalize")
        self._spool.note_uploaded(seq, position, upload_id)
        return upload_id
