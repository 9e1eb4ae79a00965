"""Faulting: what goes wrong on purpose, the same words over every protocol."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import h2.exceptions
import pytest

from tests.helpers.peers import Answer, H2Peer, Kind, Peer, connect, open_socket
from tests.helpers.stopping import assert_stops_at_once
from tests.helpers.waiting import assert_soon
from wptproto import FaultError, Request, Response, Server, WaitError
from wptproto.faults import Fault, fault
from wptproto.server.observer import Observer

CONTENT = b"0123456789"
GOAWAY_1 = b"\0\0\x08\x07\0\0\0\0\0" + b"\0\0\0\1" + b"\0\0\0\0"  # last stream 1, NO_ERROR
HTTP2 = ("h2", "h2c")
TLS = ("h1s", "h2")


class Planned:
    """A handler with which something is to go wrong."""

    def __init__(self) -> None:
        self.faults: Sequence[Fault] = ()

    def plan(self, request: Request) -> Sequence[Fault]:
        return self.faults

    def __call__(self, request: Request, response: Response) -> bytes:
        return CONTENT


class StepByStep(Planned):
    """One that writes its response in steps; over HTTP/1.1 these are octets as they are."""

    def __call__(self, request: Request, response: Response) -> None:  # type: ignore[override]
        response.writer.write_status(200)
        if b"length" in request.request_path.encode():
            response.writer.write_header("Content-Length", len(CONTENT))
        response.writer.end_headers()
        for at in range(0, len(CONTENT), 4):
            response.writer.write(CONTENT[at : at + 4])


class Reading(Planned):
    """One that reads its request first."""

    def __call__(self, request: Request, response: Response) -> bytes:
        return b"%d" % len(request.body)


planned, stepped, reading = Planned(), StepByStep(), Reading()


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    planned.faults = stepped.faults = reading.faults = ()
    routes = [("*", "/", planned), ("*", "/steps/*", stepped), ("*", "/reading", reading)]
    with Server(routes=routes, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture(params=["/", "/steps/length", "/steps/chunked"])
def path(request: pytest.FixtureRequest) -> str:
    """Each way to make a response."""
    found: str = request.param
    return found


def ask(server: Server, kind: Kind, path: str, *faults: Fault, method: str = "GET") -> tuple[Answer, str]:
    """Return what came of a request with which something went wrong, and how its connection ended."""
    planned.faults = stepped.faults = faults
    with connect(server, kind) as peer:
        peer.send_request(path, method=method)
        answer = answered(peer)
        return answer, ending(peer.sock) if not answer.complete or faults[-1].at != "end" else ""


def answered(peer: Peer) -> Answer:
    """Read an answer; what the library finds wrong with it is no matter here."""
    try:
        return peer.read_answer()
    except (h2.exceptions.ProtocolError, ConnectionResetError):
        return peer.answers[1] if isinstance(peer, H2Peer) else peer.answer  # type: ignore[attr-defined]


def is_reset(sock: socket.socket) -> bool:
    """Read until a connection ends, past TLS, which makes no difference between RST and FIN."""
    try:
        while socket.socket.recv(sock, 65536):
            pass
    except ConnectionResetError:
        return True
    return False


def client_hello() -> bytes:
    """Return what a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def more(sock: socket.socket) -> bytes:
    """Return what comes next, which is not the end."""
    octets = sock.recv(65536)
    assert octets, "the connection was closed"
    return octets


