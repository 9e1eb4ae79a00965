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

import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from wptproto.effects import (
    BEFORE_RESPONSE,
    EFFECTS,
    Close,
    Cut,
    DoNotRead,
    Effect,
    Garbage,
    GoAway,
    HalfClose,
    Moment,
    NoCloseNotify,
    Reset,
    ResetStream,
    Slow,
    Stall,
    Truncate,
)
from wptproto.errors import FaultError

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
    except TypeError:
        raise FaultError(f"{kind.word()}: {_takes(kind)}") from None


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
