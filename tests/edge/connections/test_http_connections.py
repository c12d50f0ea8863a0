"""What a connection may take, seen from its other end."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from runcard.edge.connections.limits import ConnectionLimits
from runcard.edge.connections.refusals import MAX_HEADER_BYTES
from tests.edge.connections.echo import DEADLINE_S, Served, line, spare_line

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
_BEFORE = b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: "
# What the value of X-A may be.
ROOM = MAX_HEADER_BYTES - len(_BEFORE) - len(b"\r\n\r\n")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One that waits as long as the server does."""
    served = Served(ConnectionLimits(connections=100))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def hasty() -> Iterator[Served]:
    """One that hardly waits at all."""
    served = Served(
        ConnectionLimits(
            100, headers_s=0.3, window_s=0.5, idle_s=1, stalled_s=0.4, linger_s=0.2, sweep_s=0.05
        )
    )
    yield served
    served.stop()


def with_header(size: int) -> bytes:
    return _BEFORE + b"a" * size + b"\r\n\r\n"


def test_headers_may_be_64_kb_and_no_larger(served: Served):
    with line(served) as one:
        for _ in range(2):
            one.send(with_header(ROOM))
            assert one.answer().json["headers"]["x-a"] == ROOM
        one.send(with_header(ROOM + 1))
        answer = one.answer()
        assert (answer.status, answer.json["code"]) == (431, "HEADERS_TOO_LARGE")
        assert f"larger than {MAX_HEADER_BYTES} bytes" in answer.json["message"]
        assert answer.headers["connection"] == "close"
        assert one.is_closed()


def test_headers_that_come_in_pieces_are_bounded_alike(served: Served):
    with line(served) as one:
        whole = with_header(ROOM)
        one.send(*(whole[at : at + 1000] for at in range(0, len(whole), 1000)))
        assert one.answer().status == 200


@pytest.mark.parametrize("size", [1_000_000, 128_000_000])
def test_a_header_without_end_is_refused_at_once(served: Served, size: int):
    with line(served) as one, line(served) as station:
        one.send(_BEFORE)
        sent = 0
        try:
            while sent < size:
                one.send(b"a" * 65_536)
                sent += 65_536
        except ConnectionError:
            pass  # it has been closed meanwhile
        station.send(GET % b"b")
        assert station.answer().status == 200
        assert served.connections.lingering <= 1


@pytest.mark.parametrize(
    "tail", [b"GET /" + b"a" * MAX_HEADER_BYTES, b"GET / HTTP/1.1\r\n" + b"A:b\r\n" * 20_000]
)
def test_other_ways_to_send_much_before_a_request_are_bounded(served: Served, tail: bytes):
    with line(served) as one:
        one.send(tail)
        assert one.answer().status == 431


def test_fields_after_a_chunked_body_are_bounded_and_are_no_headers(served: Served):
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n"
    with line(served) as one:
        one.send(head, b"Authorization: Bearer x\r\n\r\n")
        answer = one.answer()
        assert answer.json["bytes"] == 5
        assert "authorization" not in answer.json["headers"]
        one.send(head, b"X: ")
        one.send(b"a" * 1_000_000)
        assert one.answer().status == 431


def test_pipelined_requests_are_answered_in_order(served: Served):
    body = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"b" * 70_000
    # Headers that begin behind a body in one piece, and end in the next.
    whole = body % 1 + with_header(ROOM) + body % 2 + with_header(100)
    with line(served) as one:
        for cut in (len(body), len(body) + 10, len(body) + 60_000, len(whole) - 3):
            one.send(whole[:cut], whole[cut:])
            answers = [one.answer() for _ in range(4)]
            assert [answer.json["path"] for answer in answers] == ["/1", "/a", "/2", "/a"]
            assert [answer.json["bytes"] for answer in answers] == [70_000, 0, 70_000, 0]


def test_what_is_too_large_waits_for_the_answers_before_it(served: Served):
    with line(served) as one:
        one.send(GET % b"held", with_header(ROOM + 1))
        served.let_go()
        assert one.answer().json["path"] == "/held"
        assert one.is_closed()