def ending(sock: socket.socket) -> str:
    """Read until a connection ends, and return how."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        return "reset"
    except ssl.SSLEOFError:
        return "no close_notify"
    except TimeoutError:
        return "open"
    return "closed"


# --- the response --------------------------------------------------------------------------------


@pytest.mark.parametrize("octet", [0, 1, 5, 10])
def test_close_behind_an_octet(server: Server, kind: Kind, path: str, octet: int) -> None:
    """Exactly so many octets of content come, then the connection closes in good order, without GOAWAY."""
    with connect(server, kind) as peer:
        planned.faults = stepped.faults = [fault("close", octet=octet)]
        peer.send_request(path)
        answer = answered(peer)
        assert (answer.status, answer.content) == (200, CONTENT[:octet])
        assert not (isinstance(peer, H2Peer) and peer.goaway)
        assert answer.complete == (kind in ("h1", "h1s") and octet == 10 and path != "/steps/chunked")
        assert ending(peer.sock) == "closed"


@pytest.mark.parametrize("octet", [0, 3, 10])
def test_reset_behind_an_octet(server: Server, kind: Kind, path: str, octet: int) -> None:
    """What was sent before a RST comes; then the connection is gone."""
    planned.faults = stepped.faults = [fault("reset", octet=octet)]
    with connect(server, kind) as peer:
        peer.send_request(path)
        assert is_reset(peer.sock)


@pytest.mark.parametrize("octet", [0, 3, 10])
def test_what_comes_before_a_reset(server: Server, kind: Kind, path: str, octet: int) -> None:
    """A RST overtakes nothing that was sent before."""
    planned.faults = stepped.faults = [fault("reset", octet=octet)]
    with connect(server, kind) as peer:
        peer.send_request(path)
        assert answered(peer).content == CONTENT[:octet]


@pytest.mark.parametrize("at", ["request_head", "response_head"])
def test_no_response(server: Server, kind: Kind, path: str, at: str) -> None:
    """At the head of the request, or of the response, there is nothing of a response yet."""
    answer, end = ask(server, kind, path, fault("close", at=at))
    assert (answer.status, answer.content, end) == (0, b"", "closed")


def test_truncate(server: Server, kind: Kind, path: str) -> None:
    """The content ends in good order, short of what was promised."""
    planned.faults = stepped.faults = [fault("truncate", octet=4)]
    with connect(server, kind) as peer:
        peer.send_request(path)
        if kind in HTTP2 and path != "/steps/chunked":
            with pytest.raises(h2.exceptions.InvalidBodyLengthError):
                peer.read_answer()
            return
        answer = peer.read_answer()
        assert (answer.status, answer.content, answer.complete) == (200, b"0123", kind in HTTP2)
        if kind in ("h1", "h1s"):
            assert ending(peer.sock) == "closed"


def test_nothing_to_truncate(server: Server, kind: Kind, path: str) -> None:
    """Where there is no content, nothing is left out of it, and nothing is sent behind the end."""
    answer, _ = ask(server, kind, path, fault("truncate"), fault("close", at="end"), method="HEAD")
    assert (answer.status, answer.content, answer.complete) == (200, b"", True)


def test_half_close(server: Server, kind: Kind, path: str) -> None:
    """Nothing follows, but the server reads on: it takes what the client sends, and its goodbye."""
    planned.faults = stepped.faults = [fault("half_close", octet=4)]
    with connect(server, kind) as peer:
        peer.send_request(path)
        answer = answered(peer)
        assert (answer.status, answer.content, answer.complete) == (200, b"0123", False)
        if kind in ("h1", "h2c"):
            for _ in range(3):
                peer.sock.sendall(b"\r\n" if kind == "h1" else b"\0\0\0\4\1\0\0\0\0")
    assert_soon(lambda: not server.state().connections)


def test_garbage(server: Server, kind: Kind) -> None:
    """Octets come in the midst of content over HTTP/1.1, and between two frames over HTTP/2."""
    planned.faults = [fault("garbage", b"\0\0\1\0\0\0\0\0\0x" if kind in HTTP2 else b"junk", octet=4)]
    with connect(server, kind) as peer:
        peer.send_request("/")
        if kind in HTTP2:
            with pytest.raises(h2.exceptions.ProtocolError):
                peer.read_answer()
        else:
            assert peer.read_answer().content == b"0123junk45"


def test_slow(server: Server, kind: Kind, path: str) -> None:
    """Content comes no faster than that: nine octets at 90 a second take a tenth of one."""
    planned.faults = stepped.faults = [fault("slow", 90)]
    begun = time.monotonic()
    with connect(server, kind) as peer:
        assert peer.request(path).content == CONTENT
    assert time.monotonic() - begun > 0.08


def test_slow_connection(server: Server, kind: Kind) -> None:
    """From the head on, all octets come no faster."""
    planned.faults = [fault("slow", 2000, at="response_head")]
    begun = time.monotonic()
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
    assert time.monotonic() - begun > 0.01


@pytest.mark.parametrize("at", ["request_head", "response_head"])
def test_cut(server: Server, kind: Kind, path: str, at: str) -> None:
    """Whatever the segments and the records are, the message is the same."""
    planned.faults = stepped.faults = [fault("cut", [1, 30, 7], records=[2, 9], gap_s=0, at=at)]
    with connect(server, kind) as peer:
        assert peer.request(path).content == CONTENT


class Segments(Observer):
    """What is given to the transport: each piece leaves by itself if it has the time."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def octets_sent(self, octets: bytes) -> None:
        self.sent.append(octets)


