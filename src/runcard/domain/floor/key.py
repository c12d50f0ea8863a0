"""API keys: what uses them, until when they work, and what they may."""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.actor import KEY_SCOPES, KeyScope
from runcard.domain.errors import InvalidInput

MAX_KEY_NAME_LENGTH = 100
# Ten years: longer than any key should work.
MAX_KEY_DAYS = 3_650
# For how long a key and the key in its place may both work.
MAX_OVERLAP_DAYS = 90
USUAL_OVERLAP_DAYS = 7

KeyState = Literal["works", "expired", "revoked"]

_DAYS = re.compile(r"([0-9]{1,6})d?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class KeyTerms(NamedTuple):
    """What is said of a key when it is made.

    name: what uses the key; None: not said. expires_at: from when on it is refused; None: it never expires.
    scopes: None: all that its owner may.
    """

    name: str | None = None
    expires_at: datetime | None = None
    scopes: frozenset[KeyScope] | None = None


def has_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a key with this end is refused now. expires_at: None: it never expires."""
    return expires_at is not None and expires_at <= now


def key_name_of(text: str) -> str | None:
    """The name of a key as somebody typed it; None if it is blank. Raises InvalidInput."""
    name = text.strip()
    if len(name) > MAX_KEY_NAME_LENGTH or not name.isprintable():
        raise InvalidInput.at(
            "name", f"{name!r} is no name of a key; use 1 to {MAX_KEY_NAME_LENGTH} characters on one line"
        )
    return name or None


def key_end_of(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When a key expires, as somebody typed it; None if it is blank. Raises InvalidInput.

    text: the last day on which it works, such as 2027-01-31, or for how many days it works, such as 90 or 90d.
    zone: of the clock that says when a day ends.
    """
    text = text.strip()
    if not text:
        return None
    end = _end(text, now, zone)
    if end is None:
        raise InvalidInput.at(
            "expires",
            f"{text!r} is no end of a key; give its last day, such as 2027-01-31, or days, such as 90d",
        )
    if not now < end <= now + timedelta(days=MAX_KEY_DAYS + 1):
        raise InvalidInput.at(
            "expires", f"{text} is no end of a key; give a day to come, at most {MAX_KEY_DAYS} days from now"
        )
    return end


def overlap_of(text: str) -> timedelta:
    """For how long a key that is replaced works yet, from days such as 7 or 7d. Raises InvalidInput."""
    days = _DAYS.fullmatch(text.strip())
    if days is None or int(days[1]) > MAX_OVERLAP_DAYS:
        raise InvalidInput.at(
            "overlap", f"{text!r} is no overlap of two keys; give 0 to {MAX_OVERLAP_DAYS} days, such as 7d"
        )
    return timedelta(days=int(days[1]))


def key_scopes_of(names: Collection[str]) -> frozenset[KeyScope] | None:
    """The scopes with these names; None, which is all, if there is no name. Raises InvalidInput."""
    for name in names:
        if name not in KEY_SCOPES:
            raise InvalidInput.at("scope", f"{name!r} is no scope of a key; use {', '.join(KEY_SCOPES)}")
    return frozenset(one for one in KEY_SCOPES if one in names) or None


def _end(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The end that a text means; None if it means none."""
    if days := _DAYS.fullmatch(text):
        return now + timedelta(days=int(days[1]))
    if not _DATE.fullmatch(text):
        return None
    try:
        last = date.fromisoformat(text)
        return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    except ValueError:
        return None
    except OverflowError:  # the last day that Python knows
        return datetime.max.replace(tzinfo=UTC)
