"""
HPACK by hand: field blocks of the representations that a test chooses, and what those of a client were.

The tables, the integers and the Huffman code are the ``hpack`` library's. What it decides by itself is
decided here by whoever writes the block: each field line can be a plain pair, and is then compressed as
usual; or an :class:`Indexed`, a :class:`Literal`, a :class:`TableSize`; or octets, which go into the block
as they are. Nothing is checked: an index that there is not, a size that is not allowed, can be sent.

RFC 7541 §5, §6.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hpack.exceptions import HPACKDecodingError, HPACKError
from hpack.hpack import decode_integer, encode_integer
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from wptproto.semantics.fields import FieldLine, Value, to_octets

__all__ = [
    "BlockItem",
    "DecodedBlock",
    "DecodingError",
    "FieldBlockDecoder",
    "FieldBlockEncoder",
    "Indexed",
    "Indexing",
    "Literal",
    "Representation",
    "TableSize",
]

DEFAULT_TABLE_OCTETS = 4096
Indexing = typing.Literal["incremental", "none", "never"]
_PREFIXES: dict[Indexing, tuple[int, int]] = {"incremental": (0x40, 6), "none": (0x00, 4), "never": (0x10, 4)}
"""The first bits of a literal, and how many bits of the first octet are left for an index (RFC 7541 §6.2)."""

_HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
_INTEGER_OCTETS = 16  # more than any that fits into what we count with


class Indexed(NamedTuple):
    """
    A field line that is in a table: 1 to 61 in the static one, from 62 on the latest first (RFC 7541
    §6.1).
    """

    entry: int


class Literal(NamedTuple):
    """
    A field line that is written out (RFC 7541 §6.2).

    Attributes:
        name: Octets, or text of them.
        value: The same.
        indexing: ``incremental`` adds it to the table, ``none`` does not, ``never`` forbids it to others,
            too.
        huffman: Whether name and value are in Huffman code.
        name_index: Where in a table its name is; 0 writes it out; None looks it up, and writes it out where
            it is in none. A name that is given beside an index is what the table is told.
    """

    name: Value
    value: Value
    indexing: Indexing = "incremental"
    huffman: bool = True
    name_index: int | None = None


class TableSize(NamedTuple):
    """A change of the size of the dynamic table (RFC 7541 §6.3)."""

    octets: int


Representation = Indexed | Literal | TableSize
BlockItem = tuple[Value, Value] | Indexed | Literal | TableSize | bytes


class DecodedBlock(NamedTuple):
    """
    What a field block was.

    Attributes:
        fields: Its field lines, in order.
        representations: How each of them was compressed, size updates among them.
        faults: What is wrong with it, though it can be decoded: a sentence each, and the section.
    """

    fields: tuple[FieldLine, ...]
    representations: tuple[Representation, ...]
    faults: tuple[tuple[str, str], ...] = ()


class DecodingError(Exception):
    """
    A field block cannot be decoded, nor can any behind it.

    Attributes:
        reason: Why not, in a sentence.
        section: Which section says so.
    """

    def __init__(self, reason: str, section: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.section = section


class FieldBlockEncoder:
    """
    Makes field blocks, and remembers what its reader's table has in it.

    Attributes:
        allowed_octets: The most that the reader allows the table to be. A block that begins with a plain
            field line says so first, where the table had to become smaller (RFC 7541 §4.2).
        huffman: Whether plain field lines are in Huffman code.
    """

    def __init__(self) -> None:
        self._table = HeaderTable()
        self.allowed_octets = DEFAULT_TABLE_OCTETS
        self.huffman = True

    def encode(self, items: Iterable[BlockItem]) -> bytes:
        """
        Return a field block.

        Args:
            items: Field lines, representations, octets, in any order.

        Raises:
            TypeError: An item is none of these.
        """
        items = list(items)
        block = bytearray()
        if self.allowed_octets < self._table.maxsize and not (
            items and isinstance(items[0], TableSize | bytes)
        ):
            block += self._one(TableSize(self.allowed_octets))
        for item in items:
            block += self._one(item)
        return bytes(block)

    def _one(self, item: BlockItem) -> bytes:
        match item:
            case bytes():
                return item
            case Indexed(index):
                return _integer(index, 0x80, 7)
            case TableSize(octets):
                self._table.maxsize = octets
                return _integer(octets, 0x20, 5)
            case Literal():
                return self._literal(item)
            case (name, value):
                return self._usual(to_octets(name), to_octets(value))
            case _:
                raise TypeError(f"a field block has pairs, representations and octets, and not {item!r}")

    def _usual(self, name: bytes, value: bytes) -> bytes:
        found = self._table.search(name, value)
        if found is not None and found[2] is not None:
            return self._one(Indexed(found[0]))
        return self._literal(Literal(name, value, "incremental", self.huffman, found[0] if found else 0))

    def _literal(self, item: Literal) -> bytes:
        name, value = to_octets(item.name), to_octets(item.value)
        index = item.name_index
        if index is None:
            found = self._table.search(name, value)
            index = found[0] if found is not None else 0
        first, bits = _PREFIXES[item.indexing]
        written_out = b"" if index else _string(name, huffman=item.huffman)
        if item.indexing == "incremental":
            self._table.add(name, value)
        return _integer(index, first, bits) + written_out + _string(value, huffman=item.huffman)


class FieldBlockDecoder:
    """
    Reads field blocks, and remembers what its writer's table has in it.

    Attributes:
        allowed_octets: The most that the table may be, as the writer knows.
    """

    def __init__(self) -> None:
        self._table = HeaderTable()
        self.allowed_octets = DEFAULT_TABLE_OCTETS

    def decode(self, block: bytes) -> DecodedBlock:
        """
        Return what a whole field block was.

        Raises:
            DecodingError: It is none; nothing behind it can be decoded either.
        """
        fields: list[FieldLine] = []
        representations: list[Representation] = []
        faults: list[tuple[str, str]] = []
        place = 0
        try:
            while place < len(block):
                if block[place] & 0xE0 == 0x20:
                    octets, place = _read_integer(block, place, 5)
                    representations.append(TableSize(octets))
                    faults += self._resize(octets, begins=not fields)
                    continue
                if self._table.maxsize > self.allowed_octets and not faults:
                    reason = f"a table that had to become {self.allowed_octets} octets at most is not said to"
                    faults.append((reason, "RFC 7541 §4.2"))
                found, line, place = self._next(block, place)
                representations.append(found)
                fields.append(line)
        except IndexError:
            raise DecodingError("the field block ends too soon", "RFC 7541 §5") from None
        except HPACKError as error:
            raise DecodingError(str(error) or type(error).__name__, "RFC 7541 §2.3.3, §5") from error
        return DecodedBlock(tuple(fields), tuple(representations), tuple(faults))

    def _resize(self, octets: int, *, begins: bool) -> Iterator[tuple[str, str]]:
        """Change the table's size, and yield what is wrong with that."""
        if not begins:
            yield "a change of the table's size behind a field line", "RFC 7541 §4.2"
        if octets > self.allowed_octets:
            yield f"a table of {octets} octets, where {self.allowed_octets} are allowed", "RFC 7541 §6.3"
        self._table.maxsize = octets

    def _next(self, block: bytes, place: int) -> tuple[Representation, FieldLine, int]:
        """Return a representation, the field line that it stands for, and where the next one begins."""
        first = block[place]
        if first & 0x80:
            index, place = _read_integer(block, place, 7)
            return Indexed(index), self._line(index), place
        indexing: Indexing = "incremental" if first & 0x40 else "never" if first & 0x10 else "none"
        index, place = _read_integer(block, place, _PREFIXES[indexing][1])
        huffman_name = False
        if index:
            name = self._line(index)[0]
        else:
            name, huffman_name, place = _read_string(block, place)
        value, huffman, place = _read_string(block, place)
        if indexing == "incremental":
            self._table.add(name, value)
        return Literal(name, value, indexing, huffman or huffman_name, index), (name, value), place

    def _line(self, index: int) -> FieldLine:
        name, value = self._table.get_by_index(index)
        return bytes(name), bytes(value)


def _integer(number: int, first: int, bits: int) -> bytes:
    """Return an integer behind the first bits of an octet (RFC 7541 §5.1)."""
    octets = encode_integer(number, bits)
    octets[0] |= first
    return bytes(octets)


def _string(octets: bytes, *, huffman: bool) -> bytes:
    """Return a string (RFC 7541 §5.2)."""
    if huffman:
        octets = _HUFFMAN.encode(octets)
    return _integer(len(octets), 0x80 if huffman else 0x00, 7) + octets


def _read_integer(block: bytes, place: int, bits: int) -> tuple[int, int]:
    number, used = decode_integer(block[place : place + _INTEGER_OCTETS], bits)
    return number, place + used


def _read_string(block: bytes, place: int) -> tuple[bytes, bool, int]:
    huffman = bool(block[place] & 0x80)
    length, place = _read_integer(block, place, 7)
    end = place + length
    if end > len(block):
        raise HPACKDecodingError("a string that is longer than the block")
    octets = block[place:end]
    return (decode_huffman(octets) if huffman else octets), huffman, end
