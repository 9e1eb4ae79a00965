"""What goes over connections: heads, chunks, frames, field blocks, hellos; and connections as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from hpack import Decoder, Encoder, HPACKError

from tests.conformance import rfc9112_3, rfc9112_5, rfc9112_6, rfc9112_7, rfc9113_5, rfc9113_6, rfc9113_8
from tests.helpers.careless import Careless
from tests.helpers.cutting import Opening, octet_by_octet, play
from tests.helpers.h1 import request
from tests.helpers.samples import SAMPLES
from tools.fuzz.target import Target, take
from wptproto.errors import LocalProtocolError, RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.client_hello import ClientHelloReader
from wptproto.protocol.h1_audit import Audit
from wptproto.protocol.h1_content import ChunkedReader
from wptproto.protocol.h1_head import HeadReader
from wptproto.protocol.h1_transcript import Transcript
from wptproto.protocol.h2_compression import FieldDecoder, FieldEncoder
from wptproto.protocol.h2_fields import request_head, response_section, trailer_section
from wptproto.protocol.h2_frames import PREFACE, RawFrame
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS, shape_error
from wptproto.protocol.rules import Leniency, Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["TARGETS"]

METHODS = ("GET", "HEAD", "CONNECT", "POST")
SMALL = Limits(request_line_octets=200, field_section_octets=400, field_lines=20, chunk_line_octets=50)


def _rules(choice: int) -> Rules:
    """Return strict rules, lenient ones, or those that forgive one thing."""
    lenient = list(Leniency)
    if choice < len(lenient):
        return Rules(SMALL, frozenset([lenient[choice]]))
    return Rules(SMALL, frozenset(lenient if choice & 1 else ()))


def _alike(read: Callable[[Iterable[bytes]], object], octets: bytes) -> None:
    """See that octets come to the same, whole and one by one."""
    assert read([octets]) == read(octet_by_octet(octets))


# --- HTTP/1.1 ------------------------------------------------------------------------------------


def h1_head(octets: bytes) -> None:
    """Heads are the same however they are cut, up to what is wrong in them."""
    choice, octets = take(octets)
    rules = _rules(choice)

    def read(pieces: Iterable[bytes]) -> object:
        reader, buffer, heads = HeadReader(rules), bytearray(), []
        try:
            for piece in pieces:
                buffer += piece
                while (head := reader.read(buffer)) is not None:
                    heads.append(head)
        except RemoteProtocolError as error:
            return heads, error.reason, error.status_hint
        return heads, buffer

    _alike(read, octets)


def h1_chunks(octets: bytes) -> None:
    """Chunked content is the same however it is cut, up to what is wrong in it."""
    choice, octets = take(octets)
    rules = _rules(choice)

    def read(pieces: Iterable[bytes]) -> object:
        reader, buffer, content = ChunkedReader(rules), bytearray(), b""
        try:
            for piece in pieces:
                buffer += piece
                while not reader.done and (data := reader.read(buffer)):
                    content += data
        except RemoteProtocolError as error:
            return content, error.reason
        return content, reader.done, reader.trailers, buffer, reader.missing()

    _alike(read, octets)


def h1_audit(octets: bytes) -> None:
    """A response by hand is sound, or not, however it is cut."""
    choice, octets = take(octets)

    def read(pieces: Iterable[bytes]) -> object:
        audit = Audit(METHODS[choice % len(METHODS)])
        for piece in pieces:
            audit.feed(piece)
        return audit.sound

    _alike(read, octets)


def h1_transcript(octets: bytes) -> None:
    """A response by hand, of a handler or a file, is the same message however it is cut."""
    choice, octets = take(octets)

    def read(pieces: Iterable[bytes]) -> object:
        transcript = Transcript(METHODS[choice % len(METHODS)])
        parts: list[object] = []
        content = b""
        try:
            for part in [part for piece in [*pieces, None] for part in _fed(transcript, piece)]:
                if isinstance(part, bytes):
                    content += part
                else:
                    parts.append(part)
        except LocalProtocolError as error:
            return error.reason
        return parts, content

    _alike(read, octets)


def _fed(transcript: Transcript, piece: bytes | None) -> Iterable[object]:
    return transcript.finish() if piece is None else transcript.feed(piece)


# --- HTTP/2 --------------------------------------------------------------------------------------


def h2_shape(octets: bytes) -> None:
    """Of any whole frame it can be said whether its form is wrong."""
    if len(octets) >= FRAME_HEADER_OCTETS:
        shape_error(octets)


def h2_fields(octets: bytes) -> None:
    """Fields are a request, or are malformed; as trailers likewise; and any can be those of a response."""
    lines: list[FieldLine] = []
    for line in octets.split(b"\n"):
        name, _, value = line.partition(b" ")
        lines.append((name, value.replace(b"\\n", b"\n")))
    with suppress(RemoteProtocolError):
        head = request_head(lines)
        assert head.path or head.method == "CONNECT"
    with suppress(RemoteProtocolError):
        assert list(trailer_section(lines)) == lines
    assert response_section(ResponseHead(200, Fields(lines))).lines[0] == (b":status", b"200")


def h2_raw_frame(octets: bytes) -> None:
    """A frame by hand says of itself what it was given, and is as long as it says."""
    kind, octets = take(octets)
    flags, octets = take(octets)
    stream_id, payload = int.from_bytes(octets[:4], "big"), octets[4:]
    fields = (payload[:9], payload[9:])
    for frame in (RawFrame(kind, flags, stream_id, payload), RawFrame(kind, flags, None, (fields,))):
        sent = frame.serialize(1, Encoder())
        assert len(sent) == FRAME_HEADER_OCTETS + int.from_bytes(sent[:3], "big")
        assert (sent[3], sent[4]) == (kind, flags)
        assert int.from_bytes(sent[5:9], "big") == (1 if frame.stream_id is None else stream_id)


def hpack_decoder(octets: bytes) -> None:
    """A field block is what the library reads in it, and an error where that finds one."""
    size, octets = take(octets)
    ours, library = FieldDecoder(Limits()), Decoder()
    for block in (octets[:size], octets[size:]):
        try:
            expected = list(library.decode(block, raw=True))
        except HPACKError:
            expected = None
        try:
            found = list(ours.decode(block))
        except HPACKError:
            # A third change of the table's size is refused here (RFC 7541 §4.2).
            assert expected is None or block[:1] in b" ?" or 0x20 <= block[0] < 0x40
            return
        assert found == expected


def hpack_encoder(octets: bytes) -> None:
    """What is encoded comes back, through changes of the table's size that a client asks for."""
    encoder, decoder = FieldEncoder(Limits()), Decoder()
    for line in octets.split(b"\n"):
        size, value = take(line)
        encoder.header_table_size = size * 64
        lines = [(b"x", value), (value, b""), (b":path", value[:3])]
        decoder.max_allowed_table_size = 4096
        assert list(decoder.decode(encoder.encode(lines), raw=True)) == lines
        assert encoder.header_table.maxsize == decoder.header_table.maxsize <= 4096


