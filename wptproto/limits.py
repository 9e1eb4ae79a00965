"""Limits: how much of each thing a peer may ask of a server, in one place."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import Self

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What a server takes from one peer before it refuses.

    The defaults are far above what tests and browsers need, and far below what would be felt by others.

    Attributes:
        request_line_octets: Of an HTTP/1.1 request, with its CRLF; beyond it 414 (RFC 9110 §15.5.15).
        field_section_octets: Names, values and what stands between them, in a header or trailer section;
            beyond it 431 (RFC 6585 §5).
        field_lines: In one section; beyond it 431.
        chunk_line_octets: A chunk's size and extensions; beyond it 400 (RFC 9112 §7.1.1).
        content_octets: Of one request; beyond it 413 (RFC 9110 §15.5.14).
    """

    request_line_octets: int = 64 * 1024
    field_section_octets: int = 256 * 1024
    field_lines: int = 1000
    chunk_line_octets: int = 16 * 1024
    content_octets: int = 1024 * 1024 * 1024

    @classmethod
    def none(cls) -> Self:
        """Return limits that nothing reaches, for tests that want none."""
        return cls(**{field.name: sys.maxsize for field in fields(cls)})
