"""Passwords of people: kept as Argon2id hashes only."""

import re
from collections.abc import Sequence
from importlib import import_module

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from runcard.domain.errors import InvalidInput

MIN_PASSWORD_LENGTH = 10
# Far above what anyone types. It bounds what a stranger can make the server hash.
_MAX_PASSWORD_LENGTH = 1000
# The lowest zxcvbn score (0 to 4) that is accepted: below it, 10^8 guesses find the password.
_ENOUGH = 3
# zxcvbn sees only this much of a password: its time grows fast with the length.
_LOOKED_AT_LENGTH = 72
# This many characters of a password must not come from what is known of its owner.
_UNKNOWN_LENGTH = 8
_IS_KNOWN = "It is made of what is known of you, or of common words."
_WORDS = re.compile(r"\w{3,}")

# Parameters as RFC 9106 recommends for memory-constrained environments; about 50 ms and 64 MiB a hash.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


def check_password_strength(password: str, about: Sequence[str] = ()) -> None:
    """Check that a password is neither short nor common nor made of what is known. Raises InvalidInput.

    about: what others know of its owner, such as the e-mail and the name of the organization.
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
    """Why a password is easy to guess for those who know these texts; None if it is not."""
    words = sorted(
        {word for text in known for word in _WORDS.findall(text.casefold())}, key=len, reverse=True
    )
    rest = re.sub("|".join(map(re.escape, words)), "", password.casefold())
    if len(rest) < min(_UNKNOWN_LENGTH, len(password)):
        return _IS_KNOWN
    # Loaded only when needed: its word lists take 14 MB, which the process that imports files does not need.
    zxcvbn = import_module("zxcvbn").zxcvbn
    found = zxcvbn(password[:_LOOKED_AT_LENGTH], user_inputs=[*known, *words])
    if found["score"] >= _ENOUGH:
        return None
    warning: str = found["feedback"]["warning"]
    return warning or _IS_KNOWN


def hash_password(password: str) -> str:
    """The salted hash of a password, with the parameters it was made with. Only the hash is kept."""
    return _hasher.hash(password)


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Whether a hash was made from this password.

    None means an unknown user or a user without a password. The answer then takes as long as otherwise, so that its
    time does not betray which users exist.
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
