"""Server: what a test says to a running server, and what it asks of it."""

from __future__ import annotations

from wptproto.server.base import BaseServer

__all__ = ["Server"]


class Server(BaseServer):
    """
    A server for tests.

    Its settings and its life are :class:`~wptproto.server.base.BaseServer`'s.
    """
