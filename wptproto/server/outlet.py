"""Outlet: one connection's transport, with TLS before it if there is any, and the ways it can end."""

from __future__ import annotations

import asyncio
import socket
import struct

from wptproto.server.tls import TlsLayer

__all__ = ["Outlet"]

HIGH_WATER_OCTETS = 256 * 1024
LINGER_S = 1.0


class Outlet:
    """
    What goes out to a peer, and how it is closed.

    Attributes:
        closing: It has been closed, or is about to be; what comes in does not matter any more.
        reading_paused: The peer's octets are left in the socket.
    """

    def __init__(self, transport: asyncio.Transport, tls: TlsLayer | None) -> None:
        self._transport = transport
        self._tls = tls
        self._linger: asyncio.TimerHandle | None = None
        self.closing = False
        self.reading_paused = False
        transport.set_write_buffer_limits(high=HIGH_WATER_OCTETS)

    @property
    def unread_octets(self) -> int:
        """How much the peer's system has not taken yet."""
        return self._transport.get_write_buffer_size()

    def send(self, octets: bytes) -> None:
        """Send octets, with whatever TLS has to say beside them."""
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
        self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._stop_lingering)

    def _stop_lingering(self) -> None:
        if self.unread_octets:
            # The peer has not even taken the response yet; the moment begins when it has.
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._stop_lingering)
        else:
            self._transport.close()

    def peer_finished(self) -> None:
        """Take note that the peer has half-closed: if this side has, there is nothing left to linger for."""
        if self.closing:
            self._transport.close()

    def reset(self) -> None:
        """Close with a reset, or, over TLS, without close_notify: either tells that something is missing."""
        self.closing = True
        sock = self._transport.get_extra_info("socket")
        if self._tls is None and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
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

    def abort(self) -> None:
        """Close at once; nothing that waits is sent."""
        self.closing = True
        self._transport.abort()

    def closed(self) -> None:
        """Take note that the transport is gone."""
        self.closing = True
        if self._linger is not None:
            self._linger.cancel()

    def _write(self, octets: bytes) -> None:
        if octets and not self._transport.is_closing():
            self._transport.write(octets)