def test_segments_are_as_asked(server: Server) -> None:
    """Each segment leaves by itself, of the size that was said, the last size again and again."""
    segments = Segments()
    server.observers.add(lambda accepted: segments)
    planned.faults = [fault("cut", [1, 2, 5], gap_s=0.01)]
    begun = time.monotonic()
    with connect(server, "h1") as peer:
        peer.send_request("/")
        octets = b""
        while not octets.endswith(CONTENT):
            octets += more(peer.sock)  # which may be several segments, for a client that is slow
    took_s = time.monotonic() - begun
    assert b"".join(segments.sent) == octets
    first, second, *others, last = (len(segment) for segment in segments.sent)
    assert (first, second, set(others)) == (1, 2, {5})
    assert last <= 5
    assert took_s > 0.009 * (len(segments.sent) - 1)


def test_records_are_as_asked(server: Server) -> None:
    """Each record holds as many octets as was said."""
    planned.faults = [fault("cut", sizes=(), records=[1, 2, 5])]
    with connect(server, "h1s") as peer:
        peer.send_request("/")
        sizes = [len(peer.sock.recv(65536)) for _ in range(5)]  # a record at a time
    assert sizes == [1, 2, 5, 5, 5]


def test_stall_for_a_while(server: Server, kind: Kind, path: str) -> None:
    """A response comes later, and is whole."""
    planned.faults = stepped.faults = [fault("stall", 0.05, octet=4)]
    begun = time.monotonic()
    with connect(server, kind) as peer:
        assert peer.request(path).content == CONTENT
    assert time.monotonic() - begun > 0.04


@pytest.mark.parametrize("at", ["request_head", "response_head", "response_content", "end", "idle"])
def test_stall_until_released(server: Server, kind: Kind, at: str) -> None:
    """A stall ends when the test says so, and what comes behind it in the order of faults, comes then."""
    planned.faults = [fault("stall", at=at), fault("close", at=at)]
    with connect(server, kind) as peer:
        peer.send_request("/")
        server.wait_for_stall()
        assert server.state().connections
        server.release()
        answer = answered(peer)
        assert answer.complete == (at in ("end", "idle"))
        assert ending(peer.sock) == "closed"


def test_other_streams_go_on(server: Server) -> None:
    """A stall holds up one stream, and not its connection."""
    planned.faults = [fault("stall", at="response_head")]
    with connect(server, "h2") as peer:
        peer.send_request("/")
        server.wait_for_stall()
        assert peer.request("/steps/").content == CONTENT


def test_a_stop_ends_stalls(certs_dir: Path, kind: Kind) -> None:
    """A server stops at once, whatever it was to hold up."""
    planned.faults = [fault("stall")]
    with Server(routes=[("*", "/", planned)], certs_dir=certs_dir) as server, connect(server, kind) as peer:
        peer.send_request("/")
        server.wait_for_stall()
        assert_stops_at_once(server)
        with pytest.raises(WaitError, match=r"0 of 1 stalls began .the server does not run"):
            server.wait_for_stall()


def test_nothing_stalls(server: Server) -> None:
    """Who waits for a stall in vain is told so in time."""
    with pytest.raises(WaitError, match=r"0 of 2 stalls began .within 0.01 s"):
        server.wait_for_stall(2, timeout=0.01)


# --- the request ---------------------------------------------------------------------------------


def test_reset_in_an_upload(server: Server, kind: Kind) -> None:
    """Once so many octets of content have come, the connection is gone."""
    reading.faults = [fault("reset", at="request_content", octet=100)]
    with connect(server, kind) as peer:
        peer.send_request("/reading", method="POST", headers=[("content-length", "1000")], end=False)
        peer.send_content(b"x" * 100, end=False)
        assert is_reset(peer.sock)


def test_an_upload_stalls(server: Server, kind: Kind) -> None:
    """The rest of a request is left unread until it is released; then it is read as ever."""
    reading.faults = [fault("stall", at="request_content", octet=1)]
    content = b"x" * 30_000
    with connect(server, kind) as peer:
        peer.send_request("/reading", method="POST", headers=[("content-length", "60000")], end=False)
        peer.send_content(content, end=False)
        server.wait_for_stall()
        peer.send_content(content, end=True)
        server.release()
        assert peer.read_answer().content == b"60000"


