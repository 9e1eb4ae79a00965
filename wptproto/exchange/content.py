"""RequestContent: fed by the loop, read by the handler."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedIOBase
from typing import IO

from wptproto.exchange.signal import Signal
from wptproto.semantics.fields import Fields

__all__ = ["RequestContent"]

SPOOL_OCTETS = 1024 * 1024
"""What is kept in memory of content that was read; beyond it, it goes to a temporary file."""

_PIECE_OCTETS = 64 * 1024


class RequestContent(BufferedIOBase):
    """
    The content of a request, as a file that is still being written.

    It reads as files in the ``io`` module do, and may be given to what reads those.

    Octets wait in the order they came until a read takes them; then, and not before, the peer
    may send as many again. What was read is kept, so that a handler can seek back to it.

    All methods but :meth:`feed`, :meth:`end` and :meth:`fail` are the handler's.

    Attributes:
        trailers: The trailer section, once the request has ended.
    """

    trailers = Fields()
    _ended = False
    _error: Exception | None = None
    _unnoticed: Exception | None = None
    _spool: IO[bytes] | None = None
    _spooled = 0
    _position = 0

    def __init__(self, *, acknowledge: Callable[[int], None], before_wait: Callable[[], None] | None) -> None:
        """
        Args:
            acknowledge: Told how many octets were taken.
            before_wait: Called, once, before the first read that finds nothing there: the
                moment for 100 (Continue), where the client waits for it.
        """
        super().__init__()
        self._acknowledge = acknowledge
        self._before_wait = before_wait
        self._arrived: deque[tuple[bytes, bool]] = deque()  # each with whether it is the last
        self._signal = Signal()

    # --- the loop's side -----------------------------------------------------------------------

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """Append octets that arrived; *last* says that the peer called them so."""
        self._arrived.append((data, last))
        self._signal.notify()

    def end(self, trailers: Fields) -> None:
        """Take note that the request is complete."""
        self.trailers = trailers
        self._ended = True
        self._signal.notify()

    def fail(self, error: Exception) -> None:
        """Let reads raise *error* where the content breaks off; it does not matter once it ended."""
        if not self._ended:
            self._error = self._unnoticed = error
            self._signal.notify()

    # --- the handler's side --------------------------------------------------------------------

    @property
    def has_arrived(self) -> bool:
        """Whether any of it has come, or its end."""
        return bool(self._arrived) or self._spooled > 0 or self._ended

    @property
    def unread_octets(self) -> int:
        """How much has come and waits for a read."""
        return sum(len(data) for data, _ in self._arrived.copy())  # others may take of it meanwhile

    @property
    def has_ended(self) -> bool:
        """Whether all of it has come."""
        return self._ended

    def take_unnoticed(self) -> Exception | None:
        """Return the error where the content breaks off, if nobody has met it by reading; only once."""
        error, self._unnoticed = self._unnoticed, None
        return error

    def read(self, bytes: int | None = -1) -> builtins.bytes:  # noqa: A002  # wptserve's name
        """
        Return so many octets, fewer only at the end; all the rest for a negative number or None.

        Raises:
            RemoteProtocolError: The client broke the framing, or left in the midst of it.
            ExchangeClosed: The exchange was reset, or its connection is gone.
        """
        wanted = None if bytes is None or bytes < 0 else bytes
        pieces: list[builtins.bytes] = []
        have = 0
        while wanted is None or have < wanted:
            piece = self.read1(_PIECE_OCTETS if wanted is None else wanted - have)
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """
        Return what is there, up to *size* octets if that is not negative; wait only for the first.

        Returns:
            No octets at the end, or where none were asked for.
        """
        self._check_open()
        if size == 0:
            return b""
        if self._position >= self._spooled and (self._arrived or not self._ended):
            self._signal.refuse_on_loop()
            self._prepare_to_wait()
            self._signal.wait_for(self._is_ready)
        return self._take(_PIECE_OCTETS if size < 0 else size)

    async def read_async(self, size: int | None = -1) -> bytes:
        """Do as :meth:`read` does, from a coroutine. What was awaited so can be read again in any way."""
        wanted = None if size is None or size < 0 else size
        pieces: list[bytes] = []
        have = 0
        while wanted is None or have < wanted:
            self._check_open()
            if self._position >= self._spooled:
                self._prepare_to_wait()
                await self._signal.wait_for_async(self._is_ready)
            piece = self._take(_PIECE_OCTETS if wanted is None else wanted - have)
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)

    def piece_at(self, position: int) -> tuple[bytes, bool] | None:
        """
        Return the octets from *position* on that came together; wait for them.

        What has been read already comes in one piece. Reading goes on where it was, and is not disturbed.

        Returns:
            The octets, and whether the peer called them the last; None at the end.

        Raises:
            RemoteProtocolError: The client broke the framing, or left in the midst of it.
            ExchangeClosed: The exchange was reset, or its connection is gone.
        """
        self._check_open()
        if position < self._spooled:
            spool = self._open_spool()
            spool.seek(position)
            return spool.read(), False
        self._signal.refuse_on_loop()
        self._prepare_to_wait()
        self._signal.wait_for(self._is_ready)
        if self._arrived:
            return self._take_arrived()
        if self._error is not None:
            raise self._noticed(self._error)
        return None

    def readline(self, max_bytes: int | None = -1) -> bytes:
        """Return octets up to and with the next LF; no more than *max_bytes*, if it is not negative."""
        wanted = None if max_bytes is None or max_bytes < 0 else max_bytes
        pieces: list[bytes] = []
        have = 0
        while wanted is None or have < wanted:
            piece = self.read1(-1 if wanted is None else wanted - have)
            end = piece.find(b"\n") + 1
            if end:
                self._position -= len(piece) - end
                piece = piece[:end]
            pieces.append(piece)
            have += len(piece)
            if end or not piece:
                break
        return b"".join(pieces)

    def tell(self) -> int:
        """Return the position of the next octet to be read."""
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        """
        Go to a position; beyond what has come, wait for it; beyond the end, to the end.

        Returns:
            The new position.

        Raises:
            ValueError: The position would be negative, or *whence* is none.
        """
        self._check_open()
        if whence == SEEK_CUR:
            offset += self._position
        elif whence == SEEK_END:
            self._read_to(None)
            offset += self._spooled
        elif whence != SEEK_SET:
            raise ValueError(f"whence is 0, 1 or 2, not {whence!r}")
        if offset < 0:
            raise ValueError(f"no position is negative: {offset}")
        self._read_to(offset)
        self._position = min(offset, self._spooled)
        return self._position

    def readable(self) -> bool:
        """Answer True, as files do."""
        return True

    def seekable(self) -> bool:
        """Answer True, as files do."""
        return True

    def close(self) -> None:
        """Give the temporary file back; what was not read is dropped."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        self._arrived.clear()
        super().close()

    # --- within --------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the content of a request can be read until its response is finished")

    def _noticed(self, error: Exception) -> Exception:
        self._unnoticed = None
        return error

    def _is_ready(self) -> bool:
        return bool(self._arrived) or self._ended or self._error is not None

    def _prepare_to_wait(self) -> None:
        if self._before_wait is not None and not self._is_ready():
            self._before_wait()
            self._before_wait = None

    def _take(self, size: int) -> bytes:
        """Return up to *size* octets from the position on, without waiting."""
        if self._position < self._spooled:
            spool = self._open_spool()
            spool.seek(self._position)
            data = spool.read(size)
        elif self._arrived:
            # What arrived together is taken together, so that reading it octet by octet copies it once.
            data = self._take_arrived()[0][:size]
        elif self._error is not None:
            raise self._noticed(self._error)
        else:
            return b""
        self._position += len(data)
        return data

    def _take_arrived(self) -> tuple[bytes, bool]:
        data, last = self._arrived.popleft()
        spool = self._open_spool()
        spool.seek(self._spooled)
        spool.write(data)
        self._spooled += len(data)
        self._acknowledge(len(data))
        return data, last

    def _open_spool(self) -> IO[bytes]:
        if self._spool is None:
            from tempfile import SpooledTemporaryFile

            self._spool = SpooledTemporaryFile(max_size=SPOOL_OCTETS)  # noqa: SIM115
        return self._spool

    def _read_to(self, position: int | None) -> None:
        """Wait until everything before *position* (None: everything) was taken."""
        self._position = self._spooled
        while position is None or self._spooled < position:
            if not self.read1():
                break
