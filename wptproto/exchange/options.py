"""MessageOptions: what a script may choose about its response."""

from __future__ import annotations

from collections.abc import Collection

from wptproto.semantics.fields import FieldLine

__all__ = ["MessageOptions"]


class MessageOptions:
    """
    What a script may choose about its response, and a writer goes by.

    Attributes:
        encoding: Of text in content, and of names and values given to the writer.
        add_required_headers: Whether Server, Date and the framing fields are added.
        send_body_for_head_request: Send content also where HTTP has none: HEAD, 204, 304.
        explicit_flush: Send only on ``writer.flush()``, and at the end.
        close_connection: Close the HTTP/1.1 connection afterwards; HTTP/2 only ends the stream.
        given_trailers: What follows the content, as far as the script has said; None until it says so.
    """

    encoding = "utf8"
    add_required_headers = True
    send_body_for_head_request = False
    explicit_flush = False
    close_connection = False
    given_trailers: Collection[FieldLine] | None = None

    def content_length(self) -> int | None:
        """Return how many octets of content there will be, None where that cannot be known."""
        return None
