"""
Shared stash: one store for several processes.

One process keeps the values, as octets that it does not look into. Each of the others has a socket to it,
on which requests and answers take turns; so an operation costs a way there and back, and a value has to be
one that can be pickled. A message is its length and that many octets. A request is a verb, the length of its
key, the key and a value; an answer is an octet, whether it was done, and a value.
"""

from __future__ import annotations

import asyncio
import mmap
import pickle
import socket
import struct
import threading
from typing import Any

from wptproto.errors import StashError
from wptproto.handlers.stash import Key
from wptproto.server.process_lock import ProcessLock

__all__ = ["SharedStore", "StashKeeper"]

_LENGTH = struct.Struct("!Q")
_REQUEST = struct.Struct("!cI")
_PUT, _TAKE = b"P", b"T"
_DONE, _NOT_DONE = b"\1", b"\0"


class StashKeeper:
    """
    The values, in the process that keeps them; to be made before the others are forked.

    Attributes:
        lock: For the handlers of all of them.
    """

    def __init__(self) -> None:
        self.lock = ProcessLock()
        self._values: dict[bytes, bytes] = {}
        self._count = mmap.mmap(-1, _LENGTH.size)  # memory that they share: to count asks nobody

    @property
    def count(self) -> int:
        """How many values there are, as every process sees it."""
        found: int = _LENGTH.unpack(self._count[:])[0]
        return found

    async def serve(self, sock: socket.socket) -> None:
        """Answer the process at the other end until it ends, and close the socket, which does not block."""
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                answer = self._answer(await reader.readexactly(length))
                writer.writelines((_LENGTH.pack(len(answer)), answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has ended, maybe amid a message
        finally:
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        verb, length = _REQUEST.unpack_from(request)
        value_at = _REQUEST.size + length
        key = request[_REQUEST.size : value_at]
        if verb == _TAKE:
            value = self._values.pop(key, None)
            answer = _NOT_DONE if value is None else _DONE + value
        elif key in self._values:
            answer = _NOT_DONE
        else:
            self._values[key] = request[value_at:]
            answer = _DONE
        self._count[:] = _LENGTH.pack(len(self._values))
        return answer


class SharedStore:
    """The store as the handlers of one process use it; safe to use from any thread."""

    def __init__(self, keeper: StashKeeper, sock: socket.socket) -> None:
        """
        Args:
            keeper: As this process got it from the one that keeps the values.
            sock: Leads to where that is served, and blocks.
        """
        self._keeper = keeper
        self._sock = sock
        self._turn = threading.Lock()

    @property
    def lock(self) -> ProcessLock:
        """A lock for handlers of all processes; the store itself never waits for it."""
        return self._keeper.lock

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._keeper.count

    def put(self, key: Key, value: Any) -> bool:
        """
        Keep a copy of a value, and return True; return False if there is one already.

        Raises:
            StashError: The value cannot be pickled, or the process that keeps the values is gone.
        """
        try:
            octets = pickle.dumps(value)
        except Exception as error:
            raise StashError(
                f"several processes serve here, so the stash takes only what can be pickled, and not this "
                f"{type(value).__name__}: {error}"
            ) from error
        return self._ask(_PUT, key, octets)[:1] == _DONE

    def take(self, key: Key) -> Any:
        """
        Return a value and forget it; None where there is none.

        Raises:
            StashError: The process that keeps the values is gone.
        """
        answer = self._ask(_TAKE, key)
        # A handler of this very server has pickled it.
        return pickle.loads(answer[1:]) if answer[:1] == _DONE else None  # noqa: S301

    def _ask(self, verb: bytes, key: Key, value: bytes = b"") -> bytes:
        path, uuid = key
        name = uuid.bytes + path
        request = b"".join((_REQUEST.pack(verb, len(name)), name, value))
        try:
            with self._turn:
                self._sock.sendall(_LENGTH.pack(len(request)) + request)
                (length,) = _LENGTH.unpack(self._receive(_LENGTH.size))
                return self._receive(length)
        except (OSError, EOFError) as error:
            raise StashError("the process that keeps the stash is gone") from error

    def _receive(self, count: int) -> bytes:
        octets = bytearray()
        while len(octets) < count:
            data = self._sock.recv(count - len(octets))
            if not data:
                raise EOFError
            octets += data
        return bytes(octets)
