"""A trace of a server: everything that happens on its connections, over each protocol, wherever it goes."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Request, Response, Server
from wptproto.h2_codes import FrameKind
from wptproto.trace import events as happened
from wptproto.trace.events import TraceEvent
from wptproto.trace.memory import Memory
from wptproto.trace.tracing import Trace
from wptproto.wire import H2Wire


def answer(request: Request, response: Response) -> str:
    return "Hello"


def fail(request: Request, response: Response) -> str:
    raise ValueError("for\nno reason")


def make(certs_dir: Path) -> Server:
    return Server(routes=[("GET", "/", answer), ("GET", "/fails", fail)], certs_dir=certs_dir)


def ended(trace: Trace, connections: int = 1) -> list[TraceEvent]:
    """The events, once so many connections are closed."""

    def closed() -> bool:
        return sum(isinstance(event, happened.ConnectionClosed) for event in trace.events) >= connections

    assert_soon(closed)
    return trace.events


def get(server: Server, kind: Kind, path: str = "/") -> None:
    with connect(server, kind) as peer:
        peer.request(path)


def of_kind(events: list[TraceEvent], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_an_exchange(certs_dir: Path, kind: Kind) -> None:
    """One exchange is there from the connection's beginning to its end, in order, over each protocol."""
    with make(certs_dir) as server:
        trace = server.trace()
        get(server, kind)
        events = ended(trace)
    protocol = "HTTP/2" if kind in ("h2", "h2c") else "HTTP/1.1"
    names = [type(event).__name__ for event in events]
    assert names[0] == "ConnectionOpened"
    assert names[-1] == "ConnectionClosed"
    assert ("TlsAgreed" in names) == (kind in ("h1s", "h2"))
    assert of_kind(events, happened.ProtocolChosen)[0].protocol == protocol
    assert not of_kind(events, happened.Unreadable)
    assert not [event for event in of_kind(events, happened.FrameSeen) if event.error]
    order = [name for name in names if name.startswith(("Exchange", "Handler"))]
    assert order == ["ExchangeBegun", "HandlerBegun", "HandlerEnded", "ExchangeEnded"]
    begun = of_kind(events, happened.ExchangeBegun)[0]
    assert (begun.exchange, begun.method, begun.target) == (1, "GET", "/")
    times = [event.origin.at_s for event in events]
    assert times == sorted(times)
    if protocol == "HTTP/2":
        heads = [event for event in of_kind(events, happened.FrameSeen) if event.fields]
        assert (b":status", b"200") in heads[-1].fields
        assert any(event.payload == b"Hello" for event in of_kind(events, happened.FrameSeen))
    else:
        assert [event.line for event in of_kind(events, happened.H1HeadSeen)][-1] == b"HTTP/1.1 200 OK"
        assert [event.octets for event in of_kind(events, happened.ContentSeen)] == [b"Hello"]


def test_a_handler_fails(certs_dir: Path, kind: Kind) -> None:
    """What a handler raises is in the trace, in a line."""
    with make(certs_dir) as server:
        trace = server.trace()
        get(server, kind, "/fails")
        (found,) = of_kind(ended(trace), happened.HandlerEnded)
        assert found.error == "ValueError: for no reason"
        assert found.took_s >= 0
        assert "ValueError: for no reason" in trace.text()


def test_a_fault(certs_dir: Path, kind: Kind) -> None:
    """What goes wrong on purpose is in the trace."""
    with make(certs_dir) as server:
        trace = server.trace()
        server.fault("slow", 1_000_000)
        with connect(server, kind) as peer:
            assert peer.request().text == "Hello"
        (found,) = of_kind(ended(trace), happened.FaultHappened)
        assert found.fault.startswith("slow(")
        assert "fault" in trace.text()


def raw(port: int | None, octets: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port or 0), 20) as client:
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_an_upgrade(certs_dir: Path) -> None:
    """Behind 101 frames are read as such, on stream 1, with the window that HTTP2-Settings has."""
    with make(certs_dir) as server:
        trace = server.trace()
        upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAQAAABk\r\n\r\n"
        frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
        raw(server.http_port, b"GET / HTTP/1.1\r\nHost: x\r\n" + upgrade + frames)
        events = ended(trace)
    assert [event.protocol for event in of_kind(events, happened.ProtocolChosen)] == ["HTTP/1.1", "HTTP/2"]
    windows = [event for event in of_kind(events, happened.WindowChanged) if event.stream_id == 1]
    assert (windows[0].before, windows[0].after) == (65535, 100)
    assert any(event.payload == b"Hello" for event in of_kind(events, happened.FrameSeen))
    assert of_kind(events, happened.PrefaceSeen)


