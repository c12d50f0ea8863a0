"""The id of the request that is being answered. It is chosen once, at the entrance, and every thread that works for the
request finds it here: in the log, the log of API calls, the audit trail and the answers.
"""

import os
import re
from contextvars import ContextVar

# None: nobody's request, such as work that the server does by itself.
_current: ContextVar[str | None] = ContextVar("request_id", default=None)
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_RANDOM_BYTES = 10


def begin_request(given: str | None) -> str:
    """Return the id of the request that begins in this task: the one that was given if it is well formed, else a new
    one of 20 hexadecimal digits.
    """
    begun = given if given and _WELL_FORMED.fullmatch(given) else os.urandom(_RANDOM_BYTES).hex()
    _current.set(begun)
    return begun


def request_id() -> str | None:
    """The id of the request that this task or thread works for; None: it works for no request."""
    return _current.get()