# --- connections ---------------------------------------------------------------------------------


def connection(octets: bytes) -> None:
    """A port in the clear makes events of any octets, and the same ones however they are cut."""
    choice, octets = take(octets)
    eof = bool(choice & 1)
    whole = play([octets], opening=Opening(), eof=eof)
    assert play(octet_by_octet(octets), opening=Opening(), eof=eof) == whole


def careless_server(octets: bytes) -> None:
    """Nor does it come to anything else where they are answered in the wrong order."""
    habit, octets = take(octets)
    size, octets = take(octets)
    opening, server = Opening(), Careless(habit)
    pieces = [octets[at : at + size + 1] for at in range(0, len(octets), size + 1)]
    play(pieces, opening=opening, answer=server, eof=bool(habit & 1))
    if opening.connection is not None:
        server.leave(opening.connection)


def client_hello(octets: bytes) -> None:
    """A hello is the same however it is cut, up to what is wrong in it."""

    def read(pieces: Iterable[bytes]) -> object:
        reader = ClientHelloReader()
        for piece in pieces:
            try:
                hello = reader.feed(piece)
            except ValueError:
                return None
            if hello is not None:
                return hello
        return None

    _alike(read, octets)


# A ClientHello with one cipher suite, and h2 and http/1.1 by ALPN, in two records.
_ALPN = b"\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1"
_BODY = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + b"\0\x18" + b"\0\x17\0\0" + b"\0" + _ALPN[1:]
_HELLO = b"\1" + len(_BODY).to_bytes(3, "big") + _BODY
HELLO = b"\x16\3\1\0\x14" + _HELLO[:20] + b"\x16\3\1" + (len(_HELLO) - 20).to_bytes(2, "big") + _HELLO[20:]

