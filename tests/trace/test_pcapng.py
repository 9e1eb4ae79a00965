"""pcapng, read back octet by octet; what Wireshark makes of it is in test_pcapng_wireshark.py."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.trace.making import BEGAN_S, Wire
from wptproto import ConfigError
from wptproto.trace.events import (
    EndOfInput,
    FaultHappened,
    HandlerBegun,
    HandlerEnded,
    TlsAgreed,
    TlsFailed,
    Violated,
)
from wptproto.trace.pcapng import PcapngWriter

HEADER, INTERFACE, PACKET, SECRETS = 0x0A0D0D0A, 1, 6, 10
SYN, FIN, RST = 2, 1, 4


class Read(NamedTuple):
    """A packet, as it is in the file."""

    at_s: float
    is_outbound: bool
    comments: list[str]
    ip: bytes
    flags: int
    number: int
    acknowledged: int
    content: bytes


def blocks(octets: bytes) -> list[tuple[int, bytes]]:
    """Return the blocks of a file, each of which has its length at both ends, in whole words."""
    found = []
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0
        assert octets[length - 4 : length] == octets[4:8]
        found.append((kind, octets[8 : length - 4]))
        octets = octets[length:]
    return found


def options(octets: bytes) -> list[tuple[int, bytes]]:
    """Return the options of a block, which end with an empty one."""
    found: list[tuple[int, bytes]] = []
    while True:
        code, length = struct.unpack_from("<HH", octets)
        if code == 0:
            assert octets == bytes(4)
            return found
        found.append((code, octets[4 : 4 + length]))
        octets = octets[4 + length + -length % 4 :]


def packets(octets: bytes) -> list[Read]:
    """Return the packets of a file."""
    found = []
    for kind, content in blocks(octets):
        if kind != PACKET:
            continue
        interface, high, low, length, original = struct.unpack_from("<IIIII", content)
        assert interface == 0
        assert length == original
        said = options(content[20 + length + -length % 4 :])
        packet = content[20 : 20 + length]
        start = 20 if packet[0] == 0x45 else 40
        number, acknowledged, offset, flags = struct.unpack_from("!IIBB", packet, start + 4)
        found.append(
            Read(
                ((high << 32) + low) / 1e9,
                dict(said)[2] == b"\x02\0\0\0",
                [value.decode() for code, value in said if code == 1],
                packet[:start],
                flags,
                number,
                acknowledged,
                packet[start + (offset >> 4) * 4 :],
            )
        )
    return found


@pytest.fixture
def file() -> io.BytesIO:
    return io.BytesIO()


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    """It begins with a section of version 1.0, and an interface of raw IP with nanoseconds."""
    path = tmp_path / "trace.pcapng"
    PcapngWriter(str(path)).close()
    (first, header), (second, interface) = blocks(path.read_bytes())
    assert (first, second) == (HEADER, INTERFACE)
    assert struct.unpack_from("<IHHq", header) == (0x1A2B3C4D, 1, 0, -1)
    assert options(header[16:])[0][1].startswith(b"wptproto ")
    assert struct.unpack_from("<HHI", interface) == (101, 0, 0)
    assert dict(options(interface[8:])) == {2: b"wptproto", 9: b"\x09"}


def test_a_file_that_cannot_be(tmp_path: Path) -> None:
    """A path that cannot be written is said at once."""
    with pytest.raises(ConfigError, match=r"nowhere/trace\.pcapng cannot be written: No such file"):
        PcapngWriter(tmp_path / "nowhere" / "trace.pcapng")


def test_packets(file: io.BytesIO) -> None:
    """A connection is a handshake, octets with their numbers, each acknowledged, and an end of both sides."""
    write = PcapngWriter(file)
    wire = Wire(write)
    wire.received(b"ping")
    wire.sent(b"pong!")
    wire.closed()
    found = packets(file.getvalue())
    start = found[0].number
    assert [
        (one.is_outbound, one.flags, one.number - start, one.acknowledged and one.acknowledged - start)
        for one in found
    ] == [
        (False, 0x02, 0, 0),
        (True, 0x12, 0, 1),
        (False, 0x10, 1, 1),
        (False, 0x18, 1, 1),
        (True, 0x10, 1, 5),
        (True, 0x18, 1, 5),
        (False, 0x10, 5, 6),
        (True, 0x11, 6, 5),
        (False, 0x10, 5, 7),
        (False, 0x11, 5, 7),
        (True, 0x10, 7, 6),
    ]
    assert b"".join(one.content for one in found) == b"pingpong!"
    assert [round(one.at_s - BEGAN_S, 6) for one in found] == [0.0] * 3 + [0.001] * 2 + [0.002] * 2 + [
        0.003
    ] * 4


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_octets_that_no_packet_holds(file: io.BytesIO, host: str) -> None:
    """Long octets are several packets, each of which says its length."""
    wire = Wire(PcapngWriter(file), client=(host, 1), server=(host, 2))
    wire.sent(b"a" * 150_000)
    found = [one for one in packets(file.getvalue()) if one.content]
    assert [len(one.content) for one in found] == [65_000, 65_000, 20_000]
    at, more = (2, 40) if host == "127.0.0.1" else (4, 20)
    assert [struct.unpack_from("!H", one.ip, at)[0] for one in found] == [
        len(one.content) + more for one in found
    ]


def test_the_end_of_input(file: io.BytesIO) -> None:
    """In the clear it is FIN, behind which nothing comes; the server goes on until it closes."""
    wire = Wire(PcapngWriter(file))
    wire(EndOfInput)
    wire.received(b"too late")
    wire.sent(b"bye")
    wire.closed()
    found = packets(file.getvalue())[3:]
    assert [one.is_outbound for one in found if one.flags & FIN] == [False, True]
    assert b"".join(one.content for one in found) == b"bye"


def test_close_notify_is_no_fin(file: io.BytesIO) -> None:
    """Over TLS octets may follow what ended the input, for that was said within."""
    wire = Wire(PcapngWriter(file), is_tls=True)
    wire(EndOfInput)
    wire.received(b"more")
    wire.closed()
    found = packets(file.getvalue())[3:]
    assert [one.content for one in found if one.content or one.flags & FIN] == [b"more", b"", b""]


def test_reset(file: io.BytesIO) -> None:
    """Nothing comes behind a reset."""
    wire = Wire(PcapngWriter(file))
    wire.closed("broken off: [Errno 104] Connection reset by peer")
    wire.sent(b"nobody")
    last = packets(file.getvalue())[-1]
    assert last.flags & RST
    assert not last.is_outbound


def test_comments(file: io.BytesIO) -> None:
    """What does not show in packets stands on the next one."""
    wire = Wire(PcapngWriter(file))
    wire(FaultHappened, 1, "truncate() at response content")
    wire(Violated, None, "it is late")
    wire(TlsFailed, "no")
    wire(HandlerBegun, 1)
    wire(HandlerEnded, 1, 0.1, None)
    wire(HandlerEnded, 2, 0.1, "ValueError: x" + "y" * 70_000)
    wire.sent(b"x")
    wire.closed()
    first, *others = (one.comments for one in packets(file.getvalue())[3:])
    assert first[:3] == [
        "on purpose: truncate() at response content",
        "the client's violation: it is late",
        "TLS failed: no",
    ]
    assert first[3].startswith("the handler of exchange 2 raised ValueError: x")
    assert not any(others)


def test_secrets_come_before_what_they_open(file: io.BytesIO) -> None:
    """What the client sends in the handshake waits for the keys that it makes; behind that nothing waits."""
    lines = [b"", b"CLIENT_RANDOM 1 2\n", b"CLIENT_RANDOM 3 4\n", b"", b""]
    wire = Wire(PcapngWriter(file, lambda: lines.pop(0)), is_tls=True)
    wire.received(b"hello")
    wire.sent(b"hello, too")
    wire.received(b"keys")
    wire(TlsAgreed, "TLSv1.2", "ECDHE", None, None, None)
    wire.received(b"request")
    found = [(kind, content) for kind, content in blocks(file.getvalue()) if kind == SECRETS]
    assert [content for _, content in found] == [
        b"KSLT\x12\0\0\0CLIENT_RANDOM 1 2\n\0\0",
        b"KSLT\x12\0\0\0CLIENT_RANDOM 3 4\n\0\0",
    ]
    order = [
        content[8:25] if kind == SECRETS else packets(_block(kind, content))[0].content
        for kind, content in blocks(file.getvalue())
        if kind in (PACKET, SECRETS)
    ]
    assert [one for one in order if one] == [
        b"CLIENT_RANDOM 1 2",
        b"hello",
        b"hello, too",
        b"CLIENT_RANDOM 3 4",
        b"keys",
        b"request",
    ]


def test_flush(tmp_path: Path) -> None:
    """What waits for keys is in the file when it is flushed; behind its end that is nothing."""
    path = tmp_path / "trace.pcapng"
    write = PcapngWriter(path)
    wire = Wire(write, is_tls=True)
    wire.received(b"hello")
    assert len(packets(path.read_bytes())) == 3
    write.flush()
    assert len(packets(path.read_bytes())) == 5
    write.close()
    write.close()


def test_a_connection_from_before(file: io.BytesIO) -> None:
    """What was not there from its beginning is not there at all."""
    write = PcapngWriter(file)
    Wire(lambda event: None if "Opened" in type(event).__name__ else write(event)).sent(b"x")
    assert packets(file.getvalue()) == []


def _block(kind: int, content: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", kind) + length + content + length
