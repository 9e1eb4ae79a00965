"""
h2 as we need it: quieter, and with the last word about errors left to us.

These are the places that lean on how h2 works within; its versions are pinned for their sake.
"""

from __future__ import annotations

import re

import h2.config
import h2.connection
import h2.exceptions
from h2.errors import ErrorCodes
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes, Settings
from hpack import HPACKError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import Frame

__all__ = ["Library", "code_name", "error_code", "reason"]

_ADDRESS = re.compile(r":?(?: from)? <memory at 0x[0-9a-fA-F]+>")  # where hpack means to quote octets


class _FrameBuffer(FrameBuffer):
    def __next__(self) -> Frame:
        """Let no frame spell out its content: h2 makes a ``repr`` of each, for a log that nobody keeps."""
        frame = super().__next__()
        frame._body_repr = str  # type: ignore[method-assign]
        return frame


class Library(h2.connection.H2Connection):
    """A server's side of h2 that takes and gives fields as they are, and lets a GOAWAY be ours to write."""

    def __init__(self, settings: dict[SettingCodes, int]) -> None:
        """
        Args:
            settings: What is announced to the client, beside h2's own defaults.
        """
        super().__init__(
            h2.config.H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.incoming_buffer = _FrameBuffer(server=True)
        self.local_settings = Settings(client=False, initial_values=dict(settings))
        self.decoder.max_header_list_size = self.local_settings.max_header_list_size or 0

    def clear_outbound_data_buffer(self) -> None:
        """Keep what is queued when GOAWAY arrives: it belongs to streams that go on (RFC 9113 §6.8)."""

    def _terminate_connection(self, error_code: ErrorCodes) -> None:
        """Leave it to us, who tell the reason, and for whom not every error is the connection's."""


def reason(error: h2.exceptions.ProtocolError) -> str:
    """Put an exception of h2's in words; hyperframe, below it, often has the better ones."""
    if isinstance(error, h2.exceptions.NoSuchStreamError):
        return f"a frame for stream {error.stream_id}, which is not open"
    cause = error.__cause__
    words = f"{error} ({cause})" if isinstance(cause, HyperframeError) else str(error)
    return _ADDRESS.sub("", words)


def error_code(error: h2.exceptions.ProtocolError) -> ErrorCodes:
    """Return the code that RFC 9113 has for an exception of h2's."""
    # RFC 9113 §4.3: "A receiver MUST terminate the connection with a connection error of type
    # COMPRESSION_ERROR if it does not decompress a field block."
    if isinstance(error.__cause__, HPACKError) and error.error_code == ErrorCodes.PROTOCOL_ERROR:
        return ErrorCodes.COMPRESSION_ERROR
    return error.error_code


def code_name(code: int | ErrorCodes | None) -> str:
    """Return the name of an error code, its number where it has none (RFC 9113 §7)."""
    return code.name if isinstance(code, ErrorCodes) else f"{code}"
