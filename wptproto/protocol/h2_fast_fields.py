"""
Field blocks that were seen before: read and written by looking them up, whole (RFC 7541).

What a block stands for depends on its octets and on the dynamic table, and a block that refers to the table
without changing it leaves everything as it was. So such a block is known, until the table changes, by its
octets; and what was written likewise, by its lines. Most requests of a client, and most of a server's
responses, are of this kind, once their fields are in the table.

Whatever changes the table, or its size, passes through :class:`WatchedTable`, which then forgets. A
change of its size that has yet to be written (RFC 7541 §4.2) went through it, too, and stands in no block
that is kept.
"""

from __future__ import annotations

from typing import Any

from hpack.table import HeaderTable

from wptproto.limits import Limits
from wptproto.protocol.h2_compression import FieldDecoder, FieldEncoder
from wptproto.protocol.h2_opening import Opening
from wptproto.semantics.fields import FieldLine

__all__ = ["FastDecoder", "FastEncoder", "WatchedTable"]

# So much is kept for one connection; what is longer, or more, is rare, and read as ever.
MOST_BLOCKS = 32
MOST_OCTETS = 1024
MOST_LINES = 50


class WatchedTable(HeaderTable):
    """
    A table on which what is known of blocks depends.

    Attributes:
        changes: How often it has changed.
    """

    def __init__(self, known: dict[Any, Any]) -> None:
        """
        Args:
            known: To be emptied when the table changes.
        """
        super().__init__()
        self._known = known
        self.changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self._change()
        super().add(name, value)

    @property
    def maxsize(self) -> int:
        return self._maxsize

    @maxsize.setter
    def maxsize(self, newmax: int) -> None:
        self._change()
        HeaderTable.maxsize.__set__(self, newmax)  # type: ignore[attr-defined]

    def _change(self) -> None:
        self.changes += 1
        self._known.clear()


class FastDecoder(FieldDecoder):
    """
    A decoder beside which it is kept what requests began with.

    Attributes:
        known: By field block; for who reads it to look into, before :meth:`decode` is called.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.known: dict[bytes, Opening] = {}
        self.table = self.header_table = WatchedTable(self.known)

    def keep(self, block: bytes, opening: Opening, changes: int) -> None:
        """
        Keep what a block stands for, if it can be kept.

        Args:
            block: It was decoded just now.
            opening: What came of it.
            changes: Those of the table before.
        """
        if (
            changes == self.table.changes
            and len(block) <= MOST_OCTETS
            and len(opening.head.fields) <= MOST_LINES
        ):
            _make_room(self.known)
            self.known[block] = opening


class FastEncoder(FieldEncoder):
    """An encoder that knows what it wrote."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._known: dict[tuple[FieldLine, ...], bytes] = {}
        self._table = self.header_table = WatchedTable(self._known)
        self.header_table_size = self.header_table.maxsize

    def encode_lines(self, lines: list[FieldLine]) -> bytes:
        """Return the block of these lines, which are octets and may all go into the table."""
        key = tuple(lines)
        block = self._known.get(key)
        if block is None:
            changes, resized = self._table.changes, self._table.resized
            block = self.encode(lines)
            kept = changes == self._table.changes and not resized
            if kept and len(block) <= MOST_OCTETS and len(lines) <= MOST_LINES:
                _make_room(self._known)
                self._known[key] = block
        return block


def _make_room(known: dict[Any, Any]) -> None:
    """Forget everything rather than keep too much: what is in use comes back soon."""
    if len(known) >= MOST_BLOCKS:
        known.clear()
