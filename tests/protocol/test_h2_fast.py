"""The fast core of HTTP/2: what it relies on, when it is used, and that it is. The rest is shown of both."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import logging
from collections.abc import Callable

import h2
import h2.connection
import h2.events
import h2.exceptions
import pytest
from hpack import Decoder, Encoder
from hyperframe.frame import Frame, WindowUpdateFrame

from tests.helpers.h2 import (
    ONE,
    OPENING,
    POST,
    REQUEST,
    Client,
    is_open,
    open_connection,
    respond,
    response_head,
)
from wptproto.limits import Limits
from wptproto.protocol.events import ExchangeId, ProtocolViolated, WindowOpened
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_compression import FieldDecoder
from wptproto.protocol.h2_fast import CHECKED, FastLibrary, is_checked
from wptproto.protocol.h2_fast_fields import MOST_BLOCKS, FastDecoder, FastEncoder
from wptproto.protocol.h2_library import Library
from wptproto.protocol.h2_opening import Opening, Refusal, read_opening
from wptproto.protocol.rules import Core, Rules

RELIED_ON = {
    "h2.connection": "8283e14ad0875ecd",
    "h2.frame_buffer": "37febf771e389290",
    "h2.settings": "f356a3a890f7ec16",
    "h2.stream": "a52bed21bc71d78f",
    "h2.utilities": "6250a082e4795321",
    "h2.windows": "26958d843bfec782",
    "hpack.hpack": "4ab14aab1a856cee",
    "hpack.table": "500937f5f52433fa",
    "hyperframe.frame": "6ac62192190eaf5b",
}
STATUSES = [(b":status", b"%d" % status) for status in (200, 204, 206, 304, 400, 404, 500)]
FIELDS = ((b":status", b"200"), (b"content-length", b"2"))


@pytest.fixture
def h2_core() -> Core:
    """Here the core is the fast one."""
    return Core.FAST


@pytest.mark.parametrize("name", RELIED_ON)
def test_what_it_relies_on(name: str) -> None:
    """What the fast core was made for is there unchanged; if not: see what it does now, and say so here."""
    source = inspect.getsource(importlib.import_module(name))
    assert hashlib.sha256(source.encode("utf-8")).hexdigest()[:16] == RELIED_ON[name]


def test_versions() -> None:
    """The versions that are there are checked; if not: see whether what is relied on is, and add them."""
    assert is_checked(), f"only these are: {CHECKED}"


@pytest.mark.parametrize("library", CHECKED)
def test_another_version(
    library: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With another version of a library the plain core is used, and the log says so, once."""
    monkeypatch.setattr(importlib.import_module(library), "__version__", f"9.9.{library}")
    assert [isinstance(H2Connection()._h2, FastLibrary) for _ in range(3)] == [False] * 3
    said = [(record.levelno, record.getMessage()) for record in caplog.records]
    text = f"HTTP/2 is slower than it could be, for its fast core is not made for {library} 9.9.{library}"
    assert said == [(logging.WARNING, text)]


def test_which_is_used() -> None:
    """The fast core is used by default, and the plain one where it is asked for."""
    assert isinstance(H2Connection()._h2, FastLibrary)
    assert not isinstance(H2Connection(Rules(core=Core.PLAIN))._h2, FastLibrary)


def test_no_work_for_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain requests, uploads and downloads make no frames of the library's, and no events."""
    client = Client(initial_window=2**20)
    client.open()
    client.h2.increment_flow_control_window(2**20)
    client.request(1)  # begins the connection
    respond(client)

    def used(*_: object) -> None:
        raise AssertionError("the library works")

    sent = b"".join(
        [
            b"\0\0\6\1\5\0\0\0\3\x82\x86\x84\x01\x01h",
            b"\0\0\x0b\1\x25\0\0\0\5\0\0\0\1\xff\x82\x86\x84\x01\x01h",
            b"\0\0\6\1\4\0\0\0\7\x83\x86\x84\x01\x01h",
            b"\0\0\5\0\0\0\0\0\7hello",
            b"\0\0\5\0\1\0\0\0\7world",
            b"\0\0\4\x08\0\0\0\0\7\0\0\0\1",
            b"\0\0\4\x08\0\0\0\0\0\0\0\0\1",
        ]
    )
    with monkeypatch.context() as patch:
        patch.setattr(Frame, "__init__", used)
        patch.setattr(h2.events.RequestReceived, "__init__", used)
        patch.setattr(h2.connection.H2Connection, "receive_data", used)
        events = client.connection.receive_data(sent)
        for number in (3, 5, 7):
            exchange_id = ExchangeId(number)
            client.connection.send_head(exchange_id, response_head())
            assert client.connection.send_content(exchange_id, bytes(40_000)) == 40_000
            client.connection.finish(exchange_id)
        octets = client.connection.data_to_send()
    assert [type(event).__name__ for event in events] == [
        *("RequestReceived", "RequestEnded") * 2,
        *("RequestReceived", "ContentReceived", "ContentReceived", "RequestEnded"),
        *("WindowOpened", "WindowOpened"),
    ]
    assert events[-2:] == [WindowOpened(ExchangeId(7)), WindowOpened(None)]
    assert len(octets) > 3 * 40_000
    assert client.connection._streams == {}


