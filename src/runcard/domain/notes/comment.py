"""A comment: what its text may be, and whom it mentions."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from runcard.domain.errors import InvalidInput

MAX_LENGTH = 10_000
# Files of one comment.
MAX_FILES = 20


class Member(NamedTuple):
    """Somebody whom a comment may mention."""

    id: UUID
    name: str
    email: str


def checked_text(text: str) -> str:
    """The text of a comment without blanks around it. Raises InvalidInput."""
    # Its length comes first, so that nothing else is done with a text of any size.
    if len(text) > MAX_LENGTH:
        raise InvalidInput.at("text", f"text has {len(text)} characters; use at most {MAX_LENGTH}")
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidInput.at("text", "text is empty; write something")
    if "\0" in text:
        raise InvalidInput.at("text", "text contains a NUL character; remove it")
    return text


def mentions_in(text: str, members: Iterable[Member]) -> Mapping[str, UUID]:
    """Whom a text mentions: each handle as it is written, such as "@ada@acme.example" or "@Ada Lovelace".

    Of two handles that begin alike, the longer one counts. A name that two members share mentions nobody; an e-mail
    does. Case does not count.
    """
    if "@" not in text:
        return {}
    by_handle = _handles(members)
    if not by_handle:
        return {}
    longest_first = sorted(by_handle, key=len, reverse=True)
    any_handle = "|".join(re.escape(handle) for handle in longest_first)
    written = re.compile(rf"(?<!\w)@({any_handle})(?!\w)", re.IGNORECASE)
    found = ((match[0], by_handle.get(match[1].lower())) for match in written.finditer(text))
    return {handle: user_id for handle, user_id in found if user_id is not None}


def _handles(members: Iterable[Member]) -> Mapping[str, UUID]:
    """The names and e-mails of members in lower case. A name that two members share is left out."""
    emails: dict[str, UUID] = {}
    names: dict[str, set[UUID]] = {}
    for member in members:
        emails[member.email.lower()] = member.id
        if name := member.name.strip().lower():
            names.setdefault(name, set()).add(member.id)
    return {name: next(iter(ids)) for name, ids in names.items() if len(ids) == 1} | emails