def test_an_upload_is_read_slowly(server: Server) -> None:
    """Octets are taken no faster than that."""
    reading.faults = [fault("slow", 20_000_000, at="request_content")]
    begun = time.monotonic()
    with connect(server, "h1") as peer:
        assert peer.request("/reading", method="POST", content=b"x" * 2_000_000).content == b"2000000"
    assert time.monotonic() - begun > 0.05  # all but the first piece and the last, which are 256 KiB at most


def test_do_not_read(server: Server, kind: Kind) -> None:
    """The request that came is answered, and nothing behind it is read."""
    planned.faults = [fault("do_not_read")]
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
        received = server.state().connections[0].received_octets
        peer.send_request("/")
        assert server.state().connections[0].received_octets == received
        assert server.state().connections[0].reading_paused


# --- the connection ------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["accepted", "tls_hello"])
@pytest.mark.parametrize("what", ["close", "reset", "half_close"])
def test_before_there_is_a_request(server: Server, kind: Kind, at: str, what: str) -> None:
    """The next connection ends before anything is said; the one behind it is as ever."""
    if kind not in TLS and at == "tls_hello":
        server.fault(what, at=at)  # waits for a connection with TLS
        with connect(server, kind) as peer:
            assert peer.request("/").content == CONTENT
        return
    server.fault(what, at=at)
    port = server.https_port if kind in TLS else server.http_port
    try:
        with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as sock:
            if at == "tls_hello":
                sock.sendall(client_hello())
            end = ending(sock)
    except ConnectionResetError:
        end = "reset"  # before it could be told that it was accepted
    assert end == ("reset" if what == "reset" else "closed")
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT


@pytest.mark.parametrize("at", ["accepted", "tls_hello"])
def test_a_connection_stalls(server: Server, kind: Kind, at: str) -> None:
    """Nothing is said until it is released; then all is as ever."""
    if kind not in TLS and at == "tls_hello":
        return
    server.fault("stall", at=at)

    def release() -> None:
        server.wait_for_stall()
        server.release()

    releasing = threading.Thread(target=release)
    releasing.start()
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
    releasing.join()


def test_garbage_before_tls(server: Server) -> None:
    """Octets in the clear come in the place of a ServerHello."""
    server.fault("garbage", b"nonsense", at="tls_hello")
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record"):
        open_socket(server, "h1s")


def test_cut_from_the_beginning(server: Server, kind: Kind) -> None:
    """The handshake, too, can come octet by octet."""
    server.fault("cut", [1], gap_s=0, at="accepted", times=2)
    for _ in range(2):
        with connect(server, kind) as peer:
            assert peer.request("/").content == CONTENT


def test_each_connection(server: Server, kind: Kind) -> None:
    """Something can go wrong with each connection; with an exchange, it is the first of each."""
    server.fault("close", octet=3, times=None)
    for _ in range(2):
        with connect(server, kind) as peer:
            peer.send_request("/")
            assert answered(peer).content == b"012"
    server.misdeeds.clear()
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT


@pytest.mark.parametrize("at", ["end", "idle"])
@pytest.mark.parametrize("what", ["close", "reset"])
def test_behind_the_response(server: Server, kind: Kind, path: str, at: str, what: str) -> None:
    """A response is whole, and then its connection ends, which another request would have used."""
    planned.faults = stepped.faults = [fault(what, at=at)]
    with connect(server, kind) as peer:
        peer.send_request(path)
        if what == "reset":
            assert is_reset(peer.sock)
            return
        answer = peer.read_answer()
        assert (answer.content, answer.complete) == (CONTENT, True)
        assert ending(peer.sock) == "closed"


@pytest.mark.parametrize("at", ["end", "idle"])
def test_behind_the_response_it_is_recorded(server: Server, kind: Kind, at: str) -> None:
    """What happens when a response is whole is in the record of its exchange."""
    planned.faults = [fault("close", at=at)]
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
        assert ending(peer.sock) == "closed"
        assert (server.exchanges[-1].faults, server.connections[-1].faults) == ((planned.faults[0],), ())


@pytest.mark.parametrize("kind", TLS)
@pytest.mark.parametrize("at", ["response_head", "accepted"])
def test_no_close_notify(server: Server, kind: Kind, at: str) -> None:
    """The end of the connection is FIN alone."""
    if at == "accepted":
        server.fault("no_close_notify", at=at)
    planned.faults = [fault("no_close_notify")] if at != "accepted" else []
    planned.faults = [*planned.faults, fault("close", at="end")]
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
        assert ending(peer.sock) == "no close_notify"


