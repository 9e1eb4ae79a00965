"""Line: octets both ways, each wait with its end, and nothing that is left open."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.helpers.waiting import assert_soon
from tests.wire.conftest import Go
from tests.wire.helpers import NoKeeper
from wptproto import ExchangeClosed, WireError, certs
from wptproto.server.tls_terms import TlsSettings, TlsTerms, make_context
from wptproto.wire.line import Ending, Line

Ends = tuple[Line, socket.socket]


def terms_of(files: certs.Certificates, *protocols: str) -> TlsTerms:
    return TlsTerms(make_context(files.certificate, files.key, protocols, TlsSettings()), ())


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def tcp() -> Iterator[Ends]:
    """A line over TCP, and its client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
    line = Line(ours, None, NoKeeper())
    with client:
        yield line, client
        line.stop("the test is over")


def test_both_ways(line: Ends) -> None:
    """What is sent arrives, what comes is received; where nothing comes, the time is over."""
    ours, theirs = line
    ours.send(b"abc", soon())
    assert theirs.recv(10) == b"abc"
    theirs.sendall(b"def")
    assert ours.receive(soon()) == b"def"
    assert ours.receive(soon(0.01)) == b""
    assert ours.ending is None
    ours.handshake(soon())  # there is none
    assert ours.tls is None


def test_fin(line: Ends) -> None:
    """A client that half-closes has ended its side, and can still be sent to."""
    ours, theirs = line
    theirs.sendall(b"last")
    theirs.shutdown(socket.SHUT_WR)
    assert [ours.receive(soon()), ours.receive(soon())] == [b"last", b""]
    assert ours.ending is Ending.FIN
    ours.half_close()
    assert theirs.recv(10) == b""


def test_reset_both_ways(tcp: Ends) -> None:
    """A RST is known as one, of whichever side."""
    ours, theirs = tcp
    assert ours.client_address == theirs.getsockname()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    assert ours.receive(soon()) == b""
    assert ours.ending is Ending.RESET
    with pytest.raises(WireError, match="1 octets cannot be sent"):
        ours.send(b"a", soon())
    ours.close()


def test_reset_here(tcp: Ends) -> None:
    """A reset of ours is one for the client."""
    ours, theirs = tcp
    ours.reset()
    with pytest.raises(ConnectionResetError):
        theirs.recv(10)
    ours.reset()
    ours.close()


def test_segments(line: Ends) -> None:
    """Octets leave in the pieces that were asked for, with a pause, if that is wanted."""
    ours, theirs = line
    began_s = time.monotonic()
    ours.send(b"abcdef", soon(), segments=[1, 2], pause_s=0.02)
    assert time.monotonic() - began_s >= 0.04
    assert theirs.recv(10) == b"abcdef"


def test_records_in_the_clear(line: Ends) -> None:
    """Records are TLS's: where there is none, that is an error of use."""
    with pytest.raises(WireError, match="records are TLS's"):
        line[0].send(b"a", soon(), records=[1])


def test_a_client_that_does_not_read(line: Ends) -> None:
    """To send more than a client takes ends with the time, and says how much it was."""
    with pytest.raises(WireError, match=r"the client has not read [0-9]+ octets"):
        line[0].send(bytes(8 * 1024 * 1024), soon(0.02))


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_a_wait_is_ended_from_another_thread(line: Ends, go: Go, how: str) -> None:
    """A stop ends a wait at once, and for good; an interruption that wait alone."""
    ours, theirs = line
    waiting: Future[bytes] = go(ours.receive, soon(60))
    assert_soon(lambda: ours._users > 0)
    if how == "stop":
        ours.stop("the server stops")
        with pytest.raises(ExchangeClosed, match="the server stops"):
            waiting.result(5)
        with pytest.raises(ExchangeClosed, match="the server stops"):
            ours.send(b"a", soon())
        assert theirs.recv(10) == b""
        return
    ours.interrupt()
    with pytest.raises(ExchangeClosed, match="cancelled"):
        waiting.result(5)
    theirs.sendall(b"a")
    ours.interrupt()  # of nobody, who is on his way
    with pytest.raises(ExchangeClosed, match="cancelled"):
        ours.receive(soon())
    ours.interrupt()
    ours.forget_interrupts()
    assert ours.receive(soon()) == b"a"


