"""Parts of a file, with octets between them, read as they are sent."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import IO, TYPE_CHECKING

from wptproto.semantics.ranges import ByteRange

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Parts"]


class Parts(io.RawIOBase):
    """
    A file made of ranges of another one, and of octets given; nothing is read before it is asked for.

    Where the other file has become shorter than its ranges, this one ends.
    """

    def __init__(self, file: IO[bytes], pieces: Sequence[ByteRange | bytes]) -> None:
        """
        Args:
            file: The other one; it is closed with this.
            pieces: Ranges of it, and octets, none of them empty, in the order in which they are read.
        """
        super().__init__()
        self._file = file
        self._pieces = pieces
        lengths = (len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)
        self._starts = [0, *accumulate(lengths)]  # of the pieces; and the end of the last
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}
        self._position = base[whence] + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        at = bisect_right(self._starts, self._position) - 1
        if at == len(self._pieces):
            return 0
        piece, within = self._pieces[at], self._position - self._starts[at]
        if isinstance(piece, bytes):
            octets = piece[within : within + len(view)]
        else:
            self._file.seek(piece[0] + within)
            octets = self._file.read(min(len(view), piece[1] - piece[0] - within))
        view[: len(octets)] = octets
        self._position += len(octets)
        return len(octets)

    def close(self) -> None:
        self._file.close()
        super().close()
