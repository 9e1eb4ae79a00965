"""HTTP/2 for tests of the machine: a client over h2, which can also send what h2 would not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import h2.config
import h2.connection
import h2.events
from hpack import Encoder
from hyperframe.frame import ExtensionFrame, Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from wptproto.limits import Limits
from wptproto.protocol.connection import Closing
from wptproto.protocol.events import Event, ExchangeId, ExchangeReset
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.rules import Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = [
    "MAX_FRAME_OCTETS",
    "ONE",
    "OPENING",
    "POST",
    "REQUEST",
    "Client",
    "begin",
    "content_of",
    "frames_of",
    "headers",
    "is_open",
    "kinds",
    "kinds_of",
    "open_connection",
    "priority_update",
    "respond",
    "response_head",
]

REQUEST: tuple[FieldLine, ...] = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"localhost"),
    (b":path", b"/"),
)
"""The pseudo-fields of a plain request."""

POST: tuple[FieldLine, ...] = ((b":method", b"POST"), *REQUEST[1:])
"""The same, of a request with content."""

OPENING = PREFACE + SettingsFrame(0).serialize()
"""What a client begins with, at its shortest (RFC 9113 §3.4)."""

MAX_FRAME_OCTETS = 16384
"""The size of a frame that everyone takes (RFC 9113 §4.2)."""

ONE = ExchangeId(1)

E = TypeVar("E", bound=h2.events.Event)


def response_head(status: int = 200, *lines: FieldLine) -> ResponseHead:
    """Return a head as a writer would hand it over."""
    return ResponseHead(status, Fields(lines))


def headers(
    stream_id: int, lines: Iterable[FieldLine] = REQUEST, *, end: bool = True, encoder: Encoder | None = None
) -> HeadersFrame:
    """Return a HEADERS frame with a whole field section, whatever that says."""
    flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
    return HeadersFrame(stream_id, (encoder or Encoder()).encode(lines), flags=flags)


def priority_update(prioritized_id: int = 1, value: bytes = b"u=1", *, stream_id: int = 0) -> ExtensionFrame:
    """Return a frame that says how urgent a stream is (RFC 9218 §7.1)."""
    body = prioritized_id.to_bytes(4, "big") + value
    frame = ExtensionFrame(0x10, stream_id, body=body)
    frame.body_len = len(body)
    return frame


def open_connection(limits: Limits | None = None) -> H2Connection:
    """Return a connection whose client has sent its preface, and whose own has been taken off."""
    connection = H2Connection(Rules(limits or Limits()))
    connection.receive_data(OPENING)
    connection.data_to_send()
    return connection


def frames_of(octets: bytes) -> list[Frame]:
    """Take octets apart into frames."""
    frames = []
    view = memoryview(octets)
    while view:
        frame, length = Frame.parse_frame_header(view[:9])
        frame.parse_body(view[9 : 9 + length])
        frames.append(frame)
        view = view[9 + length :]
    return frames


class Client:
    """
    A client and the connection it talks to, with nothing in between.

    Attributes:
        h2: The client's own state.
        connection: Ours, under test.
        events: What the client has seen since the last :meth:`take`.
    """

    def __init__(self, connection: H2Connection | None = None, *, initial_window: int | None = None) -> None:
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        if initial_window is not None:
            self.h2.local_settings.initial_window_size = initial_window
            self.h2.local_settings.acknowledge()
        self.connection = H2Connection() if connection is None else connection
        self.events: list[h2.events.Event] = []

    def open(self) -> list[Event]:
        """Exchange prefaces and settings."""
        self.h2.initiate_connection()
        return self.flush()

    def request(
        self, stream_id: int, lines: Iterable[FieldLine] = REQUEST, *, end: bool = True
    ) -> list[Event]:
        """Send a request's head."""
        self.h2.send_headers(stream_id, list(lines), end_stream=end)
        return self.flush()

    def content(
        self, stream_id: int, data: bytes, *, end: bool = False, padding: int | None = None
    ) -> list[Event]:
        """Send content, which has to fit one frame and the windows."""
        self.h2.send_data(stream_id, data, end_stream=end, pad_length=padding)
        return self.flush()

    def raw(self, *frames: Frame | bytes) -> list[Event]:
        """Send frames that the client's own state does not know of."""
        octets = b"".join(frame if isinstance(frame, bytes) else frame.serialize() for frame in frames)
        return self.receive(octets)

    def flush(self) -> list[Event]:
        """Hand over what the client has to send."""
        return self.receive(self.h2.data_to_send())

    def receive(self, octets: bytes) -> list[Event]:
        """Hand octets to the connection and back, until both have nothing to say."""
        events: list[Event] = []
        while octets:
            events += self.connection.receive_data(octets)
            octets = self.pull()
        self.pull()
        return events

    def pull(self) -> bytes:
        """Let the client read what the connection has sent; return the client's answer."""
        self.events += self.h2.receive_data(self.connection.data_to_send())
        return self.h2.data_to_send()

    def take(self, kind: type[E]) -> list[E]:
        """Return the events of one kind that the client has seen, and forget all."""
        self.pull()
        taken = [event for event in self.events if isinstance(event, kind)]
        self.events.clear()
        return taken

    def goaway(self) -> GoAwayFrame:
        """Return the GOAWAY that the connection has sent last, and nothing behind it."""
        *_, frame = frames_of(self.connection.data_to_send())
        assert isinstance(frame, GoAwayFrame)
        return frame


def begin(
    lines: Iterable[FieldLine] = REQUEST, *, end: bool = True, initial_window: int | None = None
) -> tuple[Client, ExchangeId]:
    """Return a client whose one request is on its way."""
    client = Client(initial_window=initial_window)
    client.open()
    client.request(1, lines, end=end)
    return client, ExchangeId(1)


def kinds(events: list[Event]) -> list[type]:
    """Return what kinds of events they are."""
    return [type(event) for event in events]


def is_open(connection: H2Connection) -> bool:
    """Whether it will not close for now."""
    return connection.closing is Closing.NO


def respond(client: Client, exchange_id: ExchangeId = ONE, content: bytes = b"ok") -> None:
    """Send a response of some content, and finish."""
    connection = client.connection
    connection.send_head(exchange_id, response_head(200, (b"content-length", b"%d" % len(content))))
    assert connection.send_content(exchange_id, content, end=True) == len(content)
    events = connection.finish(exchange_id)
    assert all(isinstance(event, ExchangeReset) for event in events)  # of the rest of an upload


def content_of(client: Client) -> bytes:
    """Return the content that the client has seen since it was last asked for events."""
    return b"".join(event.data for event in client.take(h2.events.DataReceived))


def kinds_of(events: list[h2.events.Event]) -> list[type]:
    """Return the kinds of what concerns a stream."""
    return [type(event) for event in events if getattr(event, "stream_id", None)]
