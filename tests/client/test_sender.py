"""The thread that sends: woken by new runs, and patient with a server that does not answer."""

import threading
from pathlib import Path
from uuid import uuid4

from runcard_client.api import Api
from runcard_client.backoff import Backoff
from runcard_client.delivery import Delivery
from runcard_client.sender import Sender
from runcard_client.spool import Spool
from tests.client.test_delivery import AnswersWith


class Pauses:
    """In place of waiting: notes each pause, and stops the sender after so many."""

    def __init__(self, most: int) -> None:
        self.taken: list[float] = []
        self.ended = threading.Event()
        self._most = most
        self.sender: Sender | None = None

    def __call__(self, event: threading.Event, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == self._most and self.sender is not None:
            self.sender._stopping.set()
            self.ended.set()


def pauses_of(spool: Spool, url: str, most: int) -> list[float]:
    pauses = Pauses(most)
    sender = Sender(Delivery(spool, Api(url, "rc_x", "0")), Backoff(lambda: 1.0), pauses)
    pauses.sender = sender
    sender.start()
    assert pauses.ended.wait(60)
    sender.stop(60)
    return pauses.taken


def test_a_server_that_does_not_answer_is_left_alone_longer_and_longer(spool: Spool, spool_path: Path):
    spool.add("a", str(uuid4()), "SN-1", b"{}", [])
    assert pauses_of(spool, "http://127.0.0.1:1", 4) == [1, 2, 4, 8]
    run = spool.first_waiting()
    assert run is not None
    assert run.attempt_count == 4
    assert "127.0.0.1:1 does not answer" in str(run.error)


def test_a_request_to_wait_is_kept(answering: AnswersWith, spool: Spool):
    spool.add("a", str(uuid4()), "SN-1", b"{}", [])
    server = answering(503, "", {"Retry-After": "30"})
    assert pauses_of(spool, server.url, 2) == [30, 30]


def test_an_empty_spool_is_looked_at_now_and_then(answering: AnswersWith, spool: Spool):
    server = answering(500)
    assert pauses_of(spool, server.url, 2) == [10, 10]
    assert server.asked == []


def test_another_process_that_sends_is_not_disturbed(answering: AnswersWith, spool: Spool):
    spool.add("a", str(uuid4()), "SN-1", b"{}", [])
    server = answering(500)
    with spool.sending():
        assert pauses_of(spool, server.url, 2) == [1, 1]
    assert server.asked == []
