"""
H1Wire: an HTTP/1.1 connection that a test drives by hand, in octets.

What comes is kept until a call takes it: as octets, or as a request, of which what it breaks is recorded.
What is sent is sent as it is given, and nothing is added: no length, no date, no reason phrase but the usual
one.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence

from wptproto.errors import RemoteProtocolError, WireError
from wptproto.protocol import h1_octets
from wptproto.protocol.h1_content import LengthReader
from wptproto.protocol.violations import Violation
from wptproto.semantics.fields import FieldLine, Fields, Value, to_octets
from wptproto.semantics.message import reason_phrase
from wptproto.server.tls_terms import TlsTerms
from wptproto.wire.conversation import Conversation
from wptproto.wire.h1_reading import broken_by, chunk_sizes, chunked_reader, head_end, read_head
from wptproto.wire.line import Ending, Line
from wptproto.wire.matching import AwaitedFields, attributes_that_differ, fields_that_differ, in_words
from wptproto.wire.policies import Policy
from wptproto.wire.requests import H1Head, H1Request

__all__ = ["H1Fields", "H1Wire"]

H1Fields = Mapping[str, Value] | Iterable[tuple[Value, Value]]
_SHOWN_OCTETS = 200


class H1Wire(Conversation):
    """An HTTP/1.1 connection, driven by hand."""

    def __init__(self, line: Line, timeout_s: float, policy: Policy) -> None:
        """
        Args:
            line: The connection, past the handshake of TLS.
            timeout_s: How long to wait where nothing else is said.
            policy: What comes of violations.
        """
        super().__init__(line, timeout_s, policy)
        self._buffer = bytearray()
        self._requests = 0
        self._received = bytearray()

    @property
    def received(self) -> bytes:
        """All octets that have come, whatever was made of them."""
        return bytes(self._received)

    def start_tls(self, context: ssl.SSLContext, *, within: float | None = None) -> None:
        """
        Speak TLS from here on, as behind a response to CONNECT (RFC 9110 §9.3.6).

        Args:
            context: A server's: ``server.server_context()`` makes one.
            within: For how many seconds to wait for the handshake.

        Raises:
            WireError: There is TLS already, or octets that nobody has taken; or the client does not agree.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        if self._buffer:
            raise WireError(f"{len(self._buffer)} octets came before TLS; receive() takes them")
        self._line.start_tls(TlsTerms(context, ()), self._deadline(within))

    # --- octets --------------------------------------------------------------------------------

    def send(
        self,
        octets: bytes,
        *,
        segments: Sequence[int] = (),
        records: Sequence[int] = (),
        pause_s: float = 0.0,
    ) -> None:
        """Send octets as they are, cut as :meth:`send_octets` says."""
        self.send_octets(octets, segments=segments, records=records, pause_s=pause_s)

    def receive(self, octets: int | None = None, *, within: float | None = None) -> bytes:
        """
        Return so many octets of the client; or what is there, once there is any.

        Raises:
            WireError: They do not come.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        deadline_s = self._deadline(within)
        awaited = "octets" if octets is None else f"{octets} octets"
        while len(self._buffer) < (1 if octets is None else octets):
            self._read_more(f"{awaited} in place of {self._there()}", deadline_s, within)
        return self._cut_off(len(self._buffer) if octets is None else octets)

    def receive_until(self, end: bytes, *, within: float | None = None) -> bytes:
        """
        Return what comes up to and with certain octets: ``receive_until(b"\\r\\n")`` is a line.

        Raises:
            WireError: They do not come.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        deadline_s = self._deadline(within)
        while (place := self._buffer.find(end)) < 0:
            self._read_more(f"{end!r} behind {self._there()}", deadline_s, within)
        return self._cut_off(place + len(end))

    def expect_octets(self, octets: bytes, *, within: float | None = None) -> None:
        """
        Wait for just these octets, and take them; the first other one is the end of waiting.

        Raises:
            WireError: Others come, or not all of them.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        deadline_s = self._deadline(within)
        while not self._buffer.startswith(octets):
            if not octets.startswith(bytes(self._buffer)):
                raise self._failure(repr(octets), f"{self._there()} came")
            self._read_more(f"{octets!r} in place of {self._there()}", deadline_s, within)
        self._cut_off(len(octets))

    def _take(self, octets: bytes) -> None:
        self._transcript.came(octets)
        self._buffer += octets
        self._received += octets

    def _read_more(self, awaited: str, deadline_s: float, within: float | None) -> None:
        if not self._read(deadline_s):
            raise self._failure(awaited, self._nothing_came(within))

    def _cut_off(self, octets: int) -> bytes:
        found = bytes(self._buffer[:octets])
        del self._buffer[:octets]
        return found

    def _there(self) -> str:
        """What has come that nobody took, in words."""
        octets = bytes(self._buffer)
        shown = repr(octets[:_SHOWN_OCTETS]) + ("..." if len(octets) > _SHOWN_OCTETS else "")
        return shown if octets else "nothing"

    # --- requests ------------------------------------------------------------------------------

    def expect_head(
        self,
        *,
        method: str | None = None,
        target: str | None = None,
        version: str | None = None,
        fields: AwaitedFields = (),
        within: float | None = None,
    ) -> H1Head:
        """
        Wait for the head of a request, and take it; what it breaks is recorded.

        Args:
            method: What it is to be, if that matters.
            target: What it is to be, as it stands in the request line.
            version: What it is to be: ``HTTP/1.1``.
            fields: Fields that have to be there, among others; None for one that must not be.
            within: For how many seconds.

        Raises:
            WireError: It does not come, or is another.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        wanted = {"method": method, "target": target, "version": version}
        attributes = {name: value for name, value in wanted.items() if value is not None}
        awaited = in_words("the head of a request", attributes)
        deadline_s = self._deadline(within)
        while (end := head_end(self._buffer)) is None:
            self._read_more(f"{awaited} in place of {self._there()}", deadline_s, within)
        self._requests += 1
        head, broken = read_head(self._cut_off(end))
        self._break(*broken)
        differences = [*attributes_that_differ(head, attributes), *fields_that_differ(head.fields, fields)]
        if differences:
            raise self._failure(awaited, f"another came, for {'; '.join(differences)}")
        return head

    def read_content(
        self, head: H1Head, *, answer_expect: bool = True, within: float | None = None
    ) -> H1Request:
        """
        Wait for the content behind a head, and return the whole request.

        Args:
            head: The last that came.
            answer_expect: Whether a client that waits for ``100 Continue`` gets it.
            within: For how many seconds in all.

        Raises:
            WireError: It does not come; or its framing is broken, which is a violation, and then what cannot
                be read is left for other calls.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        if head.expects_continue and answer_expect and not self._buffer:
            self.send_head(100)
        reader = chunked_reader() if head.length is None else LengthReader(head.length)
        deadline_s = self._deadline(within)
        content, framed = bytearray(), bytearray()
        while not reader.done:
            before = bytes(self._buffer)
            try:
                piece = reader.read(self._buffer)
            except RemoteProtocolError as error:
                self._break(broken_by(error, "RFC 9112 §7.1"))
                raise self._failure("the content of a request", error.reason) from error
            framed += before[: len(before) - len(self._buffer)]
            content += piece
            if not piece and not reader.done:
                self._read_more(f"{reader.missing()} of a request's content", deadline_s, within)
        chunks = chunk_sizes(bytes(framed)) if head.length is None else []
        return H1Request(head, bytes(content), chunks, reader.trailers, head.octets + bytes(framed))

    def expect_request(
        self,
        *,
        method: str | None = None,
        target: str | None = None,
        version: str | None = None,
        fields: AwaitedFields = (),
        answer_expect: bool = True,
        within: float | None = None,
    ) -> H1Request:
        """
        Wait for a whole request, and take it.

        Args and what it raises are as in :meth:`expect_head` and :meth:`read_content`.
        """
        head = self.expect_head(method=method, target=target, version=version, fields=fields, within=within)
        return self.read_content(head, answer_expect=answer_expect, within=within)

    def _break(self, *broken: tuple[str, str]) -> None:
        self._record([Violation(reason, section, self._requests) for reason, section in broken])

    # --- responses -----------------------------------------------------------------------------

    def send_head(
        self,
        status: int = 200,
        fields: H1Fields = (),
        *,
        reason: Value | None = None,
        version: Value = "HTTP/1.1",
    ) -> None:
        """
        Send a status line, field lines and the empty line behind them, just as they are given.

        Args:
            status: Any number.
            fields: Names and values, in order and case.
            reason: The reason phrase; None is the usual one.
            version: What the status line begins with.

        RFC 9112 §4, §5.
        """
        self.send_octets(_head(status, fields, reason, version))

    def send_response(
        self,
        status: int = 200,
        fields: H1Fields = (),
        content: bytes = b"",
        *,
        reason: Value | None = None,
        version: Value = "HTTP/1.1",
        segments: Sequence[int] = (),
        records: Sequence[int] = (),
    ) -> None:
        """
        Send a head and octets behind it at once, just as they are given; ``Content-Length`` is not
        added.
        """
        octets = _head(status, fields, reason, version) + content
        self.send_octets(octets, segments=segments, records=records)

    def send_chunk(self, data: bytes, *, size: int | None = None, extensions: bytes = b"") -> None:
        """
        Send a chunk (RFC 9112 §7.1).

        Args:
            data: Its octets.
            size: What it is to say of their number, whatever that is; None is the truth.
            extensions: What stands behind the size: ``b";name=value"``.
        """
        said = len(data) if size is None else size
        self.send_octets(b"%x%b\r\n%b\r\n" % (said, extensions, data))

    def send_last_chunk(self, trailers: H1Fields = ()) -> None:
        """Send the last chunk, and trailers behind it (RFC 9112 §7.1.2)."""
        self.send_octets(h1_octets.last_chunk(Fields(_lines(trailers))))

    # --- the end -------------------------------------------------------------------------------

    def expect_closed(self, *, within: float | None = None, drop: bool = False) -> Ending:
        """
        Wait until the client ends its side of the connection, as in ``Conversation.expect_closed``.

        Args:
            within: For how many seconds.
            drop: Whether what still comes before is dropped, and not a failure: the rest of an upload.
        """
        if drop:
            deadline_s = self._deadline(within)
            while self._read(deadline_s):
                self._buffer.clear()
            self._buffer.clear()
        return super().expect_closed(within=within)

    def _going_on(self) -> str | None:
        return self._there() if self._buffer else None

    def _end_for(self, violation: Violation) -> None:
        content = f"{violation}\n".encode()
        fields: dict[str, Value] = {"Content-Length": len(content), "Connection": "close"}
        self.send_response(400, fields, content)


def _lines(fields: H1Fields) -> list[FieldLine]:
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return [(to_octets(name), to_octets(value)) for name, value in pairs]


def _head(status: int, fields: H1Fields, reason: Value | None, version: Value) -> bytes:
    phrase = reason_phrase(status) if reason is None else to_octets(reason)
    lines = b"".join(h1_octets.field_line(name, value) for name, value in _lines(fields))
    return b"%b %d %b\r\n%b\r\n" % (to_octets(version), status, phrase, lines)