def test_a_client_that_breaks_the_protocol(certs_dir: Path) -> None:
    """What the server minds is told, and so is what the octets are."""
    with make(certs_dir) as server:
        trace = server.trace()
        raw(server.http_port, b"what is this\r\n\r\n")
        events = ended(trace)
        assert of_kind(events, happened.Unreadable)[0].reason == "not a request line (§3)"
        assert of_kind(events, happened.Violated)[0].exchange is None
        assert "violation" in trace.text()


def test_tls_fails(certs_dir: Path) -> None:
    """A client that speaks no TLS where it should is told of."""
    with make(certs_dir) as server:
        trace = server.trace()
        raw(server.https_port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        (found,) = of_kind(ended(trace), happened.TlsFailed)
        assert found.reason == "the client speaks plain HTTP to a TLS port"
        assert found.reason in trace.text()


def test_to_a_file(certs_dir: Path, tmp_path: Path, kind: Kind) -> None:
    """A file's suffix says what is in it; it is whole when the server is done."""
    with make(certs_dir) as server:
        server.trace(tmp_path / "trace.log", verbosity=2)
        server.trace(str(tmp_path / "trace.JSONL"))
        get(server, kind)
    log = (tmp_path / "trace.log").read_text(encoding="utf-8")
    assert "\x1b" not in log
    assert "Hello" in log
    lines = [json.loads(line) for line in (tmp_path / "trace.JSONL").read_text().splitlines()]
    assert lines[0]["event"] == "connection_opened"
    assert lines[-1]["event"] == "connection_closed"
    assert {line["connection"] for line in lines} == {1}


def test_to_a_text_file_and_a_function(certs_dir: Path, kind: Kind) -> None:
    """A text file has the log, or what else is asked for, and stays open; a function has events."""
    text, lines = io.StringIO(), io.StringIO()
    events: list[TraceEvent] = []
    with make(certs_dir) as server:
        server.trace(text)
        server.trace(lines, "jsonl")
        trace = server.trace(events.append)
        get(server, kind)
    assert text.getvalue().splitlines()[0].startswith("[   0.000]   1   connection")
    assert json.loads(lines.getvalue().splitlines()[0])["event"] == "connection_opened"
    assert trace.events == []
    assert isinstance(events[-1], happened.ConnectionClosed)


def test_outlives_a_stop(certs_dir: Path, tmp_path: Path) -> None:
    """A trace goes on behind the next start, until it is closed."""
    server = make(certs_dir)
    trace = server.trace()
    written = server.trace(tmp_path / "x.txt")
    for _ in range(2):
        server.start()
        get(server, "h1")
        server.stop()
    assert len(of_kind(ended(trace, 2), happened.ExchangeBegun)) == 2
    assert (tmp_path / "x.txt").read_text(encoding="utf-8").count("GET / HTTP/1.1") == 2
    with trace, written:
        pass
    written.close()
    with server:
        assert server.trace().is_closed is False
        get(server, "h1")
    assert trace.is_closed
    assert len(of_kind(trace.events, happened.ExchangeBegun)) == 2


def test_who_cannot_take_it(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sink that fails is given nothing more, and clients do not notice."""
    for error in (OSError("no space"), ValueError("a mistake")):
        given: list[TraceEvent] = []

        def take(event: TraceEvent, given: list[TraceEvent] = given, error: Exception = error) -> None:
            given.append(event)
            raise error

        with make(certs_dir) as server:
            trace = server.trace(take)
            with connect(server, "h1") as peer:
                assert peer.request().text == "Hello"
            assert trace.is_closed
        assert len(given) == 1
        assert str(error) in caplog.text


class Unclosable(io.StringIO):
    def flush(self) -> None:
        raise OSError("no space")


def test_who_cannot_close(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the last of it cannot be written, that is said."""
    with make(certs_dir) as server:
        server.trace(Unclosable())
        get(server, "h1")
    assert "the trace is not whole" in caplog.text


@pytest.mark.parametrize(
    ("to", "format", "complaint"),
    [
        ("x.foo", None, "none of the suffixes .log, .txt, .jsonl, .har, .qlog, .sqlog, .pcapng"),
        ("x.log", "foo", "there is no format 'foo'; there are log, jsonl, har, qlog, pcapng"),
        (None, "log", "'log' is the format of a file"),
        (5, None, "5 is no path, no file and no function"),
        ("/nowhere/at/all.log", None, "cannot be written: No such file"),
    ],
)
def test_mistakes(to: Any, format: str | None, complaint: str) -> None:  # noqa: A002 -- as there
    """What cannot be traced to is refused in a sentence."""
    with pytest.raises(ConfigError, match=complaint.replace(".", r"\.")):
        Server().trace(to, format)


def test_handlers_on_many_threads(certs_dir: Path) -> None:
    """Events are given one at a time, whichever thread they are from."""
    inside = threading.Lock()
    clashes: list[TraceEvent] = []

    def take(event: TraceEvent) -> None:
        if not inside.acquire(blocking=False):
            clashes.append(event)
            return
        inside.release()

    with make(certs_dir) as server:
        server.trace(take)
        threads = [threading.Thread(target=get, args=(server, "h1")) for _ in range(8)]
        _all(threads, lambda thread: thread.start())
        _all(threads, lambda thread: thread.join())
    assert not clashes


def _all(threads: list[threading.Thread], do: Callable[[threading.Thread], object]) -> None:
    for thread in threads:
        do(thread)


def test_a_function_that_closes_its_trace(certs_dir: Path) -> None:
    """Whoever has seen enough may end a trace from within."""
    traces: list[Trace] = []
    events: list[TraceEvent] = []

    def take(event: TraceEvent) -> None:
        events.append(event)
        traces[0].close()

    with make(certs_dir) as server:
        traces.append(server.trace(take))
        get(server, "h1")
    assert len(events) == 1


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory there are the last events, so many of them, and of so many octets."""
    monkeypatch.setattr("wptproto.trace.memory.KEPT_EVENTS", 3)
    monkeypatch.setattr("wptproto.trace.memory.KEPT_OCTETS", 10)
    memory = Memory()
    events = [happened.OctetsSeen(happened.Origin(1, number), True, b"x") for number in range(5)]
    for event in events:
        memory(event)
    assert memory.events == events[2:]
    large = happened.OctetsSeen(happened.Origin(1, 5), True, b"x" * 9)
    memory(large)
    assert memory.events == [events[4], large]


def test_a_connection_by_hand(certs_dir: Path, kind: Kind) -> None:
    """What a test drives is traced, too, with what its client broke; it has no record, as no exchanges."""
    is_h2 = kind in ("h2", "h2c")

    def ask(server: Server) -> int:
        with connect(server, kind) as peer:
            peer.send_request("/x")
            if is_h2:
                peer.sock.sendall(b"\0\0\x07\6" + bytes(5) + b"7 octet")  # PING has 8
            return peer.read_answer().status

    with (
        Server(by_hand=True, certs_dir=certs_dir) as server,
        server.trace() as trace,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        asking = elsewhere.submit(ask, server)
        with server.accept(kind, violations="allowed") as conn:
            if isinstance(conn, H2Wire):
                stream_id = conn.expect_headers(path="/x").stream_id
                assert conn.receive_frame().kind == FrameKind.PING
                conn.respond(stream_id, 204)
            else:
                conn.expect_request(target="/x")
                conn.send_response(204)
            assert asking.result() == 204
        events = trace.events
        names = [type(event).__name__ for event in events]
        assert {event.origin.connection for event in events} == {1}
        assert (names[0], names[-1]) == ("ConnectionOpened", "ConnectionClosed")
        assert ("TlsAgreed" in names) == (kind in ("h1s", "h2"))
        (chosen,) = of_kind(events, happened.ProtocolChosen)
        assert chosen.protocol == ("HTTP/2" if is_h2 else "HTTP/1.1")
        if is_h2:
            heads = [frame.sent for frame in of_kind(events, happened.FrameSeen) if frame.name == "HEADERS"]
        else:
            heads = [head.sent for head in of_kind(events, happened.H1HeadSeen)]
        assert heads == [False, True]
        broken = [violated.reason for violated in of_kind(events, happened.Violated)]
        assert broken == [str(violation) for violation in conn.violations]
        assert bool(broken) == is_h2
        assert not server.exchanges
