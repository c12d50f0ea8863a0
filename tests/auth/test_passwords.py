"""Passwords: what is kept of them, and how long an answer takes."""

import time

import pytest

from runcard.auth.passwords import check_password_strength, hash_password, is_right_password
from runcard.domain.errors import InvalidInput

PASSWORD = "correct horse battery staple"


def test_only_the_password_that_was_hashed_is_right() -> None:
    kept = hash_password(PASSWORD)
    assert PASSWORD not in kept
    assert kept.startswith("$argon2id$")
    assert is_right_password(PASSWORD, kept)
    assert not is_right_password(f"{PASSWORD} ", kept)
    assert not is_right_password("", kept)


def test_the_same_password_is_kept_under_another_salt() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


@pytest.mark.parametrize("password", ["", "nine char", "x" * 1001])
def test_a_weak_or_endless_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password_strength(password)
    assert refused.value.issues[0].path == ("password",)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("password12", "very common password"),
        ("1234567890", "top-100 common password"),
        ("x" * 1000, 'Repeats like "aaa"'),
        ("Runcard2026!", "known of you"),
        ("Acme2026-acme", "known of you"),
        ("ada@acme.test", "known of you"),
        ("zaq12wsx34", "commonly used password"),
    ],
)
def test_a_password_that_others_would_guess_is_refused_and_told_why(password: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password_strength(password, ("Acme", "ada@acme.test"))
    assert why in refused.value.issues[0].message


@pytest.mark.parametrize("password", ["ten chars!", f"{PASSWORD} " * 34, "пароль из слов"])
def test_a_long_password_is_taken(password: str) -> None:
    check_password_strength(password)


def test_an_unknown_user_costs_as_much_work_as_a_known_one() -> None:
    kept = hash_password(PASSWORD)
    took = {}
    for name, password_hash in (("known", kept), ("unknown", None)):
        # The best of several: what a busy machine adds is not what is compared.
        took[name] = min(_seconds(password_hash) for _ in range(3))
    assert not is_right_password(PASSWORD, None)
    assert took["unknown"] > took["known"] / 2


def _seconds(password_hash: str | None) -> float:
    started = time.perf_counter()
    assert not is_right_password("wrong password", password_hash)
    return time.perf_counter() - started
