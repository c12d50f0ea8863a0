"""A way to a server on which requests and answers are lost."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

# What becomes of a request: it arrives and so does its answer; it is lost; its answer is lost; somebody else answers.
Fate = Literal["arrives", "request lost", "answer lost", "503"]


class Losing:
    """On a port of its own until closed; `fates` are those of the next requests, and of all later ones `arrives`."""

    def __init__(self, url: str, fates: Iterator[Fate]) -> None:
        onward = httpx.Client(base_url=url, timeout=60)

        class Handler(BaseHTTPRequestHandler):
            def _forward(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fate = next(fates, "arrives")
                if fate == "503":
                    self._answer(503, b"down for maintenance")
                elif fate != "request lost":
                    # The server hands out addresses as it was called, so what follows comes this way too.
                    answer = onward.request(
                        self.command, self.path, content=content, headers=dict(self.headers)
                    )
                    if fate == "arrives":
                        self._answer(answer.status_code, answer.content)
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = _forward  # noqa: N815 (as http.server calls them)

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as http.server calls it)
                """Nothing: what counts is what arrives."""

        self._onward = onward
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._onward.close()
