"""Guessing is slowed, by a clock that the test sets."""

import pytest

from runcard.auth.attempts import _MAX_KEYS, Attempts
from runcard.auth.credentials import (
    MAX_FAILURES_PER_ADDRESS,
    MAX_FAILURES_PER_EMAIL,
    WINDOW_S,
    CredentialCheck,
)
from runcard.auth.sessions import SESSION_LIFETIME, find_logged_in, log_in
from runcard.domain.errors import TooManyAttempts
from runcard.store.database import Database
from runcard.store.sessions import create_session
from runcard.store.writer import Writer
from tests.world import PASSWORD, World


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_key_is_free_again_when_its_attempts_are_over():
    clock = Clock()
    attempts = Attempts(60, clock)
    attempts.count({"a": 2})
    clock.now_s += 30
    attempts.count({"a": 2})
    with pytest.raises(TooManyAttempts):
        attempts.count({"a": 2})
    attempts.count({"b": 2})
    clock.now_s += 30
    attempts.count({"a": 2})
    with pytest.raises(TooManyAttempts):
        attempts.count({"a": 2})


def test_a_refused_attempt_is_not_counted():
    attempts = Attempts(60, Clock())
    attempts.count({"full": 1, "other": 2})
    with pytest.raises(TooManyAttempts):
        attempts.count({"full": 1, "other": 2})
    attempts.count({"other": 2})


def test_what_is_forgiven_or_forgotten_does_not_count():
    attempts = Attempts(60, Clock())
    attempts.count({"a": 1})
    attempts.forgive("a")
    attempts.count({"a": 1})
    attempts.forget("a")
    attempts.count({"a": 1})
    attempts.forgive("never seen")
    attempts.forget("never seen")


def test_the_memory_is_bounded():
    attempts = Attempts(60, Clock())
    for number in range(_MAX_KEYS + 10):
        attempts.count({str(number): 1})
    assert len(attempts._made_at) == _MAX_KEYS
    with pytest.raises(TooManyAttempts):
        attempts.count({str(_MAX_KEYS): 1})


def test_an_e_mail_is_refused_from_every_address_and_only_for_a_while(database: Database, world: World):
    clock = Clock()
    check = CredentialCheck(clock)
    email = world.acme.admin.email
    with database.read() as connection:
        for number in range(MAX_FAILURES_PER_EMAIL):
            assert check.find_user(connection, email, "a guess", f"10.0.0.{number}") is None
        with pytest.raises(TooManyAttempts):
            check.find_user(connection, email.upper(), PASSWORD, "10.0.1.1")
        clock.now_s += WINDOW_S
        assert check.find_user(connection, email, PASSWORD, "10.0.1.1") == world.acme.admin.actor


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::{}", "", "unix"])
def test_an_address_is_refused_for_every_e_mail(database: Database, world: World, address: str):
    check = CredentialCheck(Clock())
    too_long = "x" * 2000  # refused before it is hashed, so the test is quick
    with database.read() as connection:
        for number in range(MAX_FAILURES_PER_ADDRESS):
            guess = check.find_user(connection, f"{number}@acme.test", too_long, address.format(number))
            assert guess is None
        with pytest.raises(TooManyAttempts):
            check.find_user(connection, world.acme.admin.email, PASSWORD, address.format("ffff"))
        assert check.find_user(connection, world.acme.admin.email, PASSWORD, "192.0.2.1") is not None


def test_success_is_no_failure(database: Database, world: World):
    check = CredentialCheck(Clock())
    with database.read() as connection:
        for _ in range(MAX_FAILURES_PER_ADDRESS + 1):
            assert check.find_user(connection, world.acme.admin.email, PASSWORD, "10.0.0.1") is not None


def test_a_session_lasts_two_weeks(database: Database, writer: Writer, world: World):
    actor = world.acme.admin.actor
    token = writer.run(lambda tx: log_in(tx, actor))
    expired = b"x" * 32
    writer.run(lambda tx: create_session(tx, actor, expired, tx.now - SESSION_LIFETIME))
    with database.read() as connection:
        assert find_logged_in(connection, token) == actor
        assert find_logged_in(connection, "rs_other") is None
