"""Every probe of HTTP/2, over sockets, in the clear and over TLS, whole and octet by octet."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hpack import Decoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame

from tests.conformance import rfc9113_3, rfc9113_5, rfc9113_6, rfc9113_8
from tests.conformance.h2_probe import GET, H2Probe, begun
from tests.helpers.peers import open_socket
from wptproto import Request, Response, Server

TABLES = (rfc9113_3, rfc9113_5, rfc9113_6, rfc9113_8)
PROBES = [probe for table in TABLES for probe in table.PROBES]
FEW_OCTETS = 2000
LAST = 0x7FFFFFFF  # the stream on which it is seen that the connection goes on
MARK = PingFrame(0, b"the mark").serialize()


class Reader:
    """
    Reads frames, and what they say.

    Attributes:
        goaway: The GOAWAY frame, if there was one.
        resets: Error codes, by stream.
        statuses: By stream.
        content: By stream.
        ended: Streams whose response is complete.
        marks: Answers to MARK.
        closed: Whether the connection has ended.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._octets = bytearray()
        self._decoder = Decoder()
        self.goaway: GoAwayFrame | None = None
        self.resets: dict[int, int] = {}
        self.statuses: dict[int, int] = {}
        self.content: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.marks = 0
        self.closed = False

    def read(self) -> None:
        """Read once."""
        try:
            piece = self._sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            piece = b""
        self.closed = not piece
        self._octets += piece
        while len(self._octets) >= 9 + (size := int.from_bytes(self._octets[:3], "big")):
            frame, _ = Frame.parse_frame_header(memoryview(bytes(self._octets[:9])))
            frame.parse_body(memoryview(bytes(self._octets[9 : 9 + size])))
            del self._octets[: 9 + size]
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        match frame:
            case GoAwayFrame():
                self.goaway = frame
            case RstStreamFrame():
                self.resets[frame.stream_id] = frame.error_code
            case PingFrame():
                self.marks += frame.opaque_data == b"the mark"
            case HeadersFrame():
                fields = dict(self._decoder.decode(frame.data, raw=True))
                self.statuses[frame.stream_id] = int(fields[b":status"])
            case DataFrame():
                self.content[frame.stream_id] = self.content.get(frame.stream_id, b"") + frame.data
        if "END_STREAM" in frame.flags:
            self.ended.add(frame.stream_id)


slow = threading.Event()


def handler(request: Request, response: Response) -> bytes | str:
    match request.path:
        case "/echo":
            return request.body
        case "/slow":
            slow.wait(10)
            return "slow"
        case path:
            return path


@pytest.fixture(scope="module")
def server(certs_dir: Path) -> Iterator[Server]:
    routes = [("GET", "/get", handler), ("POST", "/echo", handler), ("GET", "/slow", handler)]
    with Server(routes=routes, certs_dir=certs_dir) as server:
        yield server


def send(sock: socket.socket, octets: bytes, *, piecemeal: bool) -> None:
    """Send octets; that the server has heard enough of them is no error of the client's."""
    step = 1 if piecemeal else max(1, len(octets))
    with suppress(ConnectionError, ssl.SSLError):
        for start in range(0, len(octets), step):
            sock.sendall(octets[start : start + step])


@pytest.mark.parametrize("kind", ["h2", "h2c"])
@pytest.mark.parametrize(
    ("probe", "piecemeal"),
    [pytest.param(probe, False, id=probe.id) for probe in PROBES]
    + [
        pytest.param(probe, True, id=f"{probe.id}-octet-by-octet")
        for probe in PROBES
        if len(probe.sends) <= FEW_OCTETS
    ],
)
def test_probe(probe: H2Probe, piecemeal: bool, kind: Literal["h2", "h2c"], server: Server) -> None:
    """The server reacts as the row allows, and to nothing else."""
    slow.clear()
    with open_socket(server, kind) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(sock)
        send(sock, probe.opening, piecemeal=False)
        send(sock, probe.sends, piecemeal=piecemeal)
        if probe.goaway:
            while not reader.closed:
                reader.read()
            assert reader.goaway is not None, "the connection closes without a word"
            assert reader.goaway.error_code in probe.goaway
            assert reader.goaway.additional_data, "no reason is told"
            return
        send(sock, MARK, piecemeal=False)
        while not reader.marks:
            reader.read()
            assert not reader.closed, f"the connection closes: {reader.goaway}"
        slow.set()  # all frames were taken while it was half closed
        send(sock, begun(LAST, GET), piecemeal=False)
        while not (LAST in reader.ended and is_done(reader, probe)):
            reader.read()
            assert not reader.closed, f"the connection closes: {reader.goaway}"
    assert reader.goaway is None
    assert (reader.statuses[LAST], reader.content[LAST]) == (200, b"/get")
    if probe.resets:
        assert reader.resets[1] in probe.resets
    if probe.statuses:
        assert reader.statuses[1] in probe.statuses
        assert probe.says in reader.content.get(1, b"")
    assert set(reader.resets) <= ({1} if probe.resets else set())


def is_done(reader: Reader, probe: H2Probe) -> bool:
    """Whether all has come on stream 1 that shall."""
    if probe.resets:
        return 1 in reader.resets
    return not probe.statuses or 1 in reader.ended


def test_the_tables() -> None:
    """Every row has a name of its own, and there are enough of them."""
    assert len({probe.id for probe in PROBES}) == len(PROBES) >= 150
