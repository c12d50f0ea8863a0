"""The API calls by which the stations reported their runs, as data for the page API calls."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random

import msgspec

from runcard.activity.noted_calls import Note
from runcard.cli.demo_line.history import DemoRun

CALLED_PATH = "/api/v2/runs"
_OF_THE_LAST = timedelta(days=7)
# One report in 60 is refused first, because its serial number is missing. One call in 150 has an unknown key.
_REFUSED_EVERY, _UNKNOWN_EVERY = 60, 150
_AGENT, _FORGOTTEN_KEY = b"python-requests/2.32.3", "rc_of-a-station-that-is-gone"
_REFUSAL = "serial_number: required"


def demo_calls(seed: int, history: Sequence[DemoRun], keys: Mapping[str, str]) -> Iterator[Note]:
    """Notes of the calls of the last days of a history, in order. keys: API keys by the name of the station."""
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