def test_chunks_and_100_continue(served: Served):
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    with line(served) as one:
        for _ in range(2):
            one.send(head)
            assert one.interim() == b"HTTP/1.1 100 Continue\r\n"
            one.send(b"5\r\nabcde\r\n", b"3;x=y\r\nabc\r\n", b"0\r\n\r\n")
            assert one.answer().json["bytes"] == 8


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_no_other_protocol_is_spoken(served: Served, upgrade: bytes):
    with line(served) as one:
        one.send(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n")
        answer = one.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert one.is_closed()


def test_what_is_not_http_is_told_so(served: Served):
    with line(served) as one:
        one.send(b"\x16\x03\x01 TLS, for example\r\n\r\n")
        answer = one.answer()
        assert (answer.status, answer.json["code"]) == (400, "BAD_REQUEST")
        assert one.is_closed()


def test_slow_headers_are_refused(hasty: Served):
    with line(hasty) as one:
        one.send(b"GET / HTTP/1.1\r\nHo")
        answer = one.answer()
        assert (answer.status, answer.json["code"]) == (408, "TIMEOUT")
        assert one.is_closed()


def test_a_slow_body_is_refused_and_its_request_does_nothing(hasty: Served):
    with line(hasty) as one:
        one.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        one.send(b"x" * 20_000)  # enough for the first stretch of time
        answer = one.answer()
        assert (answer.status, answer.json["code"]) == (408, "TIMEOUT")
        assert hasty.echo.cut_short.wait(DEADLINE_S)
        assert one.is_closed()


def test_a_slow_body_that_is_answered_already_is_closed(hasty: Served):
    with line(hasty) as one:
        one.send(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert one.answer().status == 200
        assert one.is_closed()


@pytest.mark.parametrize("path", [b"early", b"a"])
def test_a_body_that_is_no_body_is_refused_unless_it_has_its_answer(served: Served, path: bytes):
    head = b"POST /%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % path
    with line(served) as one:
        one.send(head)
        if path == b"early":
            assert one.answer().status == 200
        one.send(b"no length\r\n")
        if path == b"a":
            assert one.answer().status == 400
        assert one.is_closed()


def test_a_broken_request_ends_those_that_wait_before_it(served: Served):
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with line(served) as one:
        one.send(GET % b"later" + head + b"no length\r\n")
        assert one.is_closed()


def test_who_waits_to_be_asked_for_the_body_is_not_slow(hasty: Served):
    head = b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with line(hasty) as one:
        one.send(head)
        with line(hasty) as idle:
            assert idle.is_closed()  # longer than a body may take
        hasty.let_go()
        assert one.interim() == b"HTTP/1.1 100 Continue\r\n"
        one.send(b"abcde")
        assert one.answer().json["bytes"] == 5


def test_idle_connections_are_closed_before_and_between_requests(hasty: Served):
    with line(hasty) as silent, line(hasty) as used:
        used.send(GET % b"a")
        assert used.answer().status == 200
        assert silent.is_closed()
        assert used.is_closed()


def test_who_does_not_read_an_answer_is_closed(hasty: Served):
    with line(hasty) as one:
        one.send(GET % b"big")
        with line(hasty) as idle:
            assert idle.is_closed()  # longer than a client may take nothing
        received = 0
        try:
            while piece := one.socket.recv(1 << 20):
                received += len(piece)
        except ConnectionError:
            pass
        assert received < 64 * 1024 * 1024


def test_there_are_few_connections_of_probes():
    served = Served(ConnectionLimits(connections=1))
    try:
        with ExitStack() as stack:
            probes = [stack.enter_context(spare_line(served)) for _ in range(32)]
            with line(served) as station, spare_line(served) as probe:
                # It counts as one of all connections, and takes the place of the one that is silent.
                assert station.is_closed()
                for one in (*probes, probe):
                    one.send(GET % b"a")
                    assert one.answer().status == 200
    finally:
        served.stop()


def test_a_connection_too_many_takes_the_place_of_one_that_owes_nothing():
    served = Served(ConnectionLimits(connections=3))
    try:
        with line(served) as silent, line(served) as used, line(served) as held, line(served) as fourth:
            assert silent.is_closed()
            used.send(GET % b"a")
            assert used.answer().status == 200
            held.send(GET % b"held")
            fourth.send(GET % b"b")
            assert fourth.answer().status == 200
            with line(served) as fifth:
                assert used.is_closed()  # the one that has been idle longest
                fifth.send(GET % b"held")
                fourth.send(GET % b"held")
                with line(served) as sixth:
                    answer = sixth.answer()
                    assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
                    assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
                    assert sixth.is_closed()
                with spare_line(served) as probe:
                    probe.send(GET % b"c")
                    assert probe.answer().status == 200
                served.let_go()
                assert {one.answer().status for one in (held, fourth, fifth)} == {200}
    finally:
        served.stop()
