"""The address of a ClickHouse: clickhouse://user:password@host:port/database, or clickhouses:// with TLS."""

from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_PLAIN, _SECURE = 8123, 8443
_EXAMPLE = "clickhouse://user:password@host:8123/database, or clickhouses:// for TLS"


class Address(NamedTuple):
    """Where a ClickHouse answers over HTTP, and with which database."""

    host: str
    port: int
    user: str
    password: str
    database: str
    is_secure: bool

    @classmethod
    def of(cls, url: str) -> "Address":
        """The address that a URL names. Raises ValueError, which does not quote the password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"is no URL ({error}); write {_EXAMPLE}") from error
        if parts.scheme not in ("clickhouse", "clickhouses"):
            raise ValueError(f"begins with {parts.scheme[:20]!r}; write {_EXAMPLE}")
        database = unquote(parts.path.strip("/"))
        if not parts.hostname or not database or "/" in database:
            raise ValueError(f"names no host or no database; write {_EXAMPLE}")
        options = parse_qs(parts.query)
        unknown = sorted(options.keys() - {"secure"})
        if unknown:
            raise ValueError(f"has the unknown option {unknown[0][:40]!r}; only secure=true is known")
        is_secure = parts.scheme == "clickhouses" or options.get("secure") == ["true"]
        return cls(
            parts.hostname,
            port or (_SECURE if is_secure else _PLAIN),
            unquote(parts.username or "default"),
            unquote(parts.password or ""),
            database,
            is_secure,
        )

    @property
    def place(self) -> str:
        """The address for people to read, without the password."""
        scheme = "clickhouses" if self.is_secure else "clickhouse"
        return f"{scheme}://{self.user}@{self.host}:{self.port}/{self.database}"
