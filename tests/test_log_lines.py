"""The lines of a log: for people, and as JSON."""

import json
import logging
import logging.config
from collections.abc import Iterator
from contextvars import copy_context
from io import StringIO
from typing import Any

import pytest

from runcard.domain.errors import DatabaseUnavailable
from runcard.failure_log import FailureLog
from runcard.log_lines import JsonLines, TextLines, logging_as
from runcard.request_ids import begin_request, request_id

log = logging.getLogger("tests.lines")


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What `log` says, as JSON."""
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    yield said
    log.removeHandler(handler)


def told(lines: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_is_an_object() -> None:
    # Not logged: pytest would keep the line too, and cannot hand on what is no Unicode.
    record = log.makeRecord(log.name, logging.WARNING, "x.py", 1, "%d runs\nwait, \ud800", (3,), None)
    [line] = map(json.loads, JsonLines().format(record).splitlines())
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "WARNING", "logger": "tests.lines", "message": "3 runs\nwait, \ud800"}


def test_a_line_about_a_request_tells_its_id(lines: StringIO) -> None:
    def answer() -> str:
        begun = begin_request(None)
        log.warning("slow")
        return begun

    begun = copy_context().run(answer)
    log.warning("nobody's")
    assert [line.get("request_id") for line in told(lines)] == [begun, None]


def fail(text: str) -> None:
    raise KeyError(text)


def test_a_traceback_is_a_field(lines: StringIO) -> None:
    try:
        fail("gone")
    except KeyError as error:
        caught = error
        log.exception("it broke")
    failures = FailureLog(log, "request failed")
    failures.tell(caught)
    failures.tell(DatabaseUnavailable("refused"))
    failures.close()
    broke, failed, away = told(lines)
    assert (broke["message"], failed["message"]) == ("it broke", "request failed: KeyError: 'gone'")
    for line in (broke, failed):
        assert line["traceback"].startswith("Traceback (most recent call last):\n")
        assert line["traceback"].endswith("KeyError: 'gone'")
    assert away["message"] == "request failed: The database of the server does not answer (refused)"
    assert "traceback" not in away


def test_a_traceback_is_bounded(lines: StringIO) -> None:
    try:
        fail("x" * 1_000_000)
    except KeyError:
        log.exception("it broke")
    [line] = told(lines)
    assert len(line["traceback"]) <= 8_000


def test_lines_for_people_tell_the_id_too() -> None:
    record = log.makeRecord(log.name, logging.ERROR, "x.py", 1, "slow", (), None)

    def answer() -> str:
        begin_request("from-a-proxy")
        return TextLines().format(record)

    assert copy_context().run(answer).endswith(" ERROR [from-a-proxy] tests.lines: slow")
    assert TextLines().format(record).endswith(" ERROR tests.lines: slow")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_configuration_is_one_that_logging_takes(log_format: Any) -> None:
    made = logging.config.DictConfigurator(logging_as(log_format)).configure_formatter(
        logging_as(log_format)["formatters"]["line"]
    )
    assert isinstance(made, JsonLines if log_format == "json" else TextLines)


@pytest.mark.parametrize(
    "given", ["a", "A-z_0.9", "x" * 64, "0af7651916cd43dd8448eb211c80319c"], ids=lambda value: value[:8]
)
def test_an_id_that_is_well_formed_is_kept(given: str) -> None:
    def begin() -> tuple[str, str | None]:
        return begin_request(given), request_id()

    assert copy_context().run(begin) == (given, given)


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a:b", "ä", "a\n", "<b>"], ids=repr)
def test_any_other_is_replaced(given: str | None) -> None:
    made = {copy_context().run(begin_request, given) for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {20}
