"""Exchange: one request and its response, from the head's arrival to the end (RFC 9113 §8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from wptproto.exchange.bridge import Bridge, SendInformational
from wptproto.exchange.content import RequestContent
from wptproto.exchange.h1_writer import H1ResponseWriter
from wptproto.exchange.options import MessageOptions
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.exchange.writer import ResponseWriter
from wptproto.protocol.events import ExchangeId, RequestReceived
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead, reason_phrase

__all__ = ["Exchange", "HandlerObserver", "Surroundings"]


class Surroundings(NamedTuple):
    """
    What an exchange knows beyond its message.

    Attributes:
        scheme: ``http`` or ``https``.
        client_address: Address and port of the client.
        server_address: Address and port it connected to.
        server_for: Returns what the handler of a request sees as ``request.server``; None without a server.
        doc_root: What handlers see as ``request.doc_root``.
    """

    scheme: str
    client_address: tuple[str, int]
    server_address: tuple[str, int]
    server_for: Callable[[Request], Any] | None = None
    doc_root: str | None = None


class HandlerObserver(Protocol):
    """Who is told of a handler, on the thread that runs it."""

    def handler_begun(self, exchange: Exchange, /) -> None:
        """It is called."""

    def handler_ended(self, exchange: Exchange, error: BaseException | None, /) -> None:
        """It is through, by what nobody expected, if there is an error."""


class Exchange:
    """
    One exchange.

    Its loop's side feeds ``content``; a handler gets ``request`` and ``response``.

    Attributes:
        observer: Is told of its handler, if anybody is.
        failure: What its handler raised, and nobody expected.
        handler: What answers it in the place of whoever would by its route, if anything.
    """

    observer: HandlerObserver | None = None
    failure: BaseException | None = None
    handler: Callable[..., object] | None = None

    def __init__(self, received: RequestReceived, bridge: Bridge, surroundings: Surroundings) -> None:
        head = received.head
        self.head = head
        self._scheme = surroundings.scheme
        self._id = received.exchange_id
        self.bridge = bridge
        self._waits_for_continue = received.expects_continue
        self._closes_anyway = received.closes
        self._writer: ResponseWriter | None = None
        self.content = RequestContent(
            acknowledge=bridge.acknowledge,
            before_wait=self._send_continue if received.expects_continue else None,
        )
        self.request = Request(
            head,
            self.content,
            scheme=surroundings.scheme,
            client_address=surroundings.client_address,
            server_address=surroundings.server_address,
            doc_root=surroundings.doc_root,
            h2_stream_id=received.exchange_id if head.version == "HTTP/2.0" else None,
            has_content=received.has_content,
        )
        if surroundings.server_for is not None:
            self.request.server = surroundings.server_for(self.request)
        self.response = Response(self, self.request)

    @property
    def id(self) -> ExchangeId:
        """What the exchange is called on its connection."""
        return self._id

    @property
    def is_misdirected(self) -> bool:
        """Whether a request is for https and came in the clear, or is for neither https nor http."""
        return self.head.scheme not in (b"", b"http", self._scheme.encode())

    def make_writer(self, options: MessageOptions) -> ResponseWriter:
        """Return a writer for the protocol that carried the request."""
        if self.head.version == "HTTP/2.0":
            from wptproto.exchange.h2_writer import H2ResponseWriter  # not needed for HTTP/1.1 alone

            self._writer = H2ResponseWriter(self.head, options, self.bridge, self._id)
        else:
            self._writer = H1ResponseWriter(self.head, options, self.bridge, closes=self._closes)
        return self._writer

    def begin_handling(self) -> None:
        """Take note that the handler is called; whatever ends the exchange ends that."""
        if self.observer is not None:
            self.observer.handler_begun(self)

    def restart(self) -> None:
        """Drop a response of which nothing was sent, to answer with another, such as an error."""
        self.response.close_content()
        self.response.writer.release()
        self.response = Response(self, self.request)

    def finish(self) -> None:
        """End the response, and let go of the request."""
        self._tell_end()
        self.response.writer.finish()
        self.release()

    def abort(self, reason: str) -> None:
        """Cut the response off visibly, and let go of the request."""
        self._tell_end()
        self.response.writer.abort(reason)
        self.release()

    def release(self) -> None:
        """Let go of all content, though others may still hold the exchange."""
        self._tell_end()
        self.response.writer.release()
        self.response.close_content()
        self.response.content = None
        self.content.close()

    def _tell_end(self) -> None:
        """Tell that the handler is through, before its client can know: a test asks as soon as that does."""
        if self.observer is not None:
            observer, self.observer = self.observer, None
            observer.handler_ended(self, self.failure)
            self.failure = None  # with its frames it holds all that they do

    def _send_continue(self) -> None:
        self._waits_for_continue = False
        if self._writer is None or not (self._writer.committed or self._writer.has_continued):
            self.bridge.send([SendInformational(ResponseHead(100, Fields(), reason_phrase(100)))])

    def _closes(self) -> bool:
        """Whether the HTTP/1.1 connection will close, as far as the request decides (RFC 9112 §6.3, §9.3)."""
        waits = self._waits_for_continue and not self.content.has_arrived
        return waits or self._closes_anyway
