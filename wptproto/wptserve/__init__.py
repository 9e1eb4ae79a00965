"""
wptserve's module layout: its names, by which programs and scripts written for it find ours.

Handler scripts say ``import wptserve`` and get this package. A program does after
``from wptproto import wptserve``; what it cannot have here raises an error that says so. Nothing else in
the package knows of this room.
"""

from __future__ import annotations

from wptproto.wptserve import constants, pipes, ranges
from wptproto.wptserve.request import Request
from wptproto.wptserve.response import Response
from wptproto.wptserve.router import Router
from wptproto.wptserve.server import WebTestHttpd, WebTestServer

__all__ = ["Request", "Response", "Router", "WebTestHttpd", "WebTestServer", "constants", "pipes", "ranges"]
