"""HPACK as a third party reads it: what was said, and what that did to the table (RFC 7541)."""

from __future__ import annotations

from typing import NamedTuple

from hpack import HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable, table_entry_size

from wptproto.limits import Limits
from wptproto.protocol.h2_compression import FieldDecoder
from wptproto.semantics.fields import FieldLine

__all__ = ["Section", "SectionReader", "TableChange"]

SECTION_OCTETS = 4 * 1024 * 1024
"""Of a field section that is decoded; of a larger one, too, all that follows could not be."""


class TableChange(NamedTuple):
    """One change of the table: ``insert``, ``evict`` or ``resize``; what it holds behind it."""

    change: str
    line: FieldLine | None
    octets: int
    entries: int


class Section(NamedTuple):
    """A field block, decoded; *fields* is None where it cannot be, which *error* explains."""

    fields: tuple[FieldLine, ...] | None
    changes: list[TableChange]
    error: str | None


class _Table(HeaderTable):
    """Writes down what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[TableChange] = []

    def add(self, name: bytes, value: bytes) -> None:
        size = table_entry_size(name, value)
        self._evict(self._maxsize - size)  # RFC 7541 §4.4: before the new entry is added
        if size <= self._maxsize:
            self.dynamic_entries.appendleft((name, value))
            self._current_size += size
            self._note("insert", (name, value))

    @property
    def maxsize(self) -> int:
        """Of all entries, in octets as they count."""
        return self._maxsize

    @maxsize.setter
    def maxsize(self, newmax: int) -> None:
        self._maxsize = newmax
        self._note("resize", None)
        self._evict(newmax)

    def _evict(self, octets: int) -> None:
        while self.dynamic_entries and self._current_size > octets:
            name, value = self.dynamic_entries.pop()
            self._current_size -= table_entry_size(name, value)
            self._note("evict", (name, value))

    def _note(self, change: str, line: FieldLine | None) -> None:
        self.changes.append(TableChange(change, line, self._current_size, len(self.dynamic_entries)))


class SectionReader(FieldDecoder):
    """Reads the field blocks of one direction, all of them in their order."""

    def __init__(self) -> None:
        super().__init__(Limits(field_section_octets=SECTION_OCTETS))
        self.header_table = self._table = _Table()
        self._is_broken = False

    def allow(self, table_octets: int) -> None:
        """
        Take note that the other side has a table of that size.

        A smaller one it may have before its peer knows, and what is on its way then is right; so nothing
        is held against one who has not gone below yet.
        """
        self.max_allowed_table_size = max(self.max_allowed_table_size, table_octets)

    def read(self, block: bytes) -> Section:
        """Decode a block; behind one for which that fails, there is no decoding of any other (§2.3.3)."""
        if self._is_broken:
            return Section(None, [], "an earlier field block could not be decoded, so this cannot be (§4.3)")
        self._table.changes = []
        if len(block) > SECTION_OCTETS:
            self._is_broken = True
            return Section(None, [], f"a field block of more than {SECTION_OCTETS} octets, which is not read")
        try:
            fields = tuple((bytes(name), bytes(value)) for name, value in self.decode(block))
        except OversizedHeaderListError:
            error = f"a field section of more than {SECTION_OCTETS} octets, which is not read"
        except (HPACKError, IndexError) as problem:
            error = f"the field block cannot be decoded (§4.3): {problem}"
        else:
            return Section(fields, self._table.changes, None)
        self._is_broken = True
        return Section(None, self._table.changes, error)
