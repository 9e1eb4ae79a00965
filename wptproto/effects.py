"""
Effects: what a server can do wrong on purpose, each with its arguments, and the moments at which it can.

What one of them does over each protocol stands at its class. :mod:`wptproto.faults` has the words for them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeGuard

from wptproto.errors import FaultError
from wptproto.h2_codes import ErrorCode

__all__ = [
    "BEFORE_RESPONSE",
    "EFFECTS",
    "Close",
    "Cut",
    "DoNotRead",
    "Effect",
    "Garbage",
    "GoAway",
    "HalfClose",
    "Moment",
    "NoCloseNotify",
    "Reset",
    "ResetStream",
    "Slow",
    "Stall",
    "Truncate",
]


class Moment(StrEnum):
    """
    When something happens; each value is the name to say.

    Attributes:
        ACCEPTED: The connection was accepted, and nothing has been said.
        TLS_HELLO: The first octets of the client's TLS have come, and nothing was answered.
        REQUEST_HEAD: The head of a request is there; its handler has not been called.
        REQUEST_CONTENT: So many octets of a request's content have come.
        RESPONSE_HEAD: The head of the response is about to be sent.
        RESPONSE_CONTENT: Exactly so many octets of the response's content have been sent.
        END: The response is whole, and has been sent.
        IDLE: So is every other response of the connection, and nothing is going on.
    """

    ACCEPTED = "accepted"
    TLS_HELLO = "tls_hello"
    REQUEST_HEAD = "request_head"
    REQUEST_CONTENT = "request_content"
    RESPONSE_HEAD = "response_head"
    RESPONSE_CONTENT = "response_content"
    END = "end"
    IDLE = "idle"

    @property
    def is_the_connections(self) -> bool:
        """Whether there is no request yet to which it could belong."""
        return self in (Moment.ACCEPTED, Moment.TLS_HELLO)


ALWAYS = tuple(Moment)
WITH_REQUEST = ALWAYS[2:]
BEFORE_RESPONSE = ALWAYS[:4]


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens."""

    moments: ClassVar[tuple[Moment, ...]] = ALWAYS
    """When it can."""
    default: ClassVar[Moment] = Moment.RESPONSE_HEAD
    """When it does, where nobody says."""
    needs: ClassVar[str] = ""
    """What it has a meaning for alone: ``HTTP/2``, or ``TLS``."""
    instead: ClassVar[str] = ""
    """What does something like it elsewhere, in words."""

    @classmethod
    def word(cls) -> str:
        """Return the name by which it is asked for."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower().replace("go_away", "goaway")


@dataclass(frozen=True, slots=True)
class Close(Effect):
    """Send what was said before, then close the connection: close_notify over TLS, FIN, and no GOAWAY."""


@dataclass(frozen=True, slots=True)
class HalfClose(Effect):
    """Send what was said before, then close_notify and FIN; read on, and send nothing more."""


@dataclass(frozen=True, slots=True)
class Reset(Effect):
    """Send what was said before, then end the connection by a TCP RST."""


@dataclass(frozen=True, slots=True)
class ResetStream(Effect):
    """
    End the exchange by RST_STREAM, the connection goes on (RFC 9113 §6.4).

    Attributes:
        code: An error code of RFC 9113 §7, by name or number.
    """

    code: int | str = "INTERNAL_ERROR"

    moments: ClassVar[tuple[Moment, ...]] = WITH_REQUEST[:-1]
    needs: ClassVar[str] = "HTTP/2"
    instead: ClassVar[str] = "HTTP/1.1 has no streams; close and reset end the connection"

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", _code(self.word(), self.code))


@dataclass(frozen=True, slots=True)
class GoAway(Effect):
    """
    Send GOAWAY (RFC 9113 §6.8); streams above the last are dropped without a word, those up to it go on.

    So do streams that were promised.

    Attributes:
        code: An error code of RFC 9113 §7, by name or number.
        last_stream_id: The last stream that is said to have been looked at; None is that of the request, and
            of one that was promised, the client's last that is in progress.
        debug: Additional debug data; text is UTF-8.
    """

    code: int | str = "NO_ERROR"
    last_stream_id: int | None = None
    debug: bytes | str = b""

    moments: ClassVar[tuple[Moment, ...]] = WITH_REQUEST
    needs: ClassVar[str] = "HTTP/2"
    instead: ClassVar[str] = "over HTTP/1.1 a response says Connection: close"

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", _code(self.word(), self.code))
        object.__setattr__(self, "debug", _octets(self.word(), "debug", self.debug))
        last: Any = self.last_stream_id  # tests are not all typed
        if last is not None and not (_is_whole(last) and 0 <= last < 2**31):
            raise FaultError(f"goaway: last_stream_id is a number from 0 to 2147483647, not {last!r}")


@dataclass(frozen=True, slots=True)
class Stall(Effect):
    """
    Say nothing more, of this response or, before there is one, on this connection; go on later.

    During a request's content, its rest is left unread, and nothing of it is acknowledged. Other streams of
    the connection go on.

    Attributes:
        seconds: For how long; None is until somebody calls ``server.release()``.
    """

    seconds: float | None = None

    def __post_init__(self) -> None:
        _check_positive(self.word(), "seconds", self.seconds, optional=True)


@dataclass(frozen=True, slots=True)
class Slow(Effect):
    """
    Send no faster: the rest of the content, or, from the head on and before, all octets of the connection.

    At the moments of a request it is the connection's octets that are read no faster.

    Attributes:
        octets_per_s: How fast.
    """

    octets_per_s: float

    moments: ClassVar[tuple[Moment, ...]] = (*BEFORE_RESPONSE, Moment.RESPONSE_HEAD, Moment.RESPONSE_CONTENT)
    default: ClassVar[Moment] = Moment.RESPONSE_CONTENT

    def __post_init__(self) -> None:
        _check_positive(self.word(), "octets_per_s", self.octets_per_s)


@dataclass(frozen=True, slots=True)
class Truncate(Effect):
    """
    Leave out the rest of the content, and end as if that were all.

    HTTP/1.1 closes the connection, in good order; the length that was promised, or the last chunk, is missed.
    HTTP/2 ends the stream by END_STREAM, short of the Content-Length.
    """

    moments: ClassVar[tuple[Moment, ...]] = (Moment.RESPONSE_CONTENT,)
    default: ClassVar[Moment] = Moment.RESPONSE_CONTENT


@dataclass(frozen=True, slots=True)
class Garbage(Effect):
    """
    Put octets among those of the protocol: between two frames of HTTP/2, anywhere in HTTP/1.1.

    Before TLS is agreed on, they go out as they are.

    Attributes:
        octets: Which; text is UTF-8.
    """

    octets: bytes | str = b"\xff\xff\xff\xff garbage \xff\r\n\r\n"  # longer than any frame may be

    def __post_init__(self) -> None:
        object.__setattr__(self, "octets", _octets(self.word(), "octets", self.octets))


@dataclass(frozen=True, slots=True)
class DoNotRead(Effect):
    """Leave all that the client sends from here on in the socket; what was said before goes on."""

    default: ClassVar[Moment] = Moment.REQUEST_HEAD


@dataclass(frozen=True, slots=True)
class NoCloseNotify(Effect):
    """When the connection closes, leave out TLS's close_notify (RFC 8446 §6.1)."""

    needs: ClassVar[str] = "TLS"
    instead: ClassVar[str] = "there is no close_notify in the clear"


