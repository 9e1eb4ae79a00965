"""
Peers: one small client for each way to reach the server, all with one face.

They are made of the libraries' client sides (h11, h2), not of ours, and keep what came: fields in
order, interim responses, and whether the message was whole.
"""

from __future__ import annotations

import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h11

__all__ = ["KINDS", "Answer", "H1Peer", "H2Peer", "Kind", "Peer", "Reachable", "RequestField", "connect"]

Kind = Literal["h1", "h1s", "h2", "h2c"]
KINDS: tuple[Kind, ...] = ("h1", "h1s", "h2", "h2c")

TIMEOUT_S = 20.0
Field = tuple[bytes, bytes]
RequestField = tuple[str | bytes, str | bytes]


class Reachable(Protocol):
    """What a peer needs to know of a server."""

    @property
    def http_port(self) -> int | None: ...

    @property
    def https_port(self) -> int | None: ...

    def client_context(self) -> ssl.SSLContext: ...


@dataclass
class Answer:
    """What came for one request."""

    status: int = 0
    reason: bytes = b""
    fields: list[Field] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    trailers: list[Field] = field(default_factory=list)
    informational: list[tuple[int, list[Field]]] = field(default_factory=list)
    complete: bool = False
    reset: int | None = None

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def text(self) -> str:
        return self.content.decode()

    def get(self, name: str) -> str | None:
        """Return the first value of a field, as text."""
        return next(
            (value.decode() for key, value in self.fields if key.lower() == name.lower().encode()), None
        )

    def get_all(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value.decode() for key, value in self.fields if key.lower() == name.lower().encode()]


class Peer(ABC):
    """One connection to the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def request(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Iterable[RequestField] = (),
        content: bytes | None = None,
    ) -> Answer:
        """Send a request and read its answer to the end, whatever that is."""
        fields = list(headers)
        if content is not None:
            fields.append(("content-length", str(len(content))))
        self.send_request(path, method=method, headers=fields, end=content is None)
        if content is not None:
            self.send_content(content, end=True)
        return self.read_answer()

    @abstractmethod
    def send_request(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Iterable[RequestField] = (),
        end: bool = True,
    ) -> None:
        """Send a request's head; *end* says that no content follows."""

    @abstractmethod
    def send_content(self, content: bytes, *, end: bool) -> None:
        """Send content, as the window allows."""

    @abstractmethod
    def send_trailers(self, trailers: Iterable[RequestField]) -> None:
        """End the content with a trailer section; over HTTP/1.1 it has to be chunked."""

    @abstractmethod
    def read_some(self) -> bytes:
        """Return the next piece of content; none at the end of the answer."""

    @abstractmethod
    def read_answer(self) -> Answer:
        """Read what is left of the answer."""

    @abstractmethod
    def wait_for_informational(self) -> None:
        """Read until an interim response has come for the last request."""

    @abstractmethod
    def is_open(self) -> bool:
        """Whether the server takes another request here, as far as its answers said."""


