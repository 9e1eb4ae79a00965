"""Outlet: one connection's transport, with TLS before it if there is any, and the ways it can end."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from wptproto.server.observer import Observer
from wptproto.server.tls import TlsLayer

if TYPE_CHECKING:
    from wptproto.server.shaper import Shaper
if sys.platform == "linux":
    import fcntl
    import termios

__all__ = ["Outlet"]

HIGH_WATER_OCTETS = 256 * 1024
LINGER_S = 1.0
"""How long to read on behind a close, once the peer's system has taken everything."""

RESET_LOOK_S = 0.001
RESET_LOOKS = 1000
"""How often to look whether a peer has taken all that came before a reset, which would overtake it."""

LINGER_OCTETS = 64 * 1024 * 1024
"""How much of what still comes is dropped before the peer may as well see a reset."""


class Outlet:
    """
    What goes out to a peer, and how it is closed.

    Attributes:
        closing: It has been closed, or is about to be; what comes in does not matter any more.
        says_close_notify: TLS says so, when it closes.
        read_octets_per_s: How fast the peer's octets are taken; None is as fast as they come.
    """

    says_close_notify = True
    read_octets_per_s: float | None = None
    _shaper: Shaper | None = None
    _record_sizes: tuple[int, ...] = ()
    _records = 0  # how many of those were made
    _half_closed = False
    _paused = False  # by what the connection asks for
    _holds = 0  # how many faults let nothing in or out, for a while
    _rests = False  # what came is to have taken longer
    _unread = False  # by a fault, for ever

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
        transport.set_write_buffer_limits(high=HIGH_WATER_OCTETS)

    @property
    def unread_octets(self) -> int:
        """How much the peer's system has not taken yet."""
        size = self._transport.get_write_buffer_size()
        return size if self._shaper is None else size + self._shaper.pending_octets

    @property
    def untaken_octets(self) -> int:
        """How much of that the peer could take, for no fault keeps it here."""
        return self._transport.get_write_buffer_size()

    @property
    def reading_paused(self) -> bool:
        """Whether the peer's octets are left in the socket."""
        return self._paused or self._holds > 0 or self._rests or self._unread

    @property
    def taken_octets(self) -> int:
        """
        How much the peer's system has taken.

        What left the transport's buffer may stand in this system's own, which it empties in large steps.
        """
        return self._written_octets - self._transport.get_write_buffer_size() - self._queued_octets()

    def send(self, octets: bytes) -> None:
        """Send octets, with whatever TLS has to say beside them."""
        if self._half_closed:
            return
        if self._observer is not None and octets:
            self._observer.plaintext_sent(octets)
        if self._tls is not None:
            if octets:
                self._seal(self._tls, octets)
            octets = self._tls.data_to_send()
        if octets:
            self._write(octets)

    def _seal(self, tls: TlsLayer, octets: bytes) -> None:
        """Put octets into TLS records, of the sizes that a fault asked for, if one did."""
        while self._record_sizes and octets:
            size = self._record_sizes[min(self._records, len(self._record_sizes) - 1)]
            self._records += 1
            tls.send_data(octets[:size])
            octets = octets[size:]
        if octets:
            tls.send_data(octets)

    def send_raw(self, octets: bytes) -> None:
        """Send octets past TLS, which goes on behind them."""
        self._write(octets)

    def send_in_the_clear(self, octets: bytes) -> None:
        """Send octets past TLS, or what is left of it, to a peer that does not speak it."""
        assert self._tls is not None
        self._write(octets or self._tls.data_to_send())
        self._tls = None

    def pause_reading(self, paused: bool) -> None:
        """Leave the peer's octets in the socket, or take them again."""
        if paused == self._paused:
            return
        was = self.reading_paused
        self._paused = paused
        self._read_or_not(was)

    def _read_or_not(self, was_paused: bool) -> None:
        if self.reading_paused == was_paused or self._transport.is_closing():
            return
        if was_paused:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # --- as a fault asks for -------------------------------------------------------------------

    def shape(
        self,
        *,
        sizes: tuple[int, ...] = (),
        records: tuple[int, ...] = (),
        gap_s: float = 0.0,
        octets_per_s: float | None = None,
    ) -> None:
        """
        Say how octets leave from here on.

        Args:
            sizes: Of TCP segments; what was said before, if none are given.
            records: Of plaintext in TLS records; what was said before, if none are given.
            gap_s: Between two segments.
            octets_per_s: How fast at most; what was said before, if None.
        """
        if records:
            self._record_sizes, self._records = records, 0
        if sizes:
            self._shaped().cut(sizes, gap_s)
        if octets_per_s is not None:
            self._shaped().slow_down(octets_per_s)

    def hold(self, held: bool) -> None:
        """Send and read nothing, or go on, once that has been said as often."""
        was = self.reading_paused
        self._holds += 1 if held else -1
        self._read_or_not(was)
        self._shaped().hold(self._holds > 0)

    def hold_reading(self) -> None:
        """Never again read what the peer sends."""
        was = self.reading_paused
        self._unread = True
        self._read_or_not(was)

    def rest(self, octets: int) -> None:
        """Read on after so much time as so many octets take, if there is a rate."""
        if self.read_octets_per_s is None or self._rests:
            return
        was = self.reading_paused
        self._rests = True
        self._read_or_not(was)
        asyncio.get_running_loop().call_later(octets / self.read_octets_per_s, self._rested)

    def _rested(self) -> None:
        self._rests = False
        self._read_or_not(True)

    def half_close(self) -> None:
        """Say that nothing more will be said, and read on; what is sent from here on is dropped."""
        self._say_close_notify()
        self._when_sent(self._end_writing)
        self._half_closed = True

    def reset_when_taken(self) -> None:
        """Close with a reset once the peer's system has taken everything, or a second is over."""
        self.closing = True
        self._when_sent(self._reset_soon)

    def _end_writing(self) -> None:
        with suppress(OSError):  # the peer was quicker
            self._transport.write_eof()

    def _reset_soon(self, looks: int = RESET_LOOKS) -> None:
        if self._transport.is_closing():
            return
        if looks and (self.unread_octets or self._queued_octets()):
            asyncio.get_running_loop().call_later(RESET_LOOK_S, self._reset_soon, looks - 1)
        else:
            self.break_off()

    def _shaped(self) -> Shaper:
        if self._shaper is None:
            from wptproto.server.shaper import Shaper  # few connections are asked for that

            self._shaper = Shaper(self._emit)
        return self._shaper

    def _when_sent(self, action: Callable[[], None]) -> None:
        """Do something when all octets were given to the transport."""
        if self._shaper is None:
            action()
        else:
            self._shaper.then(action)

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
        self._say_close_notify()
        self._when_sent(lambda: self._finish(peer_finished=peer_finished))

    def _say_close_notify(self) -> None:
        if self._tls is not None and self.says_close_notify:
            self._tls.close()
            self._write(self._tls.data_to_send())

    def _finish(self, *, peer_finished: bool) -> None:
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
        if self.closing and (self._shaper is None or not self._shaper.pending_octets):
            self._transport.close()

    def reset(self) -> None:
        """Close with a reset, or, over TLS, without close_notify: either tells that something is missing."""
        self.closing = True
        if self._tls is None:
            self._reset_on_close()
        self._when_sent(self._transport.close)

    def stop(self, *, whole: bool) -> None:
        """
        Close now, and wait for nobody to read what was sent.

        Args:
            whole: Whether it was all that there was to send, and TLS may say so.
        """
        if whole and not self.closing:
            self._say_close_notify()
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
        if self._shaper is not None:
            self._shaper.drop()
        self._transport.abort()

    def break_off(self) -> None:
        """Close at once; nothing that waits is sent, not even by this system."""
        self._reset_on_close()
        self.abort()

    def closed(self) -> None:
        """Take note that the transport is gone."""
        self.closing = True
        if self._shaper is not None:
            self._shaper.drop()

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
        if not octets or self._half_closed:
            return
        if self._shaper is None:
            self._emit(octets)
        else:
            self._shaper.put(octets)

    def _emit(self, octets: bytes) -> None:
        if not self._transport.is_closing():
            self._written_octets += len(octets)
            if self._observer is not None:
                self._observer.octets_sent(octets)
            self._transport.write(octets)
