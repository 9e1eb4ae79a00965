"""
Bridge: what a handler may ask of the owner of its connection, from whatever thread.

It is the one way across. Commands go over in order, as many at a time as the handler has; the
owner carries them out on the connection. Going over costs about as much as a small response,
so a response that is ready goes over once, with all its commands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from wptproto.protocol.events import RequestReceived
from wptproto.protocol.h2_frames import RawFrame
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = [
    "Abort",
    "AskPush",
    "AskRoom",
    "Bridge",
    "Command",
    "Finish",
    "Misbehave",
    "Promised",
    "Push",
    "Question",
    "SendContent",
    "SendFrame",
    "SendHead",
    "SendInformational",
    "SendTrailers",
    "SendVerbatim",
    "Sent",
]


class SendInformational(NamedTuple):
    """Send a 1xx response."""

    head: ResponseHead


class SendHead(NamedTuple):
    """Send the final head; *end* says that no content follows."""

    head: ResponseHead
    end: bool = False


class SendContent(NamedTuple):
    """Send content octets; *end* says that they are the last."""

    data: bytes
    end: bool = False


class SendTrailers(NamedTuple):
    """Send the trailer section, and with it the end."""

    trailers: Fields


class SendVerbatim(NamedTuple):
    """
    Send octets as they are.

    Attributes:
        octets: Which.
        content: Where among them content of the message begins and ends, if any does.
    """

    octets: bytes
    content: tuple[int, int] | None = None


class SendFrame(NamedTuple):
    """Send one HTTP/2 frame as it is."""

    frame: RawFrame


class Misbehave(NamedTuple):
    """
    Do something wrong.

    Attributes:
        fault: What.
        is_now: Whether it is to happen here, behind all that was said before, whatever moment it names.
    """

    fault: Fault
    is_now: bool = False


class Promised(NamedTuple):
    """
    A promised exchange.

    Attributes:
        received: Its request, as if the peer had made it.
        bridge: The way of its response.
    """

    received: RequestReceived
    bridge: Bridge


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """
    Promise a response to a request the peer has not made; *answer* is the exchange of that.

    If it is to be *handled*, it is as if the peer had made it, and *handler*, if there is one, answers in the
    place of whoever would. Otherwise it is for the asker to answer.
    """

    lines: list[FieldLine]
    promised_id: int | None = None
    answer: Future[Promised] = field(default_factory=Future)
    handled: bool = False
    handler: Callable[..., object] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AskPush:
    """Ask whether a response can be promised now."""

    answer: Future[bool] = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class AskRoom:
    """Ask how many octets of content one frame can hold now."""

    answer: Future[int] = field(default_factory=Future)


class Finish(NamedTuple):
    """The response is as whole as it will be; *close* closes an HTTP/1.1 connection behind it."""

    close: bool = False


class Abort(NamedTuple):
    """Cut the response off, for the peer to see; *reason* is for the log."""

    reason: str


Question = Push | AskPush | AskRoom
Command = (
    SendInformational
    | SendHead
    | SendContent
    | SendTrailers
    | SendVerbatim
    | SendFrame
    | Misbehave
    | Question
    | Finish
    | Abort
)


class Sent(Awaitable[bool]):
    """
    What a write answers: true while the peer is there.

    A coroutine may await it, and goes on when so much of what it wrote has left that more is
    welcome. A thread has waited for that already, and gets a plain bool, which is all it needs.
    """

    __slots__ = ("_bridge",)

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def __bool__(self) -> bool:
        return not self._bridge.closed

    def __eq__(self, other: object) -> bool:
        return bool(self) == other

    __hash__ = None  # type: ignore[assignment]  # what it answers changes

    def __await__(self) -> Generator[object, None, bool]:
        yield from self._bridge.drained().__await__()
        return not self._bridge.closed


class Bridge(ABC):
    """
    One exchange's way to the owner of its connection.

    Attributes:
        closed: The peer reset the exchange or is gone, or the server stops.
    """

    closed: bool = False

    @abstractmethod
    def send(self, commands: Sequence[Command]) -> Sent:
        """
        Hand over commands, in order.

        Waits, on a handler's thread, while too much of what was handed over before is still
        unsent; on the loop's thread the answer can be awaited instead.

        Returns:
            Whether the peer is still there. If it is not, the commands are dropped.
        """

    @abstractmethod
    def ask(self, question: Question) -> None:
        """
        Hand over a question, behind all commands that went before, and wait until its *answer* is there.

        Raises:
            LocalProtocolError: On the loop's thread, which cannot wait: what went before has not all left.
        """

    @abstractmethod
    def acknowledge(self, consumed: int) -> None:
        """Tell that the handler consumed so many octets of the request's content."""

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Block this handler's thread for a while, or until the exchange is closed."""

    @abstractmethod
    async def drained(self) -> None:
        """Wait until more content is welcome, or the exchange is closed."""
