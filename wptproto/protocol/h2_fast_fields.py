"""
Field blocks that were seen before: read and written by looking them up, whole (RFC 7541).

What a block stands for depends on its octets and on the dynamic table, and a block that refers to the table
without changing it leaves everything as it was. So such a block is known, until the table changes, by its
octets; and what was written likewise, by its lines. Most requests of a client, and most of a server's
responses, are of this kind, once their fields are in the table. Of many requests nothing is new but the path,
which most clients put into no table: then all that is around it is known.

Whatever changes the table, or its size, passes through :class:`WatchedTable`, which then forgets. A
change of its size that has yet to be written (RFC 7541 §4.2) went through it, too, and stands in no block
that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import h2.connection
from hpack import HPACKError
from hpack.hpack import INDEX_INCREMENTAL
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from wptproto.limits import Limits
from wptproto.protocol.h2_compression import FIELD_OVERHEAD_OCTETS, FieldDecoder, FieldEncoder
from wptproto.protocol.h2_fields import ResponseSection, response_section
from wptproto.protocol.h2_opening import Opening, Refusal, read_opening, with_path
from wptproto.semantics.fields import FieldLine
from wptproto.semantics.message import ResponseHead

__all__ = ["FastDecoder", "FastEncoder", "KnownSections"]

K = TypeVar("K")
V = TypeVar("V")

# So much is kept for one connection; what is longer, or more, is rare, and read as ever.
MOST_BLOCKS = 32
MOST_OCTETS = 1024
MOST_LINES = 50

_PATH_LITERALS = (0x04, 0x05, 0x14, 0x15)  # RFC 7541 §6.2.2, §6.2.3, with the name of entry 4 or 5

_INDEXED = [b"%c" % (0x80 | index) for index in range(0x7F)]  # RFC 7541 §6.1, those of one octet
_STATIC_NAMES = {name: first for name, (first, _) in HeaderTable.STATIC_TABLE_MAPPING.items()}
_STATIC_LINES = {
    (name, value): index
    for name, (_, values) in HeaderTable.STATIC_TABLE_MAPPING.items()
    for value, index in values.items()
}


class WatchedTable(HeaderTable):
    """
    A table on which what is known of blocks depends.

    Attributes:
        changes: How often it has changed.
    """

    def __init__(self, forget: Callable[[], None]) -> None:
        """
        Args:
            forget: To be called when the table changes.
        """
        super().__init__()
        self._forget = forget
        self.changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self._change()
        super().add(name, value)

    @property
    def maxsize(self) -> int:
        return self._maxsize

    @maxsize.setter
    def maxsize(self, newmax: int) -> None:
        HeaderTable.maxsize.__set__(self, newmax)  # type: ignore[attr-defined]
        self._change()

    def _change(self) -> None:
        self.changes += 1
        self._forget()


class FastDecoder(FieldDecoder):
    """A decoder that knows what requests began with."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._limits = limits
        self._known: dict[bytes, Opening] = {}
        self._but_for_path: dict[tuple[bytes, bytes], Opening] = {}  # by what is around the path
        self._table = self.header_table = WatchedTable(self.forget)

    def forget(self) -> None:
        """Know nothing any more, for the table has changed, or what may be in it, or in a section."""
        self._known.clear()
        self._but_for_path.clear()

    def opening(self, block: bytes) -> Opening | Refusal:
        """
        Return what a request begins with.

        Args:
            block: Its whole field block.

        Raises:
            h2.exceptions.ProtocolError: It cannot be decoded; as h2 says it.
        """
        found = self._known.get(block)
        if found is not None:
            return found
        found = self._by_path(block)
        if found is not None:
            _keep(self._known, block, found)
            return found
        changes = self._table.changes
        lines = list(h2.connection._decode_headers(self, block))
        opening = read_opening(lines, self._limits)
        if (
            isinstance(opening, Opening)
            and changes == self._table.changes
            and len(block) <= MOST_OCTETS
            and len(lines) <= MOST_LINES
        ):
            _keep(self._known, block, opening)
            if (place := _path_place(block)) and _octets(
                lines
            ) <= self.max_header_list_size - 2 * MOST_OCTETS:
                _keep(self._but_for_path, (block[: place[0]], block[place[1] :]), opening)
        return opening

    def _by_path(self, block: bytes) -> Opening | None:
        """Return what a request begins with of which only the path is new."""
        place = _path_place(block) if len(block) <= MOST_OCTETS else None
        if place is None:
            return None
        start, end = place
        found = self._but_for_path.get((block[:start], block[end:]))
        if found is None:
            return None
        path = block[start + 2 : end]
        if block[start + 1] & 0x80:
            try:
                path = decode_huffman(path)
            except HPACKError:
                return None  # to be found out again
        return with_path(found, path)


