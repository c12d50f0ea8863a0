"""Passwords of people: kept as Argon2id hashes only."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from runcard.domain.errors import InvalidInput

MIN_PASSWORD_LENGTH = 10
# Far above what anyone types; it bounds what a stranger can make the server hash.
_MAX_PASSWORD_LENGTH = 1000

# Parameters as RFC 9106 recommends for memory-constrained environments; about 50 ms and 64 MiB a hash.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


def check_password_strength(password: str) -> None:
    """Raises InvalidInput for a password that nobody should use."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInput.at(
            "password",
            f"Password has {len(password)} characters; use at least {MIN_PASSWORD_LENGTH}",
        )
    if len(password) > _MAX_PASSWORD_LENGTH:
        raise InvalidInput.at(
            "password", f"Password has {len(password)} characters; use at most {_MAX_PASSWORD_LENGTH}"
        )


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
