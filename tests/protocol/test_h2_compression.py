"""HPACK, with its limits."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Decoder, Encoder, HPACKError, OversizedHeaderListError
from hyperframe.frame import SettingsFrame
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.helpers.h2 import OPENING, REQUEST, frames_of, headers, open_connection
from wptproto.limits import Limits
from wptproto.protocol.events import ProtocolViolated, RequestReceived
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_compression import FieldDecoder, FieldEncoder
from wptproto.protocol.rules import Rules

octets = st.binary(max_size=300)
sections = st.lists(st.lists(st.tuples(st.sampled_from([b":path", b"cookie", b"x", b"y"]) | octets, octets)))


@given(sections, st.booleans(), st.lists(st.integers(0, 4096)))
def test_what_was_encoded(sections: list[list[tuple[bytes, bytes]]], huffman: bool, sizes: list[int]) -> None:
    """Fields are what they were, however they were written, and through changes of the table's size."""
    encoder, decoder = Encoder(), FieldDecoder(Limits())
    for number, section in enumerate(sections):
        for size in sizes[number : number + 1]:
            encoder.header_table_size = size
        assert list(decoder.decode(encoder.encode(section, huffman=huffman))) == section


@given(st.binary(max_size=60))
def test_any_octets(data: bytes) -> None:
    """What hpack can decode, this does, and what it cannot is an error here, too."""
    try:
        expected = list(Decoder().decode(data, raw=True))
    except HPACKError:
        with pytest.raises(HPACKError):
            FieldDecoder(Limits()).decode(data)
    else:
        assume(not b" " <= data[:1] <= b"?")  # a third change of the table's size is refused
        assert list(FieldDecoder(Limits()).decode(data)) == expected


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x80", id="index-0"),
        pytest.param(b"\xbe", id="index-of-nothing"),
        pytest.param(b"\xff" + b"\xff" * 300_000, id="endless-integer"),
        pytest.param(b"\x40\x05abc", id="short-name"),
        pytest.param(b"\x40", id="no-name"),
        pytest.param(b"\x41", id="no-value"),
        pytest.param(b"\x41\x7f\xff\xff\xff\x7f", id="length-of-gigabytes"),
        pytest.param(b"\x82\x20", id="size-behind-a-field"),
        pytest.param(b"\x20\x20\x20", id="size-three-times"),
        pytest.param(b"\x3f\xe2\x1f", id="size-too-large"),
    ],
)
def test_what_cannot_be_decoded(block: bytes) -> None:
    """A section that is no HPACK is an error, found at once."""
    with pytest.raises(HPACKError):
        FieldDecoder(Limits()).decode(block)


def test_a_bomb() -> None:
    """Decoding stops where the fields, with 32 octets for each, are past the limit (RFC 9113 §10.5.1)."""
    decoder = FieldDecoder(Limits(field_section_octets=1000))
    small = Encoder().encode([(b"a", b"")])
    assert len(list(decoder.decode(small + b"\xbe" * 29))) == 30  # 990 octets
    with pytest.raises(OversizedHeaderListError, match="past the limit field_section_octets: more than 1000"):
        decoder.decode(b"\xbe" * 31)


def test_the_clients_table() -> None:
    """A client is told how large its table may be, and held to it once it has acknowledged that."""
    connection = H2Connection(Rules(Limits(h2_header_table_octets=100)))
    settings = frames_of(connection.data_to_send())[0]
    assert isinstance(settings, SettingsFrame)
    assert settings.settings[SettingCodes.HEADER_TABLE_SIZE] == 100
    encoder = Encoder()
    connection.receive_data(OPENING)
    (received, _) = connection.receive_data(headers(1, encoder=encoder).serialize())
    assert isinstance(received, RequestReceived)
    connection.receive_data(SettingsFrame(0, flags=["ACK"]).serialize())
    *_, violation = connection.receive_data(headers(3, encoder=encoder).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.error_code == ErrorCodes.COMPRESSION_ERROR


def test_a_larger_table() -> None:
    """It may be larger than usual, also without limits."""
    for limits in (Limits(h2_header_table_octets=8192), Limits.none()):
        connection = open_connection(limits)
        encoder = Encoder()
        encoder.header_table_size = 8192
        (received, _) = connection.receive_data(headers(1, REQUEST, encoder=encoder).serialize())
        assert isinstance(received, RequestReceived)


@pytest.mark.parametrize(
    ("ours", "theirs", "changes"),
    [
        (4096, [2**32 - 1], []),
        (8192, [2**32 - 1], [8192]),
        (4096, [100], [100]),
        (4096, [100, 0, 200], [0, 200]),
        (4096, [0, 4096], [0, 4096]),
        (4096, [300, 200, 100], [100]),
        (100, [], [100]),
        (100, [4096], [100]),
    ],
)
def test_our_own_table(ours: int, theirs: list[int], changes: list[int]) -> None:
    """
    Ours is not as large as a client would have it, and of several changes the smallest and the last are told:
    "resulting in at most two dynamic table size updates" (RFC 7541 §4.2).
    """
    encoder = FieldEncoder(Limits(h2_header_table_octets=ours))
    for size in theirs:
        encoder.header_table_size = size
    assert encoder.table_size_changes == changes
    decoder = Decoder()
    decoder.max_allowed_table_size = max(theirs, default=4096)
    assert list(decoder.decode(encoder.encode([(b"a", b"b")]), raw=True)) == [(b"a", b"b")]
    assert decoder.header_table_size == (changes[-1] if changes else 4096)
