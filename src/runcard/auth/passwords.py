"""Passwords of people: kept as Argon2id hashes only."""

import re
from collections.abc import Sequence
from importlib import import_module

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from runcard.domain.errors import InvalidInput

MIN_PASSWORD_LENGTH = 10
# Far above what anyone types; it bounds what a stranger can make the server hash.
_MAX_PASSWORD_LENGTH = 1000
# Of zxcvbn, from 0 to 4: below it, 10^8 guesses find the password.
_ENOUGH = 3
# What it looks at, for its time grows fast with the length.
_LOOKED_AT_LENGTH = 72
# So much of a password must be nothing that is known of its owner.
_UNKNOWN_LENGTH = 8
_IS_KNOWN = "It is made of what is known of you, or of common words."
_WORDS = re.compile(r"\w{3,}")

# Parameters as RFC 9106 recommends for memory-constrained environments; about 50 ms and 64 MiB a hash.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


def check_password_strength(password: str, about: Sequence[str] = ()) -> None:
    """Raises InvalidInput for a password that nobody should use: short, common, or made of what is known.

    about: what others know of its owner, such as an e-mail and the name of the organization.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInput.at(
            "password",
            f"Password has {len(password)} characters; use at least {MIN_PASSWORD_LENGTH}",
        )
    if len(password) > _MAX_PASSWORD_LENGTH:
        raise InvalidInput.at(
            "password", f"Password has {len(password)} characters; use at most {_MAX_PASSWORD_LENGTH}"
        )
    if (why := _how_to_guess(password, ["runcard", *about])) is not None:
        raise InvalidInput.at(
            "password",
            f"Password is easy to guess. {why} Use another, such as four words that do not belong together",
        )


def _how_to_guess(password: str, known: Sequence[str]) -> str | None:
    """What makes a password easy to guess for those who know these texts; None for one that is not."""
    words = sorted(
        {word for text in known for word in _WORDS.findall(text.casefold())}, key=len, reverse=True
    )
    rest = re.sub("|".join(map(re.escape, words)), "", password.casefold())
    if len(rest) < min(_UNKNOWN_LENGTH, len(password)):
        return _IS_KNOWN
    # Loaded when it is needed: its lists of words take 14 MB, which an import of files has better use for.
    zxcvbn = import_module("zxcvbn").zxcvbn
    found = zxcvbn(password[:_LOOKED_AT_LENGTH], user_inputs=[*known, *words])
    if found["score"] >= _ENOUGH:
        return None
    warning: str = found["feedback"]["warning"]
    return warning or _IS_KNOWN


def hash_password(password: str) -> str:
    """What is kept of a password: its salted hash, with the parameters that it was made with."""
    return _hasher.hash(password)


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Whether a hash was made of this password.

    None stands for an unknown user or one without a password. The answer takes as long then, so that nobody learns
    from the time it takes which users there are.
    """
    if len(password) > _MAX_PASSWORD_LENGTH:
        return False
    if password_hash is None:
        _hasher.hash(password)
        return False
    try:
        return _hasher.verify(password_hash, password)
    except VerifyMismatchError:
        return False
