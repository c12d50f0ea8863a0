"""Column types that SQLite and PostgreSQL store in different ways."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Interval, LargeBinary, TypeDecorator, Uuid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 2**63 - 1


@lru_cache(maxsize=65_536)
def uuid_of(value: bytes) -> UUID:
    """The UUID of these 16 bytes. Cached: the same few ids are read again and again, and making a UUID is slow."""
    return UUID(bytes=value)


class Id(TypeDecorator[UUID]):
    """UUID: native in PostgreSQL, 16 bytes in SQLite."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Uuid() if dialect.name == "postgresql" else LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return value if value is None or isinstance(value, UUID) else uuid_of(value)


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """Aware UTC datetime: timestamptz in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(
            DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()
        )

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return microseconds_of(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else _EPOCH + value * _MICROSECOND


class Span(TypeDecorator[timedelta]):
    """The time between two instants: an interval in PostgreSQL, microseconds in SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Interval() if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        # A span that needs more than 64 bits is longer than any that is recorded, so it is cut to 64 bits.
        return max(-_LONGEST, min(value // _MICROSECOND, _LONGEST))

    def process_result_value(self, value: Any, _dialect: Dialect) -> timedelta | None:
        return value if value is None or isinstance(value, timedelta) else value * _MICROSECOND
