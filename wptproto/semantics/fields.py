"""Fields: the ordered name and value octets of a message (RFC 9110 §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["FieldLine", "Fields", "Lines", "Value", "pairs", "to_octets"]

FieldLine = tuple[bytes, bytes]
Value = str | bytes | int
Lines = Mapping[Any, Value] | Iterable[tuple[Value, Value]]
"""Field lines as a script gives them: names with values, or a mapping of these."""


def to_octets(value: Value) -> bytes:
    """
    Turn what a script gave as a name or value into octets.

    Text is taken one character to one octet (ISO-8859-1), so that every
    octet can be written as text; text beyond that is UTF-8.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, str):
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            return value.encode("utf-8")
    raise TypeError(f"a field's name or value is str, bytes or int, not {type(value).__name__}: {value!r}")


def pairs(lines: Lines) -> Iterable[tuple[Value, Value]]:
    """Return each name with its value."""
    return lines.items() if isinstance(lines, Mapping) else lines


class Fields:
    """
    An immutable field section: order, case and repetition as received, found without case.

    RFC 9110 §5.1 (names are case-insensitive), §5.3 (order of repeated fields).
    """

    __slots__ = ("_lines", "_values")

    def __init__(self, lines: Iterable[FieldLine] = ()) -> None:
        self._lines: tuple[FieldLine, ...] = tuple(lines)
        self._values: dict[bytes, list[bytes]] | None = None  # by name in lower case, once somebody asks

    def __iter__(self) -> Iterator[FieldLine]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: bytes) -> bool:
        return bool(self.get_list(name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and self._lines == other._lines

    def __hash__(self) -> int:
        return hash(self._lines)

    def __repr__(self) -> str:
        return f"Fields({list(self._lines)!r})"

    def get_list(self, name: bytes) -> list[bytes]:
        """Return the values of all field lines of that name, in order."""
        values = self._values
        if values is None:
            values = {}
            for key, value in self._lines:
                values.setdefault(key.lower(), []).append(value)
            self._values = values  # whole, for others may look at the same moment
        return values.get(name.lower(), [])

    def get(self, name: bytes) -> bytes | None:
        """Return the field's value, its lines joined by commas (RFC 9110 §5.3), or None."""
        values = self.get_list(name)
        return b", ".join(values) if values else None

    def tokens(self, name: bytes) -> list[bytes]:
        """Return the members of a comma-separated list field, in lower case (RFC 9110 §5.6.1)."""
        values = self.get_list(name)
        if not values:
            return []
        members = (part.strip(b" \t").lower() for value in values for part in value.split(b","))
        return [member for member in members if member]
