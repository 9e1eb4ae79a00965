"""Dump: a server's state in words; those that live servers seldom get into, made by hand."""

from __future__ import annotations

import traceback

from wptproto.protocol.connection import WindowState
from wptproto.server.dump import describe
from wptproto.server.state import (
    ConnectionState,
    Doing,
    ExchangeState,
    HandlerState,
    ServerState,
    ThreadsState,
)

FRAME = traceback.FrameSummary("tests/sleep.py", 5, "main", line="time.sleep(60)")
HANDLER = HandlerState(request="GET /sleep.py", thread="a-thread", stack=(FRAME,))
WINDOWS = WindowState(to_send=-5, to_receive=10)


def test_a_dump() -> None:
    """Each line says what it is about, and what is inside something is indented below it."""
    exchange = ExchangeState(
        number=3,
        method="GET",
        path="/sleep.py",
        age_s=1.26,
        doing=Doing.HANDLED,
        handler=HANDLER,
        request_ended=True,
        content_octets=0,
        unread_octets=0,
        status=200,
        sent_octets=4,
        queued_octets=2,
        windows=WINDOWS,
    )
    connection = ConnectionState(
        client=("::1", 50000),
        port=8443,
        protocol="HTTP/2",
        tls="TLSv1.3 with TLS_AES_256_GCM_SHA384",
        age_s=2,
        awaits="a request",
        closing=True,
        begun=2,
        received_octets=100,
        unsent_octets=7,
        reading_paused=True,
        windows=WINDOWS,
        exchanges=(exchange,),
    )
    state = ServerState(
        ports={"http": (8000, 8001), "https": (8443,), "h2": ()},
        connections=(connection,),
        handlers=(HANDLER,),
        threads=ThreadsState(free=2, others=(("b-thread", (FRAME,)),), waiting=1),
        stash_count=2,
    )
    assert describe(state) == (
        "listens: http 8000, http 8001, https 8443\n"
        "connections: 1\n"
        "  ::1:50000 to port 8443, HTTP/2 over TLSv1.3 with TLS_AES_256_GCM_SHA384, 2.0 s\n"
        "    2 requests, 100 octets received, 7 unsent, awaits a request, is not read from, is closing"
        "; windows: -5 to send, 10 to receive\n"
        "    3: GET /sleep.py, 1.3 s: its handler runs\n"
        "      request whole, 0 octets of content; response: head 200, 4 octets of content sent, 2 queued"
        "; windows: -5 to send, 10 to receive\n"
        "      handler, on thread a-thread\n"
        '        File "tests/sleep.py", line 5, in main\n'
        "          time.sleep(60)\n"
        "handlers of other exchanges, which may be over: 1\n"
        "  GET /sleep.py, on thread a-thread\n"
        '        File "tests/sleep.py", line 5, in main\n'
        "          time.sleep(60)\n"
        "other threads: 2 free, 1 at work; 1 request without one\n"
        "  b-thread\n"
        '        File "tests/sleep.py", line 5, in main\n'
        "          time.sleep(60)\n"
        "stash: 2 values\n"
    )
