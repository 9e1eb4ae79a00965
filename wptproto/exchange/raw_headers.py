"""RawHeaders: a request's fields as ``http.client`` has them, for scripts that know that."""

from __future__ import annotations

from email.message import Message

from wptproto.semantics.fields import Fields

__all__ = ["RawHeaders"]


class RawHeaders(Message):
    """
    A request's fields as text of one character to one octet, in order, with case and repetition as received.

    As with ``http.client``, ``[]`` and ``get`` answer the first line of a name, and None where there
    is none; ``raw_items`` and ``items`` give all lines, and ``str`` writes them one below the other.
    """

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        for name, value in fields:
            self[name.decode("latin-1")] = value.decode("latin-1")
        self.set_payload("")  # with none at all, ``str`` would write boundaries for a multipart type

    def getallmatchingheaders(self, name: str) -> list[str]:
        """Return the field lines of a name, as ``Name: value``."""
        return [f"{key}: {value}" for key, value in self.raw_items() if key.lower() == name.lower()]
