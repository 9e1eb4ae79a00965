"""What holds of an exchange that is over, whichever protocol carried it."""

from __future__ import annotations

import pytest

from wptproto.errors import ExchangeClosed
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import ExchangeId
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["assert_over"]


def assert_over(connection: Connection, exchange_id: ExchangeId) -> None:
    """See that nothing can be sent for an exchange any more, and that nothing then is."""
    connection.data_to_send()
    closing = connection.closing
    for write in (
        lambda: connection.send_informational(exchange_id, ResponseHead(103, Fields())),
        lambda: connection.send_head(exchange_id, ResponseHead(200, Fields())),
        lambda: connection.send_content(exchange_id, b"x"),
        lambda: connection.send_trailers(exchange_id, Fields()),
        lambda: connection.send_verbatim(exchange_id, b"x"),
    ):
        with pytest.raises(ExchangeClosed):
            write()
    connection.acknowledge(exchange_id, 1)
    connection.abort(exchange_id)
    assert connection.finish(exchange_id) == []
    assert connection.data_to_send() == b""
    assert connection.closing is closing
