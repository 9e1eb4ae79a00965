"""
Faults: what a server can do wrong on purpose, and at which moment; the same words over both protocols.

A fault is an *effect*, what happens, and a *moment*, when. A word and its arguments make one::

    fault("reset")                                          # TCP RST in the place of a response
    fault("close", at="response_content", octet=100)        # behind exactly 100 octets of it
    fault("goaway", "ENHANCE_YOUR_CALM", last_stream_id=1)

What an effect does over each protocol stands at its class. One that has no meaning over a protocol, or at a
moment, is an error when it is asked for, never when it would happen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from wptproto.errors import FaultError
from wptproto.h2_codes import ErrorCode

__all__ = [
    "EFFECTS",
    "Close",
    "Cut",
    "DoNotRead",
    "Effect",
    "Fault",
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
    "as_fault",
    "fault",
    "parse",
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
        if last is not None and not (isinstance(last, int) and 0 <= last < 2**31):
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


class Fault(NamedTuple):
    """
    Something to do wrong.

    Attributes:
        effect: What.
        at: When.
        octet: During content: behind how many octets of it.
    """

    effect: Effect
    at: Moment
    octet: int = 0

    def __str__(self) -> str:
        given = [
            f"{one.name}={value!r}"
            for one in fields(self.effect)
            if (value := getattr(self.effect, one.name)) != one.default
        ]
        where = f"{self.at} at octet {self.octet}" if self.octet else f"{self.at}"
        return f"{self.effect.word()}({', '.join(given)}) at {where}"

    @property
    def needs_tls(self) -> bool:
        """Whether it has no meaning in the clear."""
        only_records = isinstance(self.effect, Cut) and not self.effect.sizes
        return self.effect.needs == "TLS" or self.at is Moment.TLS_HELLO or only_records

    def in_response(self) -> Fault:
        """
        Return it as it is asked for in a handler, to which the request is past.

        Raises:
            FaultError: Its moment is over by then.
        """
        if self.at not in BEFORE_RESPONSE:
            return self
        if self.at is self.effect.default:
            return self._replace(at=Moment.RESPONSE_HEAD)
        raise FaultError(
            f"{self.at} is over when a handler is called; server.expect(...).fault(...) says it before, and "
            f"server.fault(...) what goes wrong before there is a request"
        )

    def check(self, *, protocol: str | None, is_tls: bool | None) -> None:
        """
        Return if it has a meaning there.

        Args:
            protocol: ``HTTP/1.1`` or ``HTTP/2``; None where it may be either.
            is_tls: None where it may be either.

        Raises:
            FaultError: It has none.
        """
        effect = self.effect
        word = effect.word()
        if effect.needs == "HTTP/2" and protocol != "HTTP/2":
            may = (
                "" if protocol else ", and this may be answered over it; say protocol='HTTP/2' of the request"
            )
            raise FaultError(f"{word} has no meaning over HTTP/1.1{may} ({effect.instead})")
        if not self.needs_tls or is_tls is not False:
            return
        if isinstance(effect, Cut) and self.at is not Moment.TLS_HELLO:
            raise FaultError("cut: records are those of TLS, and there is none in the clear; say sizes")
        raise FaultError(f"{word} at {self.at} has no meaning in the clear, where there is no TLS")


def fault(
    what: str | Effect, *arguments: Any, at: str | None = None, octet: int | None = None, **named: Any
) -> Fault:
    """
    Return a fault.

    Args:
        what: The effect by its word, as ``reset_stream``; its arguments follow, in order or by name.
        arguments: Of the effect.
        at: The moment by its name, as ``response_content``; the effect's own, where nothing is said.
        octet: During content: behind how many octets of it; at its beginning, where nothing is said.
        named: Of the effect.

    Raises:
        FaultError: There is no such effect or moment, or they do not go together; says what there is.
    """
    if isinstance(what, Effect):
        _check_whole(what.word(), arguments, named)
        effect = what
    else:
        effect = _effect(what, arguments, named)
    if at is None:
        moment = Moment.RESPONSE_CONTENT if octet is not None else effect.default
    else:
        moment = _moment(at)
    if moment not in effect.moments:
        raise FaultError(f"{effect.word()} has no meaning at {moment}; it has at {', '.join(effect.moments)}")
    if octet is None:
        return Fault(effect, moment)
    if moment not in (Moment.REQUEST_CONTENT, Moment.RESPONSE_CONTENT):
        raise FaultError(f"octet counts content, and there is none at {moment}; say at='response_content'")
    given: Any = octet  # tests are not all typed
    if not isinstance(given, int) or isinstance(given, bool) or octet < 0:
        raise FaultError(f"octet is a number of octets, 0 or more, not {octet!r}")
    return Fault(effect, moment, octet)


def as_fault(
    what: str | Effect | Fault, *arguments: Any, at: str | None = None, octet: int | None = None, **named: Any
) -> Fault:
    """
    Return the fault that is given, or that :func:`fault` makes of all this.

    Raises:
        FaultError: It makes no sense, or says something of a fault that is whole as it was given.
    """
    if isinstance(what, Fault):
        moment = {name: value for name, value in (("at", at), ("octet", octet)) if value is not None}
        _check_whole(str(what), arguments, {**named, **moment})
        return what
    return fault(what, *arguments, at=at, octet=octet, **named)


def parse(arguments: Sequence[str]) -> Fault:
    """
    Return the fault that words say, as a URL has them: ``goaway``, ``code=CANCEL``, ``at=response_head``.

    Args:
        arguments: The effect's word; then its arguments, each by itself or as ``name=value``. Lists of
            numbers are written ``1:2:3``.

    Raises:
        FaultError: They say none.
    """
    if not arguments:
        raise FaultError(f"which fault? There are {', '.join(EFFECTS)}")
    word, *rest = arguments
    kind = _kind(word)
    positions = [one.name for one in fields(kind)]
    said: dict[str, Any] = {}
    for text in rest:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or name not in (*positions, "at", "octet"):
            name, value = next((free for free in positions if free not in said), ""), text
            if not name:
                raise FaultError(f"{kind.word()}: {text!r} is one argument too many; {_takes(kind)}")
        said[name] = value.strip() if name in ("at", "octet") else _read(kind, name, value)
    octet = said.pop("octet", None)
    return fault(word, octet=None if octet is None else _whole("octet", octet), **said)


def _effect(word: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Effect:
    kind = _kind(word)
    try:
        return kind(*arguments, **named)
    except TypeError as error:
        raise FaultError(f"{kind.word()}: {_takes(kind)}") from error


def _check_whole(what: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    if arguments or named:
        more = ", ".join([*map(repr, arguments), *(f"{name}={value!r}" for name, value in named.items())])
        raise FaultError(f"{what} was made before, and {more} would change it; say that where it is made")


def _kind(word: str) -> type[Effect]:
    kind = EFFECTS.get(str(word).strip().lower().replace("-", "_"))
    if kind is None:
        raise FaultError(f"there is no fault {word!r}; there are {', '.join(EFFECTS)}")
    return kind


def _takes(kind: type[Effect]) -> str:
    """Say what arguments an effect takes."""
    named = [one.name if one.default is MISSING else f"[{one.name}]" for one in fields(kind)]
    return f"it takes {', '.join(named)}" if named else "it takes no arguments"


def _moment(name: str) -> Moment:
    try:
        return Moment(str(name).strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise FaultError(f"there is no moment {name!r}; there are {', '.join(Moment)}") from None


def _read(kind: type[Effect], name: str, text: str) -> Any:
    """Return an argument's value from text."""
    text = text.strip()
    if name in ("sizes", "records"):
        return [_whole(name, part) for part in text.split(":")]
    if name in ("seconds", "octets_per_s", "gap_s"):
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            raise FaultError(f"{kind.word()}: {name} is a number such as 0.5, not {text!r}")
        return float(text)
    if name == "last_stream_id":
        return _whole(name, text)
    return text


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise FaultError(f"{name} is a whole number, not {text!r}")
    return int(text)


def _code(word: str, code: int | str) -> int:
    """Return an error code of HTTP/2."""
    if isinstance(code, str) and re.fullmatch(r"[0-9]{1,10}", code):
        code = int(code)
    names = ErrorCode.__members__
    found = names.get(code.upper()) if isinstance(code, str) else code
    if not isinstance(found, int) or not 0 <= found < 2**32:
        raise FaultError(
            f"{word}: {code!r} is no error code; say a number of 32 bits, or one of {', '.join(names)}"
        )
    return int(found)


def _octets(word: str, name: str, value: bytes | str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes | bytearray | memoryview):
        raise FaultError(f"{word}: {name} is octets or text, not {value!r}")
    return bytes(value)


def _sizes(word: str, name: str, value: Any) -> tuple[int, ...]:
    found = (value,) if isinstance(value, int) else tuple(value)
    if not all(isinstance(size, int) and size > 0 for size in found):
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
