"""Send the waiting runs of a spool, one after the other."""

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

# These answers may only mean that the procedure of the run has a new id.
_UNKNOWN_PROCEDURE = (403, 404)


@dataclass(frozen=True)
class Delivered:
    """The result of one pass over the spool.

    sent: how many runs were sent. refused: for each run that was parked, why. is_elsewhere: another process is sending
    from this spool. error: what stopped the pass before the spool was empty. retry_after_s: the server's wish.
    """

    sent: int = 0
    refused: Sequence[str] = ()
    is_elsewhere: bool = False
    error: str | None = None
    retry_after_s: float | None = None


class Delivery:
    """Sends the runs of a spool to a server."""

    def __init__(self, spool: Spool, api: Api) -> None:
        self._spool = spool
        self._api = api

    def send_all(
        self, *, lock_timeout_s: float = 0.0, goes_on: Callable[[], bool] = lambda: True
    ) -> Delivered:
        """Send the waiting runs, in the order in which they were added.

        A run that the server refuses is parked, and the next one is sent. Any other failure ends the pass, so that no
        run overtakes another. goes_on: called before each run; False ends the pass. Raises SpoolUnusable.
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
        """Send a run. Return why the server refused it; None where it took the run."""
        try:
            self._send(run)
        except Refused as refused:
            self._spool.park(run.seq, str(refused))
            _log.error("run %s of %s is parked: %s", run.client_run_ref, run.serial_number, refused)
            return str(refused)
        return None

    def _send(self, run: SpooledRun) -> None:
        """Send a run and its files. Each step is noted before the next one, so a killed process repeats at most one
        step, which changes nothing on the server.
        """
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
        """Send a run and return its id on the server, even if it was recorded before and only the answer was lost."""
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
        # The body is a JSON object with members. This adds one at its beginning and leaves the rest as it was kept.
        return text_of(
            self._api.post("/runs", b'{"procedure_id":"%b",' % procedure_id.encode() + body[1:]), "id"
        )

    def _look_up(self, reference: str) -> str:
        procedure_id = look_up(reference, self._api)
        self._spool.note_procedure(reference, procedure_id)
        return procedure_id

    def _upload(self, seq: int, position: int) -> str:
        """Upload a file and return the id of the upload. An upload that was not noted stays unlinked on the server."""
        file = self._spool.file(seq, position)
        slot = self._api.post("/attachments", {"name": file.name})
        upload_id = text_of(slot, "id")
        self._api.put_file(text_of(slot, "upload_url"), file.content, file.content_type)
        self._api.post(f"/attachments/{upload_id}/finalize")
        self._spool.note_uploaded(seq, position, upload_id)
        return upload_id
