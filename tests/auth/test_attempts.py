"""Guessing is slowed, by a clock that the test sets: at one server, and at all that share a database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import func, select, text

from runcard.auth.attempts import _MAX_KEYS, AttemptCounts, AttemptsInMemory
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
from runcard.store.engine.tables import log_in_attempts
from runcard.store.people.log_in_attempts import AttemptsInDatabase
from runcard.store.people.sessions import create_session
from tests.world import PASSWORD, Member, World


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Counting(NamedTuple):
    """counts: as a server counts on this kind of database. wait: lets so many seconds pass."""

    counts: AttemptCounts
    wait: Callable[[float], None]


@pytest.fixture
def counting(database: Database) -> Counting:
    if database.is_postgresql:
        return Counting(AttemptsInDatabase(database, WINDOW_S), lambda seconds: make_older(database, seconds))
    clock = Clock()

    def wait(seconds: float) -> None:
        clock.now_s += seconds

    return Counting(AttemptsInMemory(WINDOW_S, clock), wait)


@pytest.fixture
def attempts(counting: Counting) -> AttemptCounts:
    return counting.counts


@pytest.fixture
def check(attempts: AttemptCounts) -> CredentialCheck:
    return CredentialCheck(attempts)


def make_older(database: Database, seconds: float) -> None:
    older = text(
        "UPDATE log_in_attempts SET newest_at = newest_at - :by,"
        " made_at = ARRAY(SELECT made - :by FROM unnest(made_at) AS made)"
    )
    with database.engine.begin() as connection:
        connection.execute(older, {"by": timedelta(seconds=seconds)})


def is_counted(attempts: AttemptCounts, limits: dict[str, int]) -> bool:
    try:
        attempts.count(limits)
    except TooManyAttempts:
        return False
    return True


def test_a_key_is_free_again_when_its_attempts_are_over(counting: Counting):
    attempts, half = counting.counts, WINDOW_S / 2
    assert is_counted(attempts, {"a": 2})
    counting.wait(half)
    assert is_counted(attempts, {"a": 2})
    assert not is_counted(attempts, {"a": 2})
    assert is_counted(attempts, {"b": 2})
    counting.wait(half)
    assert is_counted(attempts, {"a": 2})
    assert not is_counted(attempts, {"a": 2})


def test_a_refused_attempt_is_not_counted(attempts: AttemptCounts):
    assert is_counted(attempts, {"full": 1, "other": 2})
    assert not is_counted(attempts, {"full": 1, "other": 2})
    assert is_counted(attempts, {"other": 2})
    assert not is_counted(attempts, {"other": 2})


def test_what_is_forgiven_or_forgotten_does_not_count(attempts: AttemptCounts):
    attempts.count({"a": 1})
    attempts.forgive("a")
    attempts.forgive("a")
    attempts.count({"a": 1})
    attempts.forget("a")
    attempts.count({"a": 1})
    attempts.forgive("never seen")
    attempts.forget("never seen")
    assert not attempts.has("never seen", 1)


def test_only_the_newest_of_a_key_without_a_limit_are_remembered(counting: Counting):
    attempts = counting.counts
    for _ in range(3):
        attempts.note("a", 2)
        counting.wait(1)
    assert (attempts.has("a", 2), attempts.has("a", 3)) == (True, False)
    counting.wait(WINDOW_S - 2)
    assert (attempts.has("a", 1), attempts.has("a", 2)) == (True, False)
    counting.wait(1)
    assert not attempts.has("a", 1)


def test_no_more_pass_at_once_than_one_after_another(attempts: AttemptCounts):
    """Some come in one order of the keys, some in the other."""
    orders = [{"a": 20, "b": 100}, {"b": 100, "a": 20}] * 30
    with ThreadPoolExecutor(8) as pool:
        passed = list(pool.map(lambda limits: is_counted(attempts, limits), orders))
    assert passed.count(True) == 20
    assert (attempts.has("b", 20), attempts.has("b", 21)) == (True, False)


def test_any_text_is_a_key(attempts: AttemptCounts):
    for key in ("", "\0", "\ud800", "\udcff", "Ä" * 300):
        assert is_counted(attempts, {key: 1})
        assert not is_counted(attempts, {key: 1})


def test_the_memory_is_bounded():
    attempts = AttemptsInMemory(60, Clock())
    for number in range(_MAX_KEYS + 10):
        attempts.count({str(number): 1})
    assert len(attempts._made_at) == _MAX_KEYS
    with pytest.raises(TooManyAttempts):
        attempts.count({str(_MAX_KEYS): 1})


def test_the_database_keeps_digests_and_only_of_attempts_that_count(counting: Counting, database: Database):
    """On SQLite nothing is written at all."""
    for number in range(5):
        counting.counts.count({f"email {number}@acme.test": 10, "address 10.0.0.1": 10})
    with database.read() as connection:
        rows = connection.execute(select(log_in_attempts)).all()
    assert len(rows) == (6 if database.is_postgresql else 0)
    assert {len(row.digest) for row in rows} <= {32}
    assert "acme" not in repr(rows)
    counting.wait(WINDOW_S)
    counting.counts.count({"address 10.0.0.2": 10})
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(log_in_attempts)).scalar_one()
    assert count == database.is_postgresql


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


def test_who_fails_ten_times_must_wait_and_only_there(
    counting: Counting, check: CredentialCheck, database: Database, world: World
):
    admin = world.acme.admin
    with database.read() as connection:
        fail(check, connection, admin.email.upper(), MAX_FAILURES, "10.0.0.1")
        assert not is_let_in(check, connection, admin, LogInCaller("10.0.0.1"))
        assert is_let_in(check, connection, admin, LogInCaller("10.0.0.2"))
        assert is_let_in(check, connection, world.acme.viewer, LogInCaller("10.0.0.1"))
        counting.wait(WINDOW_S)
        assert is_let_in(check, connection, admin, LogInCaller("10.0.0.1"))


def test_who_guesses_from_everywhere_keeps_nobody_out_and_guesses_less(
    check: CredentialCheck, database: Database, world: World
):
    admin = world.acme.admin
    with database.read() as connection:
        fail(check, connection, admin.email, 200, "10.0.0.{}")
        assert is_let_in(check, connection, admin, LogInCaller("10.0.1.1"))
        fail(check, connection, admin.email, MAX_FAILURES_OF_GUESSED, "10.0.1.2")
        assert not is_let_in(check, connection, admin, LogInCaller("10.0.1.2"))


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::{}", "", "unix"])
def test_an_address_is_refused_for_every_e_mail(
    check: CredentialCheck, database: Database, world: World, address: str
):
    with database.read() as connection:
        for number in range(MAX_FAILURES_PER_ADDRESS):
            fail(check, connection, f"{number}@acme.test", 1, address.format(number))
        assert not is_let_in(check, connection, world.acme.admin, LogInCaller(address.format("ffff")))
        assert is_let_in(check, connection, world.acme.admin, LogInCaller("192.0.2.1"))


def test_who_has_logged_in_before_is_let_in_whatever_others_do_at_the_same_address(
    check: CredentialCheck, database: Database, world: World
):
    """Behind a proxy that is not named, everybody has its address."""
    browsers, admin = KnownBrowsers(["secret"]), world.acme.admin
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


def test_success_is_no_failure(
    attempts: AttemptCounts, check: CredentialCheck, database: Database, world: World
):
    with database.read() as connection:
        for _ in range(MAX_FAILURES + 1):
            assert is_let_in(check, connection, world.acme.admin, LogInCaller("10.0.0.1"))
    for key in ("address 10.0.0.1", f"email {world.acme.admin.email}"):
        assert not attempts.has(key, 1)


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