# --- HTTP/2 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HTTP2)
@pytest.mark.parametrize("code", [8, 0x99])
def test_reset_stream(server: Server, kind: Kind, path: str, code: int) -> None:
    """One exchange ends by RST_STREAM with that code, and the connection goes on."""
    planned.faults = stepped.faults = [fault("reset_stream", code, octet=4)]
    with connect(server, kind) as peer:
        answer = peer.request(path)
        assert (answer.content, answer.reset, answer.complete) == (b"0123", code, False)
        planned.faults = stepped.faults = ()
        assert peer.request(path).content == CONTENT


@pytest.mark.parametrize("kind", HTTP2)
def test_reset_stream_behind_the_end(server: Server, kind: Kind) -> None:
    """RST_STREAM can come behind END_STREAM, too."""
    planned.faults = [fault("reset_stream", "NO_ERROR", at="end")]
    with connect(server, kind) as peer:
        assert peer.request("/").content == CONTENT
        planned.faults = ()
        assert peer.request("/").content == CONTENT


@pytest.mark.parametrize("kind", HTTP2)
def test_goaway(server: Server, kind: Kind) -> None:
    """GOAWAY says what was asked for; streams up to its last go on, those above are left without a word."""
    stepped.faults = [fault("goaway", "ENHANCE_YOUR_CALM", 1, "calm down")]
    planned.faults = [fault("stall")]
    with connect(server, kind) as peer:
        assert isinstance(peer, H2Peer)
        peer.send_request("/")
        server.wait_for_stall()
        peer.send_request("/steps/")
        peer.send_request("/reading", method="POST", headers=[("content-length", "5")], end=False)
        peer.send_content(b"x" * 5, end=True)
        while peer.goaway is None:
            assert peer._receive()
        goaway = peer.goaway
        assert (goaway.error_code, goaway.last_stream_id, goaway.additional_data) == (11, 1, b"calm down")
        assert_soon(lambda: [one.number for one in server.state().connections[0].exchanges] == [1])
        server.release()
        octets = b""
        while b"0123456789" not in octets:  # the library would not look at it any more
            octets += more(peer.sock)


@pytest.mark.parametrize("kind", HTTP2)
@pytest.mark.parametrize("at", ["end", "idle"])
def test_goaway_behind_the_response(server: Server, kind: Kind, at: str) -> None:
    """GOAWAY can come when nothing is going on; it says that the request was looked at."""
    planned.faults = [fault("goaway", at=at)]
    with connect(server, kind) as peer:
        assert isinstance(peer, H2Peer)
        assert peer.request("/").content == CONTENT
        while peer.goaway is None:
            assert peer._receive()
        assert (peer.goaway.error_code, peer.goaway.last_stream_id) == (0, 1)


@pytest.mark.parametrize("of", ["request", "promise"])
def test_goaway_and_promises(certs_dir: Path, of: str) -> None:
    """GOAWAY speaks of the client's streams; what was promised is sent all the same (RFC 9113 §6.8)."""

    def pushed(request: Request, response: Response) -> bytes:
        if of == "promise":
            response.fault("goaway")
        return b"pushed"

    def handler(request: Request, response: Response) -> bytes:
        response.push("/pushed", answer=pushed)
        if of == "request":
            response.fault("goaway", octet=1)
        response.fault("stall", octet=1)
        return CONTENT

    with serving(handler, certs_dir) as server, connect(server, "h2c") as peer:
        assert isinstance(peer, H2Peer)
        peer.send_request("/")
        octets = b""
        server.wait_for_stall()
        octets = b""
        while not (GOAWAY_1 in octets and b"pushed" in octets.rpartition(b"/pushed")[2]):
            octets += more(peer.sock)
        server.release()
        while CONTENT[1:] not in octets:
            octets += more(peer.sock)
        assert [one.outcome for one in server.exchanges] == ["complete", "complete"]


# --- how it is asked for -------------------------------------------------------------------------


def serving(handler: Callable[[Request, Response], object], certs_dir: Path) -> Server:
    return Server(routes=[("*", "/*", handler)], certs_dir=certs_dir)


