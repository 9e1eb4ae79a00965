"""HPACK by hand: what the hpack library reads of it, and what is read of the library."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hpack import Decoder, Encoder, NeverIndexedHeaderTuple
from hypothesis import given
from hypothesis import strategies as st

from wptproto.protocol.h2_field_blocks import (
    BlockItem,
    DecodingError,
    FieldBlockDecoder,
    FieldBlockEncoder,
    Indexing,
    Representation,
)
from wptproto.wire import Indexed, Literal, TableSize

FIELDS = [(":status", "200"), ("server", "mine"), ("x-own", ""), ("server", "mine")]
OCTETS = st.binary(max_size=40)


def read(octets: bytes, decoder: Decoder | None = None) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in (decoder or Decoder()).decode(octets, raw=True)]


def test_plain_pairs() -> None:
    """Pairs are compressed as usual: what is in a table is one octet, and the second block is short."""
    encoder, decoder = FieldBlockEncoder(), Decoder()
    first, second = encoder.encode(FIELDS), encoder.encode(FIELDS)
    expected = [(name.encode(), value.encode()) for name, value in FIELDS]
    assert read(first, decoder) == expected
    assert read(second, decoder) == expected
    assert len(second) == len(FIELDS)


@pytest.mark.parametrize(
    ("item", "octets"),
    [
        (Indexed(2), b"\x82"),
        (Indexed(200), b"\xff\x49"),
        (TableSize(0), b"\x20"),
        (TableSize(4096), b"\x3f\xe1\x1f"),
        (Literal("a", "b", "incremental", huffman=False), b"\x40\x01a\x01b"),
        (Literal("a", "b", "none", huffman=False), b"\x00\x01a\x01b"),
        (Literal("a", "b", "never", huffman=False), b"\x10\x01a\x01b"),
        (Literal("a", "b", "never", huffman=True), b"\x10\x81\x1f\x81\x8f"),
        (Literal(":path", "b", "none", huffman=False), b"\x04\x01b"),
        (Literal(":path", "b", "none", huffman=False, name_index=0), b"\x00\x05:path\x01b"),
        (Literal("ignored", 7, "none", huffman=False, name_index=99), b"\x0f\x54\x017"),
        (b"\xff\xff", b"\xff\xff"),
    ],
)
def test_each_representation(item: BlockItem, octets: bytes) -> None:
    """A representation is the octets of RFC 7541 §6, whether it makes sense or not."""
    assert FieldBlockEncoder().encode([item]) == octets


def test_what_is_no_item() -> None:
    """What is none of these is an error of its own, which shows it."""
    with pytest.raises(TypeError, match="and not 7"):
        FieldBlockEncoder().encode([7])  # type: ignore[list-item]


def test_a_smaller_table() -> None:
    """Where the reader wants a smaller table, a block says so first, unless it does so by itself."""
    encoder = FieldBlockEncoder()
    encoder.allowed_octets = 100
    assert encoder.encode([TableSize(50), Indexed(2)]) == b"\x3f\x13\x82"
    encoder.allowed_octets = 10
    assert encoder.encode([(":method", "GET")]) == b"\x2a\x82"
    assert encoder.encode([(":method", "GET")]) == b"\x82"


def test_how_a_stranger_compressed() -> None:
    """Of each field line it is known how it was compressed, and that it must never be indexed."""
    stranger = Encoder()
    stranger.header_table_size = 100
    block = stranger.encode(
        [(":method", "GET"), ("a", "b"), NeverIndexedHeaderTuple("c", "d")], huffman=False
    )
    decoder = FieldBlockDecoder()
    found = decoder.decode(block)
    expected: list[Representation] = [
        TableSize(100),
        Indexed(2),
        Literal(b"a", b"b", "incremental", False, 0),
        Literal(b"c", b"d", "never", False, 0),
    ]
    assert list(found.representations) == expected
    assert found.fields == ((b":method", b"GET"), (b"a", b"b"), (b"c", b"d"))
    assert decoder.decode(stranger.encode([("a", "b")])).representations == (Indexed(62),)


@pytest.mark.parametrize(
    ("block", "section"),
    [
        (b"\x80", "RFC 7541 §2.3.3, §5"),
        (b"\xbe", "RFC 7541 §2.3.3, §5"),
        (b"\x40\x05a", "RFC 7541 §2.3.3, §5"),
        (b"\x40", "RFC 7541 §5"),
        (b"\xff" * 20, "RFC 7541 §2.3.3, §5"),
        (b"\x00\x81\x00\x00", "RFC 7541 §2.3.3, §5"),
    ],
)
def test_what_cannot_be_decoded(block: bytes, section: str) -> None:
    """A block that is none says why, and which section."""
    with pytest.raises(DecodingError) as raised:
        FieldBlockDecoder().decode(block)
    assert raised.value.section == section


@pytest.mark.parametrize(
    ("block", "allowed", "section"),
    [
        (b"\x82\x20", 4096, "RFC 7541 §4.2"),
        (b"\x3f\xe2\x1f\x82", 4096, "RFC 7541 §6.3"),
        (b"\x82", 100, "RFC 7541 §4.2"),
    ],
)
def test_what_is_wrong_and_can_be_decoded(block: bytes, allowed: int, section: str) -> None:
    """A table of a wrong size, or changed where it must not be, is told of, and the fields are there."""
    decoder = FieldBlockDecoder()
    decoder.allowed_octets = allowed
    found = decoder.decode(block)
    assert found.fields == ((b":method", b"GET"),)
    assert [name for _, name in found.faults] == [section]


@given(
    lines=st.lists(
        st.tuples(OCTETS, OCTETS, st.sampled_from(["incremental", "none", "never"]), st.booleans()),
        max_size=8,
    )
)
def test_there_and_back(lines: Iterable[tuple[bytes, bytes, Indexing, bool]]) -> None:
    """Whatever is written by hand, both readers read as it was given."""
    items = [Literal(*line) for line in lines]
    encoder = FieldBlockEncoder()
    block = encoder.encode([*items, *((item.name, item.value) for item in items)])
    expected = [(item.name, item.value) for item in items] * 2
    assert read(block) == expected
    assert list(FieldBlockDecoder().decode(block).fields) == expected