PROBES_1 = [
    probe.sends
    for table in (rfc9112_3, rfc9112_5, rfc9112_6, rfc9112_7)
    for probe in table.PROBES
    if len(probe.sends) < 600
]
PROBES_2 = [
    probe.opening + probe.sends
    for table in (rfc9113_5, rfc9113_6, rfc9113_8)
    for probe in table.PROBES
    if len(probe.sends) < 600
]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nA: 1\r\n\r\n"
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + CHUNKED,
    b"HTTP/1.0 404\nA : 1\n b\nContent-Length: 1, 1\n\nx",
    b"HTTP/1.1 304 \r\nConnection: close\r\n\r\n",
)
SECTION = b"\n".join(
    (
        b":method GET",
        b":scheme http",
        b":authority h",
        b":path /",
        b"te trailers",
        b"content-length 5",
        b"host h",
    )
)
STRICT, LENIENT = b"\x80", b"\x81"

TARGETS = (
    Target(
        "h1-head",
        h1_head,
        tuple(
            rules + octets
            for octets in [*PROBES_1, request(b"GET http://h/ HTTP/1.1", b"A: 1")]
            for rules in (STRICT, LENIENT)
        ),
    ),
    Target(
        "h1-chunks",
        h1_chunks,
        tuple(
            rules + octets
            for octets in (
                b"2;x=y\r\nhe\r\n3 ; a\r\nllo\r\n0\r\nA: 1\r\nB:\r\n\r\nX",
                b'0;a="b\\"c"\n\n',
                b"fF\r\n",
            )
            for rules in (STRICT, LENIENT)
        ),
    ),
    Target("h1-audit", h1_audit, tuple(b"\0" + octets for octets in RESPONSES)),
    Target("h1-transcript", h1_transcript, tuple(b"\0" + octets for octets in RESPONSES)),
    Target("h2-shape", h2_shape, (b"\0\0\4\x08\0\0\0\0\1\0\0\0\0", b"\0\0\1\2\0\0\0\0\1\0")),
    Target(
        "h2-fields",
        h2_fields,
        (SECTION, SECTION + b"\ncookie a\\nb", b":method CONNECT\n:authority h:1", b"a 1"),
    ),
    Target("h2-raw-frame", h2_raw_frame, (b"\0\1\0\0\0\1hello", b"\x09\4\xff\xff\xff\xff")),
    Target(
        "hpack-decoder", hpack_decoder, (b"\3\x82\x84\x87\x41\x8c\xf1", b"\1\x20\x3f\xe1\x1f\x40\1a\1b\xbe")
    ),
    Target("hpack-encoder", hpack_encoder, (b"\0a\n\x40b\n\1\n\x40bbbb", b"\xff" * 9)),
    Target(
        "connection",
        connection,
        tuple(b"\1" + octets for octets in [*SAMPLES.values(), *PROBES_1, *PROBES_2] if len(octets) < 600),
    ),
    Target("careless-server", careless_server, tuple(b"\5\x20" + octets for octets in SAMPLES.values())),
    Target("client-hello", client_hello, (HELLO, HELLO[:60], PREFACE)),
)