def test_a_close_waits_for_those_who_use_it(line: Ends, go: Go) -> None:
    """The socket's number may be another's the next moment, so it is closed by the last who uses it."""
    ours, _ = line
    waiting = go(ours.receive, soon(60))
    assert_soon(lambda: ours._users > 0)
    ours.close()
    with pytest.raises(ExchangeClosed, match="closed here"):
        waiting.result(5)
    assert ours._sock.fileno() == -1
    ours.stop("once more")


def test_a_client_that_was_quicker() -> None:
    """A connection whose client has gone before it is looked at has an address all the same."""
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()
    gone = socket.socket()
    line = Line(gone, None, NoKeeper())
    assert line.client_address == ("", 0)
    line.reset()


# --- TLS ---------------------------------------------------------------------------------------


@pytest.fixture
def secure(certs_dir: Path, go: Go) -> Iterator[tuple[Line, ssl.SSLSocket]]:
    """A line with TLS, and its client."""
    files = certs.ensure(certs_dir)
    context = ssl.create_default_context(cafile=str(files.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    ours, theirs = socket.socketpair()
    line = Line(ours, terms_of(files, "h2"), NoKeeper())
    agreed: Future[ssl.SSLSocket] = go(
        context.wrap_socket, theirs, server_hostname="localhost", suppress_ragged_eofs=False
    )
    line.handshake(soon())
    with agreed.result(5) as client:
        client.settimeout(5)
        yield line, client
        line.stop("the test is over")


def test_what_tls_agreed_on(secure: tuple[Line, ssl.SSLSocket]) -> None:
    """Version, cipher, SNI, and what ALPN offered and chose are known."""
    facts = secure[0].tls
    assert facts is not None
    assert (facts.server_name, facts.alpn_offered, facts.alpn_chosen) == (
        "localhost",
        ("h2", "http/1.1"),
        "h2",
    )
    assert (facts.version, facts.cipher) == (secure[1].version(), (secure[1].cipher() or ("",))[0])


def test_records(secure: tuple[Line, ssl.SSLSocket]) -> None:
    """Octets are in as many records as were asked for: each is what a client reads at a time."""
    ours, theirs = secure
    ours.send(b"abcdef", soon(), records=[1, 2], segments=[3])
    assert [theirs.recv(10) for _ in range(3)] == [b"a", b"bc", b"def"]
    theirs.sendall(b"x" * 40000)
    came = 0
    while came < 40000:
        came += len(ours.receive(soon()))
    assert came == 40000


def test_close_notify(secure: tuple[Line, ssl.SSLSocket]) -> None:
    """A client that closes TLS has ended its side; so do we, unless it is not wanted."""
    ours, theirs = secure
    theirs.sendall(b"last")
    theirs.settimeout(0.01)
    with pytest.raises((TimeoutError, ssl.SSLError)):
        theirs.unwrap()
    assert ours.receive(soon()) == b"last"
    assert ours.receive(soon()) == b""
    assert ours.ending is Ending.CLOSE_NOTIFY
    ours.close()


@pytest.mark.parametrize("close_notify", [True, False])
def test_a_close_without_close_notify(secure: tuple[Line, ssl.SSLSocket], close_notify: bool) -> None:
    """Without close_notify a client sees that something may be missing."""
    ours, theirs = secure
    ours.half_close(close_notify=close_notify)
    if close_notify:
        assert theirs.recv(10) == b""
    else:
        with pytest.raises(ssl.SSLEOFError):
            theirs.recv(10)


def test_octets_that_are_none_of_tls(secure: tuple[Line, ssl.SSLSocket]) -> None:
    """What is no record ends the client's side, and why is known."""
    ours, theirs = secure
    with socket.socket(fileno=socket.dup(theirs.fileno())) as bare:
        bare.sendall(b"HTTP/1.1 is not TLS\r\n")
    assert ours.receive(soon()) == b""
    assert (ours.ending, ours.alert) == (Ending.ALERT, "WRONG_VERSION_NUMBER")


def test_a_handshake_that_fails(certs_dir: Path) -> None:
    """What a client does in the place of a handshake is said."""
    files = certs.ensure(certs_dir)

    def begun() -> Ends:
        ours, theirs = socket.socketpair()
        return Line(ours, terms_of(files), NoKeeper()), theirs

    line, client = begun()
    with client, pytest.raises(WireError, match="has not gone on with it"):
        line.handshake(soon(0.01))
    line.reset()
    line, client = begun()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with client, pytest.raises(WireError, match="HTTP_REQUEST"):
        line.handshake(soon())
    line.reset()
    line, client = begun()
    client.close()
    with pytest.raises(WireError, match=r"ended the TLS handshake \(fin\)"):
        line.handshake(soon())
    line.close()
