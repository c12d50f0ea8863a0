"""Runs of the v1 API: create, list by serial number, delete."""

from datetime import UTC, datetime

from starlette.types import Receive, Scope, Send

from runcard.api.v1.bodies import CreateRunBody, UsualRunBody
from runcard.api.v1.reports import report_of
from runcard.edge.bodies import BodyDecoder, read_body
from runcard.edge.deps import parts_of
from runcard.edge.responses import header_of, send_json
from runcard.ingest.record_run import PreparedRun, prepare_run, record_run

_decoder = BodyDecoder(CreateRunBody, UsualRunBody)


class CreateRun:
    """POST /runs as a plain ASGI endpoint: the one route whose speed a production line feels.

    The order of errors is that of the contract: key, then body, then what the body refers to.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = parts_of(scope)
        admission = await parts.gate.admit(header_of(scope, b"authorization"))
        body = await read_body(receive, parts.max_body_bytes)
        run = _prepare(body, header_of(scope, b"content-type") or "")
        del body

        run_id = await parts.writer.record(
            lambda tx: record_run(tx, parts.gate.confirm(tx, admission), run),
            run.unit_keys(admission.actor.organization_id),
        )
        await send_json(send, 200, b'{"id":"%b"}' % str(run_id).encode())


def _prepare(body: bytes, content_type: str) -> PreparedRun:
    return prepare_run(report_of(_decoder.decode(body, content_type), datetime.now(UTC)))
