"""Reader: a client that looks at each frame, and at no more than whether it could have come there."""

from __future__ import annotations

from hpack import Decoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

__all__ = ["Reader"]


class Reader:
    """What a server has sent on one connection."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._is_over = False

    def read(self, octets: bytearray) -> None:
        """Take whole frames off the octets."""
        while octets:
            frame, length = Frame.parse_frame_header(memoryview(bytes(octets[:9])), strict=True)
            frame.parse_body(memoryview(bytes(octets[9 : 9 + length])))
            del octets[: 9 + length]
            self._look_at(frame)

    def _look_at(self, frame: Frame) -> None:
        assert not self._is_over, "GOAWAY is the last frame"
        stream_id = frame.stream_id
        match frame:
            case GoAwayFrame():
                self._is_over = True
            case HeadersFrame():
                assert stream_id not in self._ended
                assert "END_HEADERS" in frame.flags
                section = dict(self._decoder.decode(frame.data, raw=True))
                if stream_id not in self._begun:
                    status = int(section[b":status"])
                    assert 100 <= status <= 999
                    if status >= 200:
                        self._begun.add(stream_id)
                else:
                    assert b":status" not in section
                    assert "END_STREAM" in frame.flags
            case DataFrame():
                assert stream_id in self._begun - self._ended
            case PushPromiseFrame():
                self._decoder.decode(frame.data, raw=True)
            case RstStreamFrame():
                self._ended.add(stream_id)
            case _:
                assert isinstance(frame, SettingsFrame | PingFrame | WindowUpdateFrame)
        if isinstance(frame, HeadersFrame | DataFrame) and "END_STREAM" in frame.flags:
            self._ended.add(stream_id)
