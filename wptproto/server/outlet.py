"""Outlet: one connection's transport, with TLS before it if there is any, and the ways it can end."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress

from wptproto.server.observer import Observer
from wptproto.server.tls import TlsLayer

if sys.platform == "linux":
    import fcntl
    import termios

__all__ = ["Outlet"]

HIGH_WATER_OCTETS = 256 * 1024
LINGER_S = 1.0
"""How long to read on behind a close, once the peer's system has taken everything."""

LINGER_OCTETS = 64 * 1024 * 1024
"""How much of what still comes is dropped before the peer may as well see a reset."""


class Outlet:
    """
    What goes out to a peer, and how it is closed.

    Attributes:
        closing: It has been closed, or is about to be; what comes in does not matter any more.
        reading_paused: The peer's octets are left in the socket.
    """

    def __init__(
        self, transport: asyncio.Transport, tls: TlsLayer | None, observer: Observer | None = None
    ) -> None:
        self._transport = transport
        self._tls = tls
        self._observer = observer
        self._written_octets = 0
        self._dropped_octets = 0
        self._lingers = False
        self._taken_s: float | None = None  # when it was first seen that all of it was taken
        self.closing = False
        self.reading_paused = False
        transport.set_write_buffer_limits(high=HIGH_WATER_OCTETS)

    @property
    def unread_octets(self) -> int:
        """How much the peer's system has not taken yet."""
        return self._transport.get_write_buffer_size()

    @property
    def taken_octets(self) -> int:
        """
        How much the peer's system has taken.

        What left the transport's buffer may stand in this system's own, which it empties in large steps.
        """
        return self._written_octets - self.unread_octets - self._queued_octets()

    def send(self, octets: bytes) -> None:
        """Send octets, with whatever TLS has to say beside them."""
        if self._observer is not None and octets:
            self._observer.plaintext_sent(octets)
        if self._tls is not None:
            if octets:
                self._tls.send_data(octets)
            octets = self._tls.data_to_send()
        self._write(octets)

    def send_in_the_clear(self, octets: bytes) -> None:
        """Send octets past TLS, or what is left of it, to a peer that does not speak it."""
        assert self._tls is not None
        self._write(octets or self._tls.data_to_send())
        self._tls = None

    def pause_reading(self, paused: bool) -> None:
        """Leave the peer's octets in the socket, or take them again."""
        if paused == self.reading_paused:
            return
        self.reading_paused = paused
        if self._transport.is_closing():
            return
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # --- the end -------------------------------------------------------------------------------

    def finish(self, *, peer_finished: bool) -> None:
        """
        Close so that the peer gets all that was sent, and knows that it is whole.

        RFC 9112 §9.6: closing with octets unread resets the connection, and the reset may overtake
        the response. So half-close, read on for a moment, and close then.

        Args:
            peer_finished: Whether the peer has half-closed already, and sends nothing more.
        """
        self.closing = True
        if self._tls is not None:
            self._tls.close()
            self._write(self._tls.data_to_send())
        if peer_finished or self._transport.is_closing():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:
            self._transport.close()  # the peer was quicker
            return
        self.pause_reading(False)
        self._lingers = True

    def look(self, now_s: float) -> None:
        """See whether it has lingered for long enough; the moment begins when the peer has taken all."""
        if not self._lingers or self.unread_octets:
            return
        if self._taken_s is None:
            self._taken_s = now_s
        elif now_s - self._taken_s >= LINGER_S:
            self._transport.close()

    def drop(self, octets: int) -> None:
        """Take note of what came though it does not matter any more."""
        self._dropped_octets += octets
        if self._dropped_octets > LINGER_OCTETS:
            self.abort()

    def peer_finished(self) -> None:
        """Take note that the peer has half-closed: if this side has, there is nothing left to linger for."""
        if self.closing:
            self._transport.close()

    def reset(self) -> None:
        """Close with a reset, or, over TLS, without close_notify: either tells that something is missing."""
        self.closing = True
        if self._tls is None:
            self._reset_on_close()
        self._transport.close()

    def stop(self, *, whole: bool) -> None:
        """
        Close now, and wait for nobody to read what was sent.

        Args:
            whole: Whether it was all that there was to send, and TLS may say so.
        """
        if self._tls is not None and whole and not self.closing:
            self._tls.close()
            self._write(self._tls.data_to_send())
        if self.unread_octets:
            self.abort()
        else:
            self.closing = True
            self._transport.close()

    def shut(self) -> None:
        """End the connection for its peer, from any thread; the transport learns of it from the loop."""
        sock = self._transport.get_extra_info("socket")
        with suppress(OSError):  # the peer was quicker
            sock.shutdown(socket.SHUT_RDWR)

    def abort(self) -> None:
        """Close at once; nothing that waits is sent."""
        self.closing = True
        self._transport.abort()

    def break_off(self) -> None:
        """Close at once; nothing that waits is sent, not even by this system."""
        self._reset_on_close()
        self.abort()

    def closed(self) -> None:
        """Take note that the transport is gone."""
        self.closing = True

    def _reset_on_close(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _queued_octets(self) -> int:
        """Return how much this system holds that the peer has not acknowledged; 0 where it does not tell."""
        sock = self._transport.get_extra_info("socket")
        if sys.platform != "linux" or sock is None or sock.fileno() < 0:
            return 0
        (queued,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(queued)

    def _write(self, octets: bytes) -> None:
        if octets and not self._transport.is_closing():
            self._written_octets += len(octets)
            if self._observer is not None:
                self._observer.octets_sent(octets)
            self._transport.write(octets)
