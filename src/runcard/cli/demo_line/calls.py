"""Calls as the stations made them to report their runs, so that the page API calls has something to show."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random

import msgspec

from runcard.activity.noted_calls import Note
from runcard.cli.demo_line.history import DemoRun

CALLED_PATH = "/api/v2/runs"
_OF_THE_LAST = timedelta(days=7)
# A report in so many is refused at first: its serial number is missing. As often a key is one that nobody knows.
_REFUSED_EVERY, _UNKNOWN_EVERY = 60, 150
_AGENT, _FORGOTTEN_KEY = b"python-requests/2.32.3", "rc_of-a-station-that-is-gone"
_REFUSAL = "serial_number: required"


def demo_calls(seed: int, history: Sequence[DemoRun], keys: Mapping[str, str]) -> Iterator[Note]:
    """Notes of calls in their order, of the last days of the history. keys: API keys by the name of the station."""
    rng = Random(seed)
    ends = [(run, run.report.started_at + run.report.duration) for run in history if run.report.started_at]
    for number, (run, ended_at) in enumerate(ends):
        if ended_at < ends[-1][1] - _OF_THE_LAST:
            continue
        at_s = ended_at.timestamp()
        body = msgspec.json.encode({"outcome": "PASS", "part_number": run.report.part_number})
        if number % _REFUSED_EVERY == 0:
            yield _note(at_s - 2, rng, keys[run.station], 400, body, _answer("BAD_REQUEST", _REFUSAL))
        if number % _UNKNOWN_EVERY == 0:
            yield _note(at_s - 1, rng, _FORGOTTEN_KEY, 401, b"", _answer("UNAUTHORIZED", "Invalid API key."))
        yield _note(at_s, rng, keys[run.station], 200, b"", b"")


def _note(at_s: float, rng: Random, api_key: str, status: int, body: bytes, answer: bytes) -> Note:
    headers = [
        (b"authorization", f"Bearer {api_key}".encode()),
        (b"user-agent", _AGENT),
        (b"content-type", b"application/json"),
    ]
    duration_s = rng.lognormvariate(-4.6, 0.5)
    return Note(at_s, duration_s, status, "POST", CALLED_PATH, None, headers, b"", body, answer)


def _answer(code: str, message: str) -> bytes:
    return msgspec.json.encode({"code": code, "message": message, "issues": []})
