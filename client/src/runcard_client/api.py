"""The server over HTTP: requests to its v2 API and to those of its own, and which answers are final."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Union
from urllib.parse import urlencode, urlsplit

import urllib3

from runcard_client.errors import InvalidSettings, Refused, Unavailable

Json = Mapping[str, object]
QueryValue = Union[str, int, float, bool, Sequence[str], None]

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
# Answers that do not refuse the request itself: the key is not known (yet), a proxy needs a password, the server is
# slow or not ready, or it gets too many requests. All answers from 500 on belong to these too.
_MAY_BE_MENDED = frozenset({401, 407, 408, 425, 429})
# Proxies answer this too, with a page of their own. It is final, because another try does not make the body smaller.
_TOO_LARGE = 413
_MOST_MESSAGE = 2000


class Api:
    """One server and one key. Every method may raise Refused and Unavailable. Threads may share an object."""

    def __init__(self, url: str, api_key: str, client_version: str) -> None:
        root = root_of(url)
        self._own = f"{root}/api"
        self._at = f"{self._own}/v2"
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "User-Agent": f"runcard-client/{client_version}",
            "X-Client-Type": "runcard-client",
            "X-Client-Version": client_version,
        }
        self._pool = _pool_for(root)

    def close(self) -> None:
        self._pool.clear()

    def get(self, path: str, query: Mapping[str, QueryValue]) -> Json:
        pairs = [pair for name, value in query.items() for pair in _query_pairs(name, value)]
        return self._json("GET", f"{self._at}{path}?{urlencode(pairs)}" if pairs else f"{self._at}{path}")

    def post(self, path: str, body: bytes | Json | None = None) -> Json:
        return self._json("POST", f"{self._at}{path}", body)

    def post_own(self, path: str, body: Json) -> Json:
        """As `post`, to an API that is Runcard's own and no part of v2."""
        return self._json("POST", f"{self._own}{path}", body)

    def patch(self, path: str, body: Json) -> Json:
        return self._json("PATCH", f"{self._at}{path}", body)

    def put_file(self, url: str, content: bytes, content_type: str) -> None:
        """Send bytes to a signed URL, without the key, because the URL may belong to another host."""
        answer = self._request("PUT", url, content, {"Content-Type": content_type})
        if answer.status == _TOO_LARGE:
            raise Refused(_message(answer), answer.status)
        # Any other failure is solved by a new URL, for example where this one has expired.
        if answer.status != 200:
            raise Unavailable(_message(answer), _retry_after_s(answer))

    def _json(self, method: str, url: str, body: bytes | Json | None = None) -> Json:
        headers = self._headers
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        answer = self._request(method, url, content, headers)
        found = _object_of(answer)
        if answer.status == 200 and found is not None:
            return found
        if _is_final(answer.status, found):
            raise Refused(_message(answer, found), answer.status)
        raise Unavailable(_message(answer, found), _retry_after_s(answer))

    def _request(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method,
                url,
                body=content,
                headers=headers,
                timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{urlsplit(url).netloc} does not answer: {error}") from error


def root_of(url: str) -> str:
    """The address of a server without a slash or `/api` at its end. Raises InvalidSettings."""
    root = url.strip().rstrip("/")
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidSettings(
            f"url is {url!r:.200}; give the server's address, as http://runcard.example.com:8000"
        )
    return root.removesuffix("/api")


def _pool_for(root: str) -> urllib3.PoolManager:
    """A pool of connections to the server, through its proxy if the environment names one."""
    parts = urlsplit(root)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.netloc):
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy)


def _is_final(status: int, found: Json | None) -> bool:
    """Whether a Runcard server has refused the request. A page of a proxy or of another server refuses nothing.

    found: the JSON object in the answer; None: there is none.
    """
    if status == _TOO_LARGE:
        return True
    return 400 <= status < 500 and status not in _MAY_BE_MENDED and found is not None and "code" in found


def _object_of(answer: urllib3.BaseHTTPResponse) -> Json | None:
    try:
        found: object = json.loads(answer.data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _message(answer: urllib3.BaseHTTPResponse, found: Json | None = None) -> str:
    """The status of an answer with its message and the message of each wrong field."""
    if found is None or "message" not in found:
        return f"{answer.status}: {answer.data[:200].decode('utf-8', 'replace')}"
    words = [str(found["message"])]
    issues = found.get("issues")
    if isinstance(issues, list):
        words += [str(issue.get("message")) for issue in issues if isinstance(issue, dict)]
    return f"{answer.status}: {'; '.join(words)}"[:_MOST_MESSAGE]


def _retry_after_s(answer: urllib3.BaseHTTPResponse) -> float | None:
    """The seconds in Retry-After; None where there are none. A date is ignored, because it needs clocks that agree."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return None


def _query_pairs(name: str, value: QueryValue) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    if isinstance(value, (str, int, float)):
        return [(name, str(value))]
    return [(name, item) for item in value]