class H1Peer(Peer):
    """HTTP/1.1, over h11."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=1024 * 1024)
        self.answer = Answer()

    def send_request(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Iterable[RequestField] = (),
        end: bool = True,
    ) -> None:
        if self.h11.our_state is not h11.IDLE:
            self.h11.start_next_cycle()
        self.answer = Answer()
        fields = _octets(headers)
        if b"host" not in _names(fields):
            fields.insert(0, (b"Host", b"localhost"))
        if not end and b"content-length" not in _names(fields):
            fields.append((b"Transfer-Encoding", b"chunked"))
        self._send(h11.Request(method=method, target=path, headers=fields))
        if end:
            self._send(h11.EndOfMessage())

    def send_content(self, content: bytes, *, end: bool) -> None:
        self._send(h11.Data(data=content))
        if end:
            self._send(h11.EndOfMessage())

    def send_trailers(self, trailers: Iterable[RequestField]) -> None:
        self._send(h11.EndOfMessage(headers=_octets(trailers)))

    def _send(self, event: h11.Event) -> None:
        data = self.h11.send(event)
        if data:  # to send nothing asks for trouble that came in the meantime
            self.sock.sendall(data)

    def read_some(self) -> bytes:
        while not self.answer.complete:
            try:
                event = self.h11.next_event()
            except h11.RemoteProtocolError:
                return b""
            if event is h11.NEED_DATA:
                try:
                    self.h11.receive_data(self.sock.recv(65536))
                except (ConnectionResetError, ssl.SSLError):
                    return b""
            elif isinstance(event, h11.InformationalResponse):
                self.answer.informational.append((event.status_code, list(event.headers.raw_items())))
            elif isinstance(event, h11.Response):
                self.answer.status = event.status_code
                self.answer.reason = bytes(event.reason)
                self.answer.fields = list(event.headers.raw_items())
            elif isinstance(event, h11.Data):
                self.answer.pieces.append(bytes(event.data))
                return bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.answer.trailers = list(event.headers.raw_items())
                self.answer.complete = True
            else:
                return b""
        return b""

    def read_answer(self) -> Answer:
        while self.read_some():
            pass
        return self.answer

    def wait_for_informational(self) -> None:
        while (event := self.h11.next_event()) is h11.NEED_DATA:
            self.h11.receive_data(self.sock.recv(65536))
        assert isinstance(event, h11.InformationalResponse)
        self.answer.informational.append((event.status_code, list(event.headers.raw_items())))

    def is_open(self) -> bool:
        ended = self.h11.trailing_data[1]
        return self.h11.our_state is h11.DONE and self.h11.their_state is h11.DONE and not ended


class H2Peer(Peer):
    """HTTP/2, over h2; several requests may be open at once."""

    def __init__(self, sock: socket.socket, *, scheme: str) -> None:
        super().__init__(sock)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        self.scheme = scheme
        self.answers: dict[int, Answer] = {}
        self.last = -1
        self.closed = False
        self.goaway: h2.events.ConnectionTerminated | None = None
        self.auto_acknowledge = True
        self.h2.initiate_connection()
        self._flush()

    def send_request(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Iterable[RequestField] = (),
        end: bool = True,
    ) -> None:
        self.last = self.h2.get_next_available_stream_id()
        self.answers[self.last] = Answer()
        fields = [(name.lower(), value) for name, value in _octets(headers)]
        host = dict(fields).get(b"host", b"localhost")
        pseudo: list[RequestField] = [(":method", method), (":scheme", self.scheme), (":path", path)]
        lines = _octets([*pseudo, (":authority", host), *(line for line in fields if line[0] != b"host")])
        self.h2.send_headers(self.last, lines, end_stream=end)
        self._flush()

    def send_content(self, content: bytes, *, end: bool) -> None:
        stream = self.last
        view = memoryview(content)
        while view:
            if self.answers[stream].reset is not None:
                return  # the server wants no more of it
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                if not self._receive():
                    return  # nor does anybody take it
                continue
            self.h2.send_data(stream, view[:room].tobytes())
            self._flush()
            view = view[room:]
        if end:
            self.h2.end_stream(stream)
            self._flush()

    def send_trailers(self, trailers: Iterable[RequestField]) -> None:
        lines = [(name.lower(), value) for name, value in _octets(trailers)]
        self.h2.send_headers(self.last, lines, end_stream=True)
        self._flush()

    def read_some(self) -> bytes:
        answer = self.answers[self.last]
        had = len(answer.pieces)
        while not answer.complete and answer.reset is None and len(answer.pieces) == had:
            if not self._receive():
                break
        return b"".join(answer.pieces[had:])

    def read_answer(self, stream: int | None = None) -> Answer:
        answer = self.answers[self.last if stream is None else stream]
        while not answer.complete and answer.reset is None and self._receive():
            pass
        return answer

    def wait_for_informational(self) -> None:
        while not self.answers[self.last].informational and self._receive():
            pass

    def is_open(self) -> bool:
        return not self.closed and self.goaway is None

    def _flush(self) -> None:
        data = self.h2.data_to_send()
        with suppress(ConnectionError, ssl.SSLEOFError):  # what came back may still be read
            self.sock.sendall(data)

    def _receive(self) -> bool:
        """Read once; False at the end of the connection."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self._take(event)
        self._flush()
        return True

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event
            return
        if isinstance(event, h2.events.PushedStreamReceived):
            self.answers[event.pushed_stream_id or 0] = Answer()
            return
        answer = self.answers.get(getattr(event, "stream_id", None) or 0)
        if answer is None:
            return
        match event:
            case h2.events.InformationalResponseReceived():
                answer.informational.append(_split(event.headers))
            case h2.events.ResponseReceived():
                answer.status, answer.fields = _split(event.headers)
            case h2.events.DataReceived():
                if event.data:
                    answer.pieces.append(bytes(event.data))
                if self.auto_acknowledge and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.TrailersReceived():
                answer.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            case h2.events.StreamEnded():
                answer.complete = True
            case h2.events.StreamReset():
                answer.reset = int(event.error_code)
            case _:
                pass


def _octets(fields: Iterable[RequestField]) -> list[Field]:
    """Return fields as octets; text is in UTF-8."""
    lines = []
    for line in fields:
        name, value = (part.encode() if isinstance(part, str) else part for part in line)
        lines.append((name, value))
    return lines


def _names(fields: Iterable[Field]) -> set[bytes]:
    return {name.lower() for name, _ in fields}


def _split(fields: Iterable[tuple[bytes, bytes]]) -> tuple[int, list[Field]]:
    lines = [(bytes(name), bytes(value)) for name, value in fields]
    return int(dict(lines)[b":status"]), [line for line in lines if not line[0].startswith(b":")]


def open_socket(server: Reachable, kind: Kind) -> socket.socket:
    """Return a connected socket, through TLS where the kind says so."""
    port = server.https_port if kind in ("h1s", "h2") else server.http_port
    sock = socket.create_connection(("127.0.0.1", port or 0), timeout=TIMEOUT_S)
    if kind in ("h1s", "h2"):
        context = server.client_context()
        context.set_alpn_protocols(["h2" if kind == "h2" else "http/1.1"])
        return context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False)
    return sock


@contextmanager
def connect(server: Reachable, kind: Kind) -> Iterator[Peer]:
    """Open one connection of a kind."""
    sock = open_socket(server, kind)
    peer = H1Peer(sock) if kind in ("h1", "h1s") else H2Peer(sock, scheme="https" if kind == "h2" else "http")
    with peer:
        yield peer
