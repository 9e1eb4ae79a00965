"""
The wire by hand: what a test needs beside the connection that ``Server.accept`` gives it.

The types of frames, for ``expect`` and ``send_frame``, are the classes of frames that come.
"""

from __future__ import annotations

from wptproto.h2_codes import ACK, END_HEADERS, END_STREAM, PADDED, ErrorCode, Setting
from wptproto.protocol.h2_field_blocks import Indexed, Literal, TableSize
from wptproto.protocol.h2_frame_types import (
    AltsvcFrame,
    ContinuationFrame,
    DataFrame,
    Frame,
    GoawayFrame,
    HeadersFrame,
    MalformedFrame,
    OriginFrame,
    PingFrame,
    PriorityFields,
    PriorityFrame,
    PriorityUpdateFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
    build,
)
from wptproto.protocol.violations import Violation
from wptproto.wire.h1 import H1Wire
from wptproto.wire.h2 import H2Wire
from wptproto.wire.line import Ending
from wptproto.wire.requests import H1Head, H1Request, H2Request, Section

__all__ = [
    # connections
    "H1Wire",
    "H2Wire",
    "Ending",
    "Violation",
    # types of frames
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
    "ALTSVC",
    "ORIGIN",
    "PRIORITY_UPDATE",
    "Frame",
    "MalformedFrame",
    # what is in them
    "ACK",
    "END_HEADERS",
    "END_STREAM",
    "PADDED",
    "ErrorCode",
    "PriorityFields",
    "Setting",
    "build",
    # field blocks
    "Indexed",
    "Literal",
    "TableSize",
    # requests
    "H1Head",
    "H1Request",
    "H2Request",
    "Section",
]

DATA = DataFrame
HEADERS = HeadersFrame
PRIORITY = PriorityFrame
RST_STREAM = RstStreamFrame
SETTINGS = SettingsFrame
PUSH_PROMISE = PushPromiseFrame
PING = PingFrame
GOAWAY = GoawayFrame
WINDOW_UPDATE = WindowUpdateFrame
CONTINUATION = ContinuationFrame
ALTSVC = AltsvcFrame
ORIGIN = OriginFrame
PRIORITY_UPDATE = PriorityUpdateFrame
