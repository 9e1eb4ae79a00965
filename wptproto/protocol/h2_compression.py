"""
HPACK with limits: field sections are decoded no further than we are ready to keep (RFC 7541).

hpack's tables, integers and Huffman code are used as they are. Its decoder copies what is left of a
section for each field of it, so that a long section takes time by the square of its length; and
its encoder remembers as many fields as the client asks it to.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpack import Decoder, Encoder, HPACKDecodingError, OversizedHeaderListError
from hpack.exceptions import InvalidTableSizeError
from hpack.hpack import decode_integer
from hpack.huffman_table import decode_huffman
from hpack.struct import HeaderTuple

from wptproto.limits import Limits

__all__ = ["FieldDecoder", "FieldEncoder"]

FIELD_OVERHEAD_OCTETS = 32
"""What a field counts beside its name and value (RFC 9113 §6.5.2, RFC 7541 §4.1)."""

_MAX_TABLE_OCTETS = 2**32 - 1
_INTEGER_OCTETS = 16  # more than hpack reads of one


class FieldDecoder(Decoder):
    """Decodes field sections up to the limits."""

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: Of a section, and of the table.
        """
        super().__init__(limits.field_section_octets)
        # Until it has seen our SETTINGS, a client has a table of the default size.
        self.max_allowed_table_size = max(self.header_table_size, table_octets(limits))

    def decode(self, data: bytes, raw: bool = True) -> Iterable[HeaderTuple]:
        """
        Return the fields of one section, in order.

        Args:
            data: A whole field block.
            raw: As octets, which they always are.

        Raises:
            OversizedHeaderListError: They are more than the limit, which names itself.
            HPACKError: They cannot be decoded.

        RFC 7541 §3.2, §6.
        """
        table = self.header_table
        fields: list[HeaderTuple] = []
        total = place = changes = 0
        while place < len(data):
            first = data[place]
            if first & 0x80:  # §6.1, an indexed field
                index, place = _integer(data, place, 7)
                field = HeaderTuple(*table.get_by_index(index))
            elif first & 0x60 == 0x20:  # §6.3, a change of the table's size
                changes += 1
                if fields or changes > 2:
                    # RFC 7541 §4.2: at the beginning, and two at most: the smallest, and the last.
                    raise HPACKDecodingError("Table size update not at the start of the block, or the third")
                self.header_table_size, place = self._table_size(data, place)
                continue
            else:  # §6.2, a literal field; with its name in the table, or without
                index, place = _integer(data, place, 6 if first & 0x40 else 4)
                if index:
                    name = table.get_by_index(index)[0]
                else:
                    name, place = _string(data, place)
                value, place = _string(data, place)
                field = HeaderTuple(name, value)
                if first & 0x40:
                    table.add(name, value)
            total += len(field[0]) + len(field[1]) + FIELD_OVERHEAD_OCTETS
            if total > self.max_header_list_size:
                raise OversizedHeaderListError(
                    f"past the limit field_section_octets: more than {self.max_header_list_size}"
                )
            fields.append(field)
        self._assert_valid_table_size()
        return fields

    def _table_size(self, data: bytes, place: int) -> tuple[int, int]:
        size, place = _integer(data, place, 5)
        if size > self.max_allowed_table_size:
            raise InvalidTableSizeError("Encoder exceeded max allowable table size")
        return size, place


class FieldEncoder(Encoder):
    """Encodes field sections, with a table that a client may make smaller, but not larger."""

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: Of the table.
        """
        super().__init__()
        self._max_table_octets = table_octets(limits)
        self.header_table_size = self.header_table.maxsize

    @property
    def header_table_size(self) -> int:
        """The table's size in octets: what the client allows, as far as we make use of it (RFC 7541 §4.2)."""
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        self.header_table.maxsize = min(value, self._max_table_octets)
        if self.header_table.resized:
            # RFC 7541 §4.2: the smallest and the last of several changes are signaled, "resulting in at most
            # two dynamic table size updates".
            changes = [*self.table_size_changes, self.header_table.maxsize]
            smallest = min(changes)
            self.table_size_changes = [smallest] if smallest == changes[-1] else [smallest, changes[-1]]
        self.header_table.resized = bool(self.table_size_changes)


def table_octets(limits: Limits) -> int:
    """Return the table's size as a setting can have it (RFC 9113 §6.5.2)."""
    return min(limits.h2_header_table_octets, _MAX_TABLE_OCTETS)


def _integer(data: bytes, place: int, prefix_bits: int) -> tuple[int, int]:
    """Return an integer (RFC 7541 §5.1), and where the next thing begins."""
    number = data[place] & ((1 << prefix_bits) - 1)
    if number != (1 << prefix_bits) - 1:
        return number, place + 1
    number, used = decode_integer(data[place : place + _INTEGER_OCTETS], prefix_bits)
    return number, place + used


def _string(data: bytes, place: int) -> tuple[bytes, int]:
    """Return a string (RFC 7541 §5.2), and where the next thing begins."""
    if place >= len(data):
        raise HPACKDecodingError("Truncated header block")
    is_huffman = data[place] & 0x80
    length, place = _integer(data, place, 7)
    end = place + length
    if end > len(data):
        raise HPACKDecodingError("Truncated header block")
    octets = data[place:end]
    return (decode_huffman(octets) if is_huffman else octets), end
