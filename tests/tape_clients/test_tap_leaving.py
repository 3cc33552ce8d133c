"""A request has left when all of it was sent, and not only when somebody asks for its answer."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from upstream_server import running

from harness.events import Arrival, Ended, Sent
from harness.tape.tape import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Callable

    from upstream_server import Upstream

    from harness.tape.tape import Tape

BODY = b'{"prompt": "hello"}'


def _at_once(connection: HTTPConnection) -> None:
    connection.request("POST", "/echo", BODY, {"content-type": "application/json"})


def _in_pieces(connection: HTTPConnection) -> None:
    connection.putrequest("POST", "/echo")
    connection.putheader("Content-Length", str(len(BODY)))
    connection.endheaders()
    connection.send(BODY[:5])
    connection.send(BODY[5:])


def _nothing(connection: HTTPConnection) -> None:
    connection.request("GET", "/length")


def _in_chunks(connection: HTTPConnection) -> None:
    connection.request("POST", "/echo", iter([BODY[:5], BODY[5:]]), encode_chunked=True)


def _both(upstream: Upstream, send: Callable[[HTTPConnection], None]) -> None:
    """
    Send two requests, and read their answers afterwards.
    """
    connections = [HTTPConnection("127.0.0.1", upstream.port) for _ in range(2)]
    for connection in connections:
        send(connection)
    for connection in connections:
        assert connection.getresponse().read()
        connection.close()


def _order(tape: Tape) -> list[str]:
    return [type(one).__name__ for one in tape.log.events if isinstance(one, Sent | Ended)]


@pytest.mark.parametrize("send", [_at_once, _in_pieces, _nothing])
def test_requests_that_are_sent_before_an_answer_is_asked_for_are_under_way_at_once(
    send: Callable[[HTTPConnection], None], deck: Any
) -> None:
    """
    Both have left before the first answer comes, while they are recorded and in replay.
    """
    with running() as upstream:
        with deck.recording() as recorded:
            _both(upstream, send)
        with deck.replaying() as replayed:
            _both(upstream, send)

    assert _order(recorded) == _order(replayed) == ["Sent", "Sent", "Ended", "Ended"]


def test_each_request_is_told_of_once_also_where_it_is_sent_in_chunks(deck: Any) -> None:
    """
    Of chunks, only who asks for the answer says that they were all.
    """
    with running() as upstream:
        with deck.recording():
            _both(upstream, _in_chunks)
        with deck.replaying() as replayed:
            _both(upstream, _in_chunks)

    assert sum(isinstance(one, Sent) for one in replayed.log.events) == 2
    assert sum(isinstance(one, Arrival) for one in replayed.log.events) == 2


def test_a_refusal_is_raised_where_the_answer_is_asked_for(deck: Any) -> None:
    """
    That is where clients look for what came of a request.
    """
    with running() as upstream:
        with deck.recording():
            _both(upstream, _nothing)
        with deck.replaying():
            connection = HTTPConnection("127.0.0.1", upstream.port)
            connection.request("POST", "/elsewhere", BODY)
            with pytest.raises(ReplayMiss):
                connection.getresponse()