def test_a_handler_that_returns(certs_dir: Path, kind: Kind) -> None:
    """What a handler asks for happens at its moment."""

    def handler(request: Request, response: Response) -> bytes:
        response.fault("close", octet=3)
        return CONTENT

    with serving(handler, certs_dir) as server, connect(server, kind) as peer:
        peer.send_request("/")
        assert answered(peer).content == b"012"


def test_a_handler_that_writes(certs_dir: Path, kind: Kind) -> None:
    """In the midst of writing it happens there, behind what was written."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.write_header("Content-Length", 10)
        response.writer.end_headers()
        response.writer.write("01234")
        response.fault("close")
        response.writer.write("56789")

    with serving(handler, certs_dir) as server, connect(server, kind) as peer:
        peer.send_request("/")
        assert answered(peer).content == b"01234"


def test_a_handler_stalls(certs_dir: Path, kind: Kind) -> None:
    """A stall in the midst of writing lets the rest come later."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_content("0123456789")
        response.fault("stall")

    with serving(handler, certs_dir) as server, connect(server, kind) as peer:
        peer.send_request("/")
        server.wait_for_stall()
        server.release()
        assert peer.read_answer().complete


def test_a_handler_asks_for_what_cannot_be(certs_dir: Path, kind: Kind) -> None:
    """It is an error in the handler, when it asks: a 500 that says what cannot be."""

    def handler(request: Request, response: Response) -> str:
        response.fault(request.request_path.strip("/"))
        return "as ever"

    wanted = {"reset_stream": kind not in HTTP2, "no_close_notify": kind not in TLS, "close_all": True}
    with serving(handler, certs_dir) as server:
        for what, is_wrong in wanted.items():
            with connect(server, kind) as peer:
                answer = peer.request("/" + what)
                assert (answer.status == 500, "FaultError" in answer.text) == (is_wrong, is_wrong)


@pytest.mark.parametrize(
    ("pipe", "content"),
    [
        ("fault(close,octet=3)", b"012"),
        ("fault(stall,0.01)|fault(close,at=response_content,octet=5)", b"01234"),
    ],
)
def test_a_pipe(server: Server, kind: Kind, pipe: str, content: bytes) -> None:
    """A URL can ask for it."""
    with connect(server, kind) as peer:
        peer.send_request(f"/?pipe={pipe}")
        assert answered(peer).content == content


def test_a_pipe_asks_for_what_cannot_be(server: Server, kind: Kind) -> None:
    """A pipe that makes no sense is a 500 that says so."""
    with connect(server, kind) as peer:
        answer = peer.request("/?pipe=fault(smoke)")
        assert (answer.status, "there is no fault 'smoke'" in answer.text) == (500, True)


def test_what_did_not_happen_is_told(server: Server, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A fault behind the end of the content does not happen, and the log says so."""
    answer, _ = ask(server, kind, "/", fault("close", octet=11), fault("close", at="end"))
    assert answer.complete
    assert_soon(lambda: "did not happen: close() at response_content at octet 11" in caplog.text)


def test_what_happens_is_in_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The log says what went wrong on purpose."""
    caplog.set_level(logging.INFO, "wptproto")
    ask(server, "h1", "/", fault("close", octet=3))
    assert_soon(lambda: "GET /: close() at response_content at octet 3" in caplog.text)


@pytest.mark.parametrize(
    ("ports", "what", "wrong"),
    [
        ({"http_port": 0, "https_port": None}, "no_close_notify", True),
        ({"http_port": None, "https_port": 0}, "no_close_notify", False),
        ({"http_port": None, "https_port": 0}, "goaway", True),
        ({"http_port": None, "https_port": None, "h2_port": 0}, "goaway", False),
        ({"http_port": None, "https_port": 0, "alpn": ["h2"]}, "reset_stream", False),
    ],
)
def test_what_a_server_can_do(certs_dir: Path, ports: dict[str, object], what: str, wrong: bool) -> None:
    """What has no meaning over what a server speaks is an error when it is asked for."""
    server = Server(certs_dir=certs_dir, **ports)  # type: ignore[arg-type]
    if wrong:
        with pytest.raises(FaultError, match="has no meaning"):
            server.fault(what)
    else:
        server.fault(what)


@pytest.mark.parametrize("times", [0, -1, "2"])
def test_how_often(times: object) -> None:
    """With no connection nothing can go wrong."""
    with pytest.raises(FaultError, match="fault: times is a number from 1 on, or None"):
        Server().fault("close", times=times)  # type: ignore[arg-type]
