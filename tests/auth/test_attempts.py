"""Guessing is slowed, by a clock that the test sets."""

import pytest

from runcard.auth.attempts import _MAX_KEYS, AttemptCounts
from runcard.auth.credentials import (
    MAX_FAILURES,
    MAX_FAILURES_OF_GUESSED,
    MAX_FAILURES_PER_ADDRESS,
    WINDOW_S,
    CredentialCheck,
    LogInCaller,
)
from runcard.auth.known_browsers import KnownBrowsers
from runcard.auth.sessions import SESSION_LIFETIME, find_logged_in, log_in
from runcard.domain.errors import TooManyAttempts
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Connection, Database
from runcard.store.people.sessions import create_session
from tests.world import PASSWORD, Member, World


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_key_is_free_again_when_its_attempts_are_over():
    clock = Clock()
    attempts = AttemptCounts(60, clock)
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
    attempts = AttemptCounts(60, Clock())
    attempts.count({"full": 1, "other": 2})
    with pytest.raises(TooManyAttempts):
        attempts.count({"full": 1, "other": 2})
    attempts.count({"other": 2})


def test_what_is_forgiven_or_forgotten_does_not_count():
    attempts = AttemptCounts(60, Clock())
    attempts.count({"a": 1})
    attempts.forgive("a")
    attempts.count({"a": 1})
    attempts.forget("a")
    attempts.count({"a": 1})
    attempts.forgive("never seen")
    attempts.forget("never seen")


def test_the_memory_is_bounded():
    attempts = AttemptCounts(60, Clock())
    for number in range(_MAX_KEYS + 10):
        attempts.count({str(number): 1})
    assert len(attempts._made_at) == _MAX_KEYS
    with pytest.raises(TooManyAttempts):
        attempts.count({str(_MAX_KEYS): 1})


TOO_LONG = "x" * 2000  # refused before it is hashed, so the tests are quick


def fail(check: CredentialCheck, connection: Connection, email: str, count: int, address: str) -> None:
    """Guess so often. A `{}` in the address becomes the number of the guess."""
    for number in range(count):
        assert check.find_user(connection, email, TOO_LONG, LogInCaller(address.format(number))) is None


def is_let_in(check: CredentialCheck, connection: Connection, member: Member, caller: LogInCaller) -> bool:
    try:
        return check.find_user(connection, member.email, PASSWORD, caller) == member.actor
    except TooManyAttempts:
        return False


def test_who_fails_ten_times_must_wait_and_only_there(database: Database, world: World):
    clock = Clock()
    check = CredentialCheck(clock)
    admin = world.acme.admin
    with database.read() as connection:
        fail(check, connection, admin.email.upper(), MAX_FAILURES, "10.0.0.1")
        assert not is_let_in(check, connection, admin, LogInCaller("10.0.0.1"))
        assert is_let_in(check, connection, admin, LogInCaller("10.0.0.2"))
        assert is_let_in(check, connection, world.acme.viewer, LogInCaller("10.0.0.1"))
        clock.now_s += WINDOW_S
        assert is_let_in(check, connection, admin, LogInCaller("10.0.0.1"))


def test_who_guesses_from_everywhere_keeps_nobody_out_and_guesses_less(database: Database, world: World):
    check = CredentialCheck(Clock())
    admin = world.acme.admin
    with database.read() as connection:
        fail(check, connection, admin.email, 200, "10.0.0.{}")
        assert is_let_in(check, connection, admin, LogInCaller("10.0.1.1"))
        fail(check, connection, admin.email, MAX_FAILURES_OF_GUESSED, "10.0.1.2")
        assert not is_let_in(check, connection, admin, LogInCaller("10.0.1.2"))


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::{}", "", "unix"])
def test_an_address_is_refused_for_every_e_mail(database: Database, world: World, address: str):
    check = CredentialCheck(Clock())
    with database.read() as connection:
        for number in range(MAX_FAILURES_PER_ADDRESS):
            fail(check, connection, f"{number}@acme.test", 1, address.format(number))
        assert not is_let_in(check, connection, world.acme.admin, LogInCaller(address.format("ffff")))
        assert is_let_in(check, connection, world.acme.admin, LogInCaller("192.0.2.1"))


def test_who_has_logged_in_before_is_let_in_whatever_others_do_at_the_same_address(
    database: Database, world: World
):
    """Behind a proxy that is not named, everybody has its address."""
    check, browsers, admin = CredentialCheck(Clock()), KnownBrowsers(["secret"]), world.acme.admin
    known = LogInCaller("10.0.0.1", browsers.find(browsers.mark(admin.email.upper()), admin.email))
    assert known.browser is not None
    with database.read() as connection:
        fail(check, connection, admin.email, MAX_FAILURES, "10.0.0.1")
        for number in range(MAX_FAILURES_PER_ADDRESS - MAX_FAILURES):
            fail(check, connection, f"{number}@acme.test", 1, "10.0.0.1")
        assert not is_let_in(check, connection, admin, LogInCaller("10.0.0.1"))
        for _ in range(MAX_FAILURES):
            assert check.find_user(connection, admin.email, TOO_LONG, known) is None
        assert not is_let_in(check, connection, admin, known)
        other = LogInCaller("10.0.0.1", browsers.find(browsers.mark(admin.email), admin.email))
        assert is_let_in(check, connection, admin, other)


@pytest.mark.parametrize("mark", [None, "", "x", "a:b.c", KnownBrowsers(["another"]).mark("ada@acme.test")])
def test_a_made_up_mark_of_a_browser_is_none(mark: str | None):
    assert KnownBrowsers(["secret"]).find(mark, "ada@acme.test") is None


def test_a_mark_is_of_one_e_mail():
    browsers = KnownBrowsers(["secret"])
    assert browsers.find(browsers.mark("ada@acme.test"), "eve@acme.test") is None


def test_success_is_no_failure(database: Database, world: World):
    check = CredentialCheck(Clock())
    with database.read() as connection:
        for _ in range(MAX_FAILURES + 1):
            assert is_let_in(check, connection, world.acme.admin, LogInCaller("10.0.0.1"))
    for key in ("address 10.0.0.1", f"email {world.acme.admin.email}"):
        assert not check._attempts.has(key, 1)


def test_a_session_lasts_two_weeks(database: Database, writer: Writer, world: World):
    actor = world.acme.admin.actor
    token = writer.write_shared(lambda tx: log_in(tx.of(actor), actor))
    expired = b"x" * 32
    writer.write_shared(lambda tx: create_session(tx.of(actor), actor, expired, tx.now - SESSION_LIFETIME))
    with database.read() as connection:
        found = find_logged_in(connection, token)
        assert found is not None
        assert found.actor == actor
        assert found.confirmed_at is not None
        assert find_logged_in(connection, "rs_other") is None
