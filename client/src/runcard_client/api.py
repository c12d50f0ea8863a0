"""The server over HTTP: requests of its v2 API, and what an answer means for what was asked."""

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
# Answers that say nothing against what was asked: the key is not (yet) known, a proxy wants a password, the server
# is slow, not ready, or asked too often. Every status from 500 on is one too.
_MAY_BE_MENDED = frozenset({401, 407, 408, 425, 429})
# Said by proxies too, with a page of their own; asking again does not make the body smaller.
_TOO_LARGE = 413
_LONGEST_TOLD = 2000


class Api:
    """One server and one key. Every method raises Refused or Unavailable; threads may share one."""

    def __init__(self, url: str, api_key: str, client_version: str) -> None:
        root = root_of(url)
        self._at = f"{root}/api/v2"
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
        return self._json("GET", f"{path}?{urlencode(pairs)}" if pairs else path)

    def post(self, path: str, body: bytes | Json | None = None) -> Json:
        return self._json("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        return self._json("PATCH", path, body)

    def put_file(self, url: str, content: bytes, content_type: str) -> None:
        """Send bytes to a signed address, which may be another host's: the key does not go there."""
        answer = self._request("PUT", url, content, {"Content-Type": content_type})
        if answer.status == _TOO_LARGE:
            raise Refused(_told(answer), answer.status)
        # Anything else is mended by asking for a new address, as one that has expired is.
        if answer.status != 200:
            raise Unavailable(_told(answer), _retry_after_s(answer))

    def _json(self, method: str, path: str, body: bytes | Json | None = None) -> Json:
        headers = self._headers
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        answer = self._request(method, f"{self._at}{path}", content, headers)
        said = _object_of(answer)
        if answer.status == 200 and said is not None:
            return said
        if _is_final(answer.status, said):
            raise Refused(_told(answer, said), answer.status)
        raise Unavailable(_told(answer, said), _retry_after_s(answer))

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
    """The address of a server without what clients add to it. Raises InvalidSettings."""
    root = url.strip().rstrip("/")
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidSettings(
            f"url is {url!r:.200}; give the server's address, as http://runcard.example.com:8000"
        )
    return root.removesuffix("/api")


def _pool_for(root: str) -> urllib3.PoolManager:
    """Connections to the server, through the proxy that the environment names for it."""
    parts = urlsplit(root)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.netloc):
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy)


def _is_final(status: int, said: Json | None) -> bool:
    """Whether this server has answered no to what was asked; a page of a proxy or of another server is no answer."""
    if status == _TOO_LARGE:
        return True
    return 400 <= status < 500 and status not in _MAY_BE_MENDED and said is not None and "code" in said


def _object_of(answer: urllib3.BaseHTTPResponse) -> Json | None:
    try:
        said: object = json.loads(answer.data)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _told(answer: urllib3.BaseHTTPResponse, said: Json | None = None) -> str:
    """The status with what the answer says in words, each field that is wrong by itself."""
    if said is None or "message" not in said:
        return f"{answer.status}: {answer.data[:200].decode('utf-8', 'replace')}"
    words = [str(said["message"])]
    issues = said.get("issues")
    if isinstance(issues, list):
        words += [str(issue.get("message")) for issue in issues if isinstance(issue, dict)]
    return f"{answer.status}: {'; '.join(words)}"[:_LONGEST_TOLD]


def _retry_after_s(answer: urllib3.BaseHTTPResponse) -> float | None:
    """The seconds that the server asks for. A date, which needs clocks that agree, is not read."""
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
    return [(name, one) for one in value]
