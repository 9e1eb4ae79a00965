"""Octets taken apart into frames: the preface, headers of frames, and the end inside one."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hyperframe.frame import (
    Frame,
    GoAwayFrame,
    PingFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.helpers.h2 import (
    OPENING,
    Client,
    frames_of,
    headers,
    is_open,
    kinds,
    open_connection,
)
from wptproto.limits import Limits
from wptproto.protocol.connection import Closing
from wptproto.protocol.events import ProtocolViolated, WindowOpened
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_frames import PREFACE

LIMITS = Limits()
STREAM_WINDOW_OCTETS = LIMITS.h2_stream_window_octets
CONNECTION_WINDOW_OCTETS = LIMITS.h2_connection_window_octets


def test_the_servers_preface() -> None:
    """ "The server connection preface consists of a potentially empty SETTINGS frame" (RFC 9113 §3.4)."""
    settings, window = frames_of(H2Connection().data_to_send())
    assert isinstance(settings, SettingsFrame)
    assert settings.settings[SettingCodes.MAX_CONCURRENT_STREAMS] == LIMITS.h2_concurrent_streams
    assert settings.settings[SettingCodes.INITIAL_WINDOW_SIZE] == STREAM_WINDOW_OCTETS
    assert settings.settings[SettingCodes.MAX_HEADER_LIST_SIZE] == LIMITS.field_section_octets
    assert isinstance(window, WindowUpdateFrame)
    assert (window.stream_id, window.window_increment) == (0, CONNECTION_WINDOW_OCTETS - 65535)


def test_settings_are_acknowledged_at_once() -> None:
    """The recipient "MUST immediately emit a SETTINGS frame with the ACK flag set" (RFC 9113 §6.5.3)."""
    connection = H2Connection()
    connection.data_to_send()
    assert connection.receive_data(OPENING) == []
    (ack,) = frames_of(connection.data_to_send())
    assert isinstance(ack, SettingsFrame)
    assert "ACK" in ack.flags


@pytest.mark.parametrize("at", [0, 3, len(PREFACE) - 1])
@pytest.mark.parametrize("flushed", [True, False])
def test_a_broken_preface(at: int, flushed: bool) -> None:
    """
    "Clients and servers MUST treat an invalid connection preface as a connection error of type
    PROTOCOL_ERROR" (RFC 9113 §3.4); our own preface stays whole before that.
    """
    connection = H2Connection()
    before = connection.data_to_send() if flushed else b""
    (violation,) = connection.receive_data(PREFACE[:at] + b"\xff" + OPENING[at + 1 :])
    assert isinstance(violation, ProtocolViolated)
    _, _, goaway = frames_of(before + connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert goaway.error_code == ErrorCodes.PROTOCOL_ERROR
    assert goaway.additional_data == b"Invalid HTTP/2 preamble."
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize("first", [headers(1), PingFrame(0), SettingsFrame(0, flags=["ACK"]), b"GET / HTTP"])
def test_the_preface_ends_with_settings(first: Frame | bytes) -> None:
    """ "This sequence MUST be followed by a SETTINGS frame" (RFC 9113 §3.4), which no ACK is."""
    client = Client()
    connection = client.connection
    octets = first if isinstance(first, bytes) else first.serialize()
    assert kinds(connection.receive_data(PREFACE + octets)) == [ProtocolViolated]
    assert client.goaway().error_code == ErrorCodes.PROTOCOL_ERROR


def test_the_reserved_bit_of_an_increment() -> None:
    """WINDOW_UPDATE has a reserved bit before its increment (RFC 9113 §6.9), which says nothing."""
    connection = open_connection()
    assert connection.receive_data(b"\0\0\4\x08\0\0\0\0\0\x80\0\0\1") == [WindowOpened(None)]
    (violation,) = connection.receive_data(b"\0\0\4\x08\0\0\0\0\0\x80\0\0\0")
    assert isinstance(violation, ProtocolViolated)


def test_padding_past_the_field_block() -> None:
    """ "Padding that exceeds the size remaining for the field block fragment" is an error (RFC 9113 §6.2)."""
    connection = open_connection()
    (violation,) = connection.receive_data(b"\0\0\x07\x01\x2d\0\0\0\1\2\0\0\0\0\0\x82")
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == "HEADERS with 2 octets of padding, where 1 is left"


def test_padding_up_to_the_field_block() -> None:
    """Padding may leave nothing but what stands before the field block."""
    connection = open_connection()
    padded = b"\0\0\x07\x01\x29\0\0\0\1\1\0\0\0\0\0\0"
    assert connection.receive_data(padded) == []
    assert is_open(connection)