def test_a_head_longer_than_a_frame() -> None:
    """Its field block goes on in CONTINUATION frames (RFC 9113 §4.3)."""
    client = Client()
    client.open()
    client.request(1)
    values = [(b"a%d" % number, b"\x01\x02\x03" * 2000) for number in range(9)]
    client.connection.send_head(ONE, response_head(200, *values), end=True)
    client.flush()
    (response,) = client.take(h2.events.ResponseReceived)
    assert [line[:2] for line in response.headers[1:]] == values
    assert response.stream_ended is not None


def test_windows_are_counted_before_they_open() -> None:
    """The WINDOW_UPDATE frame that is one too many opens nothing any more."""
    client = Client(open_connection(Limits(h2_window_updates_per_s=1)))
    client.raw(b"\0\0\6\1\5\0\0\0\1\x82\x86\x84\x01\x01h", *[WindowUpdateFrame(0, 1)] * 10)
    before = client.connection.window_state()
    client.raw(WindowUpdateFrame(0, 1))
    assert not is_open(client.connection)
    assert client.connection.window_state() == before


def test_a_stream_that_depends_on_itself() -> None:
    """It is left to h2 to say what is wrong with it."""
    client = Client(open_connection())
    client.raw(b"\0\0\6\1\5\0\0\0\1\x82\x86\x84\x01\x01h")
    (event,) = client.raw(b"\0\0\x0b\1\x25\0\0\0\3\0\0\0\3\xff\x82\x86\x84\x01\x01h")[-1:]
    assert isinstance(event, ProtocolViolated)
    assert event.error.reason == "Stream 3 may not depend on itself"


CALLS: list[Callable[[Library], object]] = [
    lambda library: library.send_head(1, FIELDS, end=False),
    lambda library: library.send_content(1, b"x", end=False),
    lambda library: library.end_stream(1),
    lambda library: library.local_flow_control_window(1),
    lambda library: library.open_outbound_streams,
    lambda library: library.open_inbound_streams,
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("made", [False, True])
def test_streams_that_there_are_not(call: Callable[[Library], object], made: bool) -> None:
    """What is asked of a stream that never was, or is closed, is h2's to answer."""
    found: list[object] = []
    for library in (FastLibrary(Limits()), Library(Limits())):
        library.initiate_connection()
        library.receive_data(OPENING)
        if made:
            library.receive_data(b"\0\0\6\1\5\0\0\0\1\x82\x86\x84\x01\x01h")
            library.reset_stream(1)
        try:
            found.append((call(library), list(library.streams), dict(library._closed_streams)))
        except (h2.exceptions.ProtocolError, KeyError) as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]


def read(decoder: FastDecoder, block: bytes) -> bool:
    """Read a block, and say whether it is known from now on."""
    opening = decoder.opening(block)
    assert isinstance(opening, Opening)
    known = decoder._known.get(block)
    assert known is None or decoder.opening(block) is known == opening
    return known is not None


def test_what_a_decoder_knows() -> None:
    """A block that leaves the table alone is known until another changes it; what is long is not."""
    encoder, decoder = Encoder(), FastDecoder(Limits())
    assert not read(decoder, encoder.encode(REQUEST))
    block = encoder.encode(REQUEST)
    assert read(decoder, block)
    assert not read(decoder, encoder.encode([*REQUEST, (b"a", b"b")]))
    assert block not in decoder._known
    assert read(decoder, encoder.encode(POST))
    assert not read(decoder, encoder.encode([*POST, (b"a", b"\xff" * 2000, True)]))
    assert not read(decoder, encoder.encode([*POST, *[(b"a", b"b")] * 60]))
    for number in range(MOST_BLOCKS + 1):
        assert read(decoder, encoder.encode([*POST, (b"a", b"%d" % number, True)]))
    assert 0 < len(decoder._known) < MOST_BLOCKS
    decoder.header_table_size = 0
    assert not decoder._known