@dataclass(frozen=True, slots=True)
class Cut(Effect):
    """
    Say how the connection's octets fall into TCP segments and TLS records, from here on.

    Of more than one size, each is used once, and the last again and again.

    Attributes:
        sizes: Octets of each segment; each is written by itself, with TCP_NODELAY.
        records: Octets of plaintext of each TLS record; the largest that there are, if none is given.
        gap_s: Seconds between two segments, for what would read them as one.
    """

    sizes: Sequence[int] = (1,)
    records: Sequence[int] = ()
    gap_s: float = 0.001

    moments: ClassVar[tuple[Moment, ...]] = (
        Moment.ACCEPTED,
        Moment.TLS_HELLO,
        Moment.REQUEST_HEAD,
        Moment.RESPONSE_HEAD,
        Moment.RESPONSE_CONTENT,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", _sizes(self.word(), "sizes", self.sizes))
        object.__setattr__(self, "records", _sizes(self.word(), "records", self.records))
        _check_positive(self.word(), "gap_s", self.gap_s, zero=True)
        if not self.sizes and not self.records:
            raise FaultError("cut: say sizes of segments, or of records, or both")


EFFECTS: dict[str, type[Effect]] = {
    kind.word(): kind
    for kind in (
        Close,
        HalfClose,
        Reset,
        ResetStream,
        GoAway,
        Stall,
        Slow,
        Truncate,
        Garbage,
        DoNotRead,
        NoCloseNotify,
        Cut,
    )
}


def _code(word: str, code: int | str) -> int:
    """Return an error code of HTTP/2."""
    if isinstance(code, str) and re.fullmatch(r"[0-9]{1,10}", code):
        code = int(code)
    names = ErrorCode.__members__
    found = names.get(code.upper()) if isinstance(code, str) else code
    if not _is_whole(found) or not 0 <= found < 2**32:
        raise FaultError(
            f"{word}: {code!r} is no error code; say a number of 32 bits, or one of {', '.join(names)}"
        )
    return int(found)


def _is_whole(value: Any) -> TypeGuard[int]:
    """Whether something is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _octets(word: str, name: str, value: bytes | str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes | bytearray | memoryview):
        raise FaultError(f"{word}: {name} is octets or text, not {value!r}")
    return bytes(value)


def _sizes(word: str, name: str, value: Any) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(_is_whole(size) and size > 0 for size in found):
        raise FaultError(f"{word}: {name} are numbers of octets above 0, not {value!r}")
    return found


def _check_positive(word: str, name: str, value: Any, *, optional: bool = False, zero: bool = False) -> None:
    if value is None and optional:
        return
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < 0
        or (value == 0 and not zero)
    ):
        raise FaultError(f"{word}: {name} is a number above 0, not {value!r}")