def _path_place(block: bytes) -> tuple[int, int] | None:
    """
    Return from where to where a block has the path, if it is a literal that goes into no table.

    So clients send it that expect no other request for the same. In front of it only fields of one octet are
    looked over, and its length has to be one octet, too (RFC 7541 §6.1, §6.2.2, §6.2.3).
    """
    place = next((at for at, first in enumerate(block[:4]) if not 0x80 < first < 0xFF), None)
    if place is None or block[place] not in _PATH_LITERALS:
        return None
    length = block[place + 1 : place + 2]
    size = length[0] & 0x7F if length else 0x7F
    end = place + 2 + size
    return (place, end) if size < 0x7F and end <= len(block) else None


def _octets(lines: Sequence[FieldLine]) -> int:
    """Return the size of a section (RFC 9113 §6.5.2)."""
    return sum(map(len, chain.from_iterable(lines))) + len(lines) * FIELD_OVERHEAD_OCTETS


class _IndexedTable(WatchedTable):
    """A watched table that finds its entries without going through them."""

    def __init__(self, forget: Callable[[], None]) -> None:
        super().__init__(forget)
        self._count = 0
        self._places: dict[FieldLine, int] = {}  # counted from the first entry that there ever was
        self._newest: dict[bytes, int] = {}  # by name

    def add(self, name: bytes, value: bytes) -> None:
        super().add(name, value)
        if self.dynamic_entries:  # if not, the entry was too large to be one
            self._count += 1
            self._places[name, value] = self._newest[name] = self._count
        self._let_go()

    def _change(self) -> None:
        super()._change()
        self._let_go()

    def _let_go(self) -> None:
        """Forget what the table has let go of: the oldest."""
        while len(self._places) > len(self.dynamic_entries):
            line = next(iter(self._places))
            if self._newest[line[0]] == self._places.pop(line):
                del self._newest[line[0]]

    def index_of(self, line: FieldLine) -> int:
        """Return the index of an entry (RFC 7541 §2.3.3), 0 if there is none."""
        return _STATIC_LINES.get(line) or self._index(self._places.get(line))

    def index_of_name(self, name: bytes) -> int:
        """Return the index of an entry of that name, 0 if there is none."""
        return _STATIC_NAMES.get(name) or self._index(self._newest.get(name))

    def _index(self, place: int | None) -> int:
        return 0 if place is None else HeaderTable.STATIC_TABLE_LENGTH + 1 + self._count - place


class KnownSections:
    """What heads of responses become, of which most are as others were."""

    def __init__(self) -> None:
        self._known: dict[ResponseHead, ResponseSection] = {}

    def forget(self) -> None:
        """Begin again."""
        self._known.clear()

    def __call__(self, head: ResponseHead) -> ResponseSection:
        section = self._known.get(head)
        if section is None:
            section = response_section(head)
            if _octets(section.lines) <= 2 * MOST_OCTETS:
                _keep(self._known, head, section)
        return section


class FastEncoder(FieldEncoder):
    """An encoder that knows what it wrote."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._known: dict[tuple[FieldLine, ...], bytes] = {}
        self._table = self.header_table = _IndexedTable(self._known.clear)
        self.header_table_size = self.header_table.maxsize

    def encode_lines(self, lines: tuple[FieldLine, ...]) -> bytes:
        """Return the block of these lines, which are octets and may all go into the table."""
        block = self._known.get(lines)
        if block is None:
            changes, resized = self._table.changes, self._table.resized
            block = self.encode(lines) if resized else b"".join([self._line(line) for line in lines])
            kept = changes == self._table.changes and not resized
            if kept and len(block) <= MOST_OCTETS and len(lines) <= MOST_LINES:
                _keep(self._known, lines, block)
        return block

    def _line(self, line: FieldLine) -> bytes:
        """Return what hpack makes of a line: an index, or a literal that goes into the table."""
        index = self._table.index_of(line)
        if index:
            return _INDEXED[index] if index < len(_INDEXED) else self._encode_indexed(index)
        name, value = line
        index = self._table.index_of_name(name)
        if index:
            octets = self._encode_indexed_literal(index, value, INDEX_INCREMENTAL, huffman=True)
        else:
            octets = self._encode_literal(name, value, INDEX_INCREMENTAL, huffman=True)
        self._table.add(name, value)
        return octets


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Forget everything rather than keep too much: what is in use comes back soon."""
    if len(known) >= MOST_BLOCKS:
        known.clear()
    known[key] = value