PATHS = [
    *(
        b"/",
        b"/b",
        b"/%C3%A9?x=1&y=2",
        b"/" + b"a" * 120,
        b'/"<>',
        b"/a b",
        b"/a\0",
        b"/\xc3",
        b"/#",
        b"",
        b"a",
        b"*",
    ),
    *(b"http://h/b", b"//"),
]


@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"CONNECT"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("huffman", [False, True])
def test_a_new_path(method: bytes, path: bytes, huffman: bool) -> None:
    """A request that differs from a known one by its path is what it would be by itself."""
    others: list[tuple[bytes, bytes] | tuple[bytes, bytes, bool]] = [
        (b":scheme", b"https"),
        (b":authority", b"h", True),
        (b"accept", b"*/*", True),
    ]
    encoder, fast, decoder = Encoder(), FastDecoder(Limits()), FieldDecoder(Limits())
    for known in (b"/known", b"/known?also=1"):
        lines = iter([(b":method", b"GET"), (b":path", known, True), *others])
        fast.opening(encoder.encode(lines, huffman=huffman))
    lines = iter([(b":method", method, True), (b":path", path, True), *others])
    block = encoder.encode(lines, huffman=huffman)
    expected = read_opening(list(decoder.decode(block)), Limits())
    for found in (fast.opening(block), fast.opening(block)):
        if isinstance(expected, Opening):
            assert found == expected
        else:
            assert isinstance(found, Refusal)
            assert (found.method, found.error.reason) == (expected.method, expected.error.reason)


@pytest.mark.parametrize(
    "path", [b"", b"\x04", b"\x04\x03/b", b"\x04\x82\xff\xff", b"\x04\x7f\x00", b"\x04\x82\x60"]
)
def test_a_path_that_is_none(path: bytes) -> None:
    """A block that cannot be decoded is an error as ever, though all but the path is known."""
    decoder = FastDecoder(Limits())
    assert read(decoder, b"\x82\x87\x04\x02/a\x01\x01h")
    assert read(decoder, b"\x82\x87\x04\x02/a\x01\x01h"[:-3] + b"\x01\x01h")
    with pytest.raises(h2.exceptions.ProtocolError) as found:
        decoder.opening(b"\x82\x87" + path + b"\x01\x01h"[: 3 if path else 1])
    with pytest.raises(h2.exceptions.ProtocolError) as expected:
        h2.connection._decode_headers(
            FieldDecoder(Limits()), b"\x82\x87" + path + b"\x01\x01h"[: 3 if path else 1]
        )
    assert str(found.value) == str(expected.value)


def test_a_section_that_a_path_makes_too_large() -> None:
    """What is known but for the path is not so large that a path could make it too large."""
    limits = Limits(field_section_octets=200)
    decoder = FastDecoder(limits)
    assert read(decoder, b"\x82\x87\x04\x02/a\x01\x01h")
    assert not decoder._but_for_path
    with pytest.raises(h2.exceptions.DenialOfServiceError, match="field_section_octets"):
        decoder.opening(b"\x82\x87\x04\x7e/" + b"a" * 125 + b"\x01\x01h")


def test_what_an_encoder_knows() -> None:
    """Blocks are what hpack makes of the same lines, whether they are known or not."""
    encoder, other, decoder = FastEncoder(Limits()), Encoder(), Decoder()
    for lines in (FIELDS, FIELDS, (*FIELDS, (b"a", b"b")), FIELDS, FIELDS[:1] * 70, FIELDS[:1]):
        block = encoder.encode_lines(lines)
        assert block == other.encode(lines)
        assert decoder.decode(block, raw=True) == list(lines)
    for size in (0, 4096):
        encoder.header_table_size = other.header_table_size = size
    for lines in (FIELDS[:1], FIELDS[:1], FIELDS):
        assert encoder.encode_lines(lines) == other.encode(lines)
    encoder.header_table_size = other.header_table_size = 100
    for number in (0, 1, 2, 3, 2, 1, 1, 3):
        lines = ((b":status", b"200"), (b"a", b"%d" % number), (b"b%d" % number, b"c" * 40 * (number % 3)))
        assert encoder.encode_lines(lines) == other.encode(lines)
    for first in STATUSES:
        for second in STATUSES:
            encoder.encode_lines((first, second))
    assert 0 < len(encoder._known) <= MOST_BLOCKS < len(STATUSES) ** 2
