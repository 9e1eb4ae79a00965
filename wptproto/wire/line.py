"""
Line: one connection as a test has it for itself: octets both ways, blocking, and each wait with its end.

One thread uses it at a time; or one to receive, and another to send. Any thread may end all waits on it: by
``stop``, which closes it, too, or by ``interrupt``, after which it can be gone on with.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Protocol

from wptproto.errors import ExchangeClosed, WireError
from wptproto.protocol.tls_state import TlsState
from wptproto.server.addresses import client_of
from wptproto.server.observer import Observer
from wptproto.server.tls_terms import TlsTerms
from wptproto.wire.tls import WireTls, cut

__all__ = ["Ending", "Keeper", "Line"]

_PIECE_OCTETS = 64 * 1024
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Ending(StrEnum):
    """
    How a client has ended its side of a connection.

    Attributes:
        FIN: By a FIN; over TLS, without close_notify before it.
        RESET: By a RST.
        CLOSE_NOTIFY: By TLS's close_notify (RFC 8446 §6.1).
        ALERT: By another alert of TLS, or by octets that are none of TLS.
    """

    FIN = "fin"
    RESET = "reset"
    CLOSE_NOTIFY = "close_notify"
    ALERT = "alert"


class Keeper(Protocol):
    """Who has lines, beside those who use them."""

    def forget(self, line: Line, /) -> None:
        """Take note that a line is closed, whoever has closed it."""

    def linger(self, sock: socket.socket, /) -> None:
        """Close a socket in a moment, of which the client is told already."""


class Line:
    """
    A socket, with TLS before it if there is any.

    Attributes:
        observer: Who is told what happens.
        client_address: The client's address and port.
        ending: How the client has ended its side; None while it has not.
        alert: What TLS said, where that has ended it.
        closed: It was closed here.
    """

    def __init__(
        self,
        sock: socket.socket,
        terms: TlsTerms | None,
        keeper: Keeper,
        observer: Observer | None = None,
    ) -> None:
        """
        Args:
            sock: Connected; the line's own from now on.
            terms: For TLS; None in the clear.
            keeper: Hears when it closes, and closes its socket behind it.
            observer: Is told what happens, if anybody wants to know.
        """
        self._sock = sock
        self._sock.setblocking(False)
        self._tls = WireTls(terms) if terms is not None else None
        self._keeper = keeper
        self.observer = observer if observer is not None else Observer()
        self.client_address = client_of(sock)
        self.ending: Ending | None = None
        self.alert = ""
        self.closed = False
        self._early = b""  # came together with the end of the handshake
        self._why: str | None = None  # it was stopped
        self._lock = threading.Lock()
        self._users = 0
        self._is_open = True  # the socket
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)

    @property
    def tls(self) -> TlsState | None:
        """What was agreed on by TLS; None in the clear, and until it was."""
        return self._tls.state if self._tls is not None and self._tls.established else None

    # --- receiving -----------------------------------------------------------------------------

    def handshake(self, deadline_s: float) -> None:
        """
        Have TLS agreed on, if there is any.

        Raises:
            WireError: The client does not agree, leaves, or takes too long.
            ExchangeClosed: The server stops.
        """
        tls = self._tls
        if tls is None:
            return
        try:
            while not tls.established:
                if self.ending is not None:
                    how = f"; TLS says {self.alert}" if self.alert else ""
                    raise WireError(f"the client ended the TLS handshake ({self.ending}{how})")
                if self._receive_raw(deadline_s, keep=True) is None:
                    raise WireError("the TLS handshake was awaited, and the client has not gone on with it")
        except WireError as error:
            self.observer.tls_failed(tls.state, str(error))
            raise

    def start_tls(self, terms: TlsTerms, deadline_s: float) -> None:
        """
        Speak TLS from here on, in the clear before.

        Raises:
            WireError: There is TLS already, or the client does not agree, leaves, or takes too long.
            ExchangeClosed: The server stops.
        """
        if self._tls is not None:
            raise WireError("this connection speaks TLS already")
        self._tls = WireTls(terms)
        self.handshake(deadline_s)

    def receive(self, deadline_s: float) -> bytes:
        """
        Wait for octets of the client.

        Args:
            deadline_s: Until when, as ``time.monotonic`` has it.

        Returns:
            Octets; none where the client has ended its side (see *ending*), or the time is over.

        Raises:
            ExchangeClosed: The server stops, or the line was closed here.
        """
        early, self._early = self._early, b""
        if early:
            return early
        while self.ending is None:
            had = self._receive_raw(deadline_s)
            if had is None:
                return b""
            if had:
                return had
        return b""

    def _receive_raw(self, deadline_s: float, *, keep: bool = False) -> bytes | None:
        """Return what one read brings, maybe nothing that TLS passes on; None where the time is over."""
        with self._used():
            if not self._wait(selectors.EVENT_READ, deadline_s):
                return None
            try:
                octets = self._sock.recv(_PIECE_OCTETS)
            except BlockingIOError:
                return b""
            except OSError:
                self.ending = Ending.RESET
                return b""
            if not octets:
                self._finished(Ending.FIN)
                return b""
            self.observer.octets_received(octets)
            found = octets if self._tls is None else self._open_records(self._tls, octets, deadline_s)
            if found:
                self.observer.plaintext_received(found)
        if keep:
            self._early += found
            return octets
        return found

    def _open_records(self, tls: WireTls, octets: bytes, deadline_s: float) -> bytes:
        was_established = tls.established
        found = tls.receive(octets)
        if tls.established and not was_established:
            self.observer.tls_agreed(tls.state)
        if tls.failure is not None:
            self.ending, self.alert = Ending.ALERT, tls.failure
        if tls.peer_closed:
            self._finished(Ending.CLOSE_NOTIFY)
        with suppress(WireError):  # the client is gone, as the next read will tell
            self._write(tls.pending(), deadline_s)
        return found

    def _finished(self, ending: Ending) -> None:
        self.ending = ending
        self.observer.eof_received()

    # --- sending -------------------------------------------------------------------------------

    def send(
        self,
        octets: bytes,
        deadline_s: float,
        *,
        segments: Sequence[int] = (),
        records: Sequence[int] = (),
        pause_s: float = 0.0,
    ) -> None:
        """
        Send octets.

        Args:
            octets: What goes out; over TLS, inside of it.
            deadline_s: Until when the client's system has to have taken them.
            segments: How many octets leave at a time, TCP segments in general; the rest leaves at once. Over
                TLS they are octets of its records.
            records: How many octets are in each TLS record; the rest is in as few as possible.
            pause_s: How long to wait before each further segment.

        Raises:
            WireError: The client is gone, or does not read; or there is no TLS to have records.
            ExchangeClosed: The server stops, or the line was closed here.
        """
        with self._used():
            if self._tls is None and records:
                raise WireError("records are TLS's, and this connection is in the clear; give segments")
            self.observer.plaintext_sent(octets)
            if self._tls is not None:
                octets = self._tls.seal(octets, records)
            for number, piece in enumerate(cut(octets, segments)):
                if number and pause_s:
                    self._wait(0, time.monotonic() + pause_s)
                self._write(piece, deadline_s)

    def _write(self, octets: bytes, deadline_s: float) -> None:
        view = memoryview(octets)
        while view:
            try:
                count = self._sock.send(view)
                self.observer.octets_sent(bytes(view[:count]))
                view = view[count:]
            except BlockingIOError:
                if not self._wait(selectors.EVENT_WRITE, deadline_s):
                    raise WireError(f"the client has not read {len(view)} octets that were sent") from None
            except OSError as error:
                raise WireError(f"{len(view)} octets cannot be sent: {error.strerror}") from error

    # --- the end -------------------------------------------------------------------------------

    def half_close(self, *, close_notify: bool = True) -> None:
        """Say that nothing more is sent: close_notify, if there is TLS and it is wanted, and FIN."""
        with self._used():
            self._say_close(close_notify=close_notify)
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def close(self, *, close_notify: bool = True) -> None:
        """
        Close it, so that the client gets all that was sent; once again is nothing.

        RFC 9112 §9.6: closing with octets unread resets the connection, and the reset may overtake what was
        sent. So FIN is sent now, and the socket closes in a moment.
        """
        with suppress(ExchangeClosed), self._used():
            self._say_close(close_notify=close_notify)
            with suppress(OSError):  # the client was quicker
                self._sock.shutdown(socket.SHUT_WR)
                if not self._is_drained():
                    self._keeper.linger(self._sock.dup())
        self._end("the connection was closed here")

    def _is_drained(self) -> bool:
        """Drop what has come; whether that was all, for the client has ended its side."""
        try:
            while self._sock.recv(_PIECE_OCTETS):
                pass
        except BlockingIOError:
            return False
        return True

    def reset(self) -> None:
        """Close it by a RST."""
        with suppress(ExchangeClosed), self._used(), suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end("the connection was reset here")

    def stop(self, why: str) -> None:
        """End every wait on it, and close it; from any thread."""
        with self._lock:
            self._why = self._why or why
            if self._is_open:
                with suppress(OSError):  # the client was quicker
                    self._sock.shutdown(socket.SHUT_RDWR)
        self._end(why)

    def interrupt(self) -> None:
        """End the wait that another thread is in, or, where none is, its next one; from any thread."""
        with suppress(OSError):
            self._waker.send(b"\0")

    def forget_interrupts(self) -> None:
        """Have the next wait go on, for that which was to be ended is over."""
        with suppress(OSError):
            self._woken.recv(_PIECE_OCTETS)

    def _say_close(self, *, close_notify: bool) -> None:
        if self._tls is not None and close_notify:
            with suppress(WireError):
                self._write(self._tls.close(), time.monotonic())

    def _end(self, why: str) -> None:
        with self._lock:
            was_closed, self.closed = self.closed, True
            self._why = self._why or why
            self._close_unused()
        self.interrupt()
        self._keeper.forget(self)
        if not was_closed:
            self.observer.closed(None)

    def _close_unused(self) -> None:
        """Close the sockets, as soon as nobody is at them: their numbers may be another's the next moment."""
        if self._is_open and self.closed and not self._users:
            self._is_open = False
            for sock in (self._sock, self._waker, self._woken):
                sock.close()

    # --- waiting -------------------------------------------------------------------------------

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Keep the sockets open for a while."""
        with self._lock:
            self._check()
            self._users += 1
        try:
            yield
            self._check()
        finally:
            with self._lock:
                self._users -= 1
                self._close_unused()

    def _check(self) -> None:
        if self._why is not None:
            raise ExchangeClosed(self._why)

    def _wait(self, event: int, deadline_s: float) -> bool:
        """Wait until the socket is ready, or for the time alone; whether it is ready."""
        with _Selector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if event:
                selector.register(self._sock, event)
            ready = selector.select(max(0.0, deadline_s - time.monotonic()))
            if any(key.fileobj is self._woken for key, _ in ready):
                self._check()
                self.forget_interrupts()
                raise ExchangeClosed("the wait was cancelled")
            return bool(ready)
