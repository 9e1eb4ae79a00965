"""Reading along what a script writes by hand, as a client would, to know what it amounts to."""

from __future__ import annotations

import re

import h11

__all__ = ["Audit"]

_BARE_LF = re.compile(rb"(?<!\r)\n")
_LENGTH_LINE = re.compile(rb"^content-length:", re.IGNORECASE | re.MULTILINE)
_MAX_HEAD_OCTETS = 1024 * 1024


class Audit:
    """
    A client that reads a response from the octets that are sent.

    A handler may write anything. Whether the connection can carry another exchange
    afterwards is for the client to say, so we are one: h11 reads, and we ask it where
    it stands. h11 is lenient; what it forgives and others do not (a bare LF, two framings
    or two lengths at once, octets behind the end) are looked at here.
    """

    def __init__(self, method: str) -> None:
        """
        Args:
            method: The request's, for a response to HEAD ends with its head (RFC 9112 §6.3).
        """
        self._client = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_OCTETS)
        self._client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        self._client.send(h11.EndOfMessage())
        self._head: bytearray | None = bytearray()
        self._broken = False

    @property
    def sound(self) -> bool:
        """Whether the client has read one whole response and would send its next request here."""
        return (
            not self._broken
            and self._client.their_state is h11.DONE
            and self._client.our_state is h11.DONE
            and not self._client.trailing_data[0]
        )

    def feed(self, octets: bytes) -> None:
        """Take octets that are sent; after the first that make no sense, no more matter."""
        if self._broken or not octets:
            return
        if self._head is not None:
            self._head += octets
        self._client.receive_data(octets)
        try:
            while True:
                event = self._client.next_event()
                if isinstance(event, h11.Response):
                    self._look_at_head(event)
                elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    return
        except h11.RemoteProtocolError:
            self._broken = True

    def _look_at_head(self, response: h11.Response) -> None:
        names = {name for name, _ in response.headers}
        unread = len(self._client.trailing_data[0])
        head = bytes(self._head or b"")
        head = head[: len(head) - unread]
        lengths = len(_LENGTH_LINE.findall(head.rstrip(b"\r\n").rpartition(b"\r\n\r\n")[2]))
        if _BARE_LF.search(head) or lengths > 1 or (lengths and b"transfer-encoding" in names):
            self._broken = True
        self._head = None
