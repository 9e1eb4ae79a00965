"""RFC 9113, of what a server sends: rules that hold for all of it, whatever its client did."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from tests.conformance.h2_wire import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Conversation,
    Wire,
)
from tests.conformance.probe import Level

__all__ = ["RULES", "Rule"]

_FLAGS = {DATA: 0x9, HEADERS: 0x2D, SETTINGS: ACK, PING: ACK, CONTINUATION: END_HEADERS}
_CONNECTION_SPECIFIC = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_INITIAL_WINDOW, _MAX_FRAME, _PUSH = 4, 5, 2
_MOST = 2**31 - 1


@dataclass(frozen=True)
class Rule:
    """
    One row.

    Attributes:
        holds: Whether a conversation keeps it.
    """

    id: str
    section: str
    sentence: str
    holds: Callable[[Conversation], bool]
    level: Level = "MUST"


def of_kind(frames: list[Wire], kind: int, *, ack: bool | None = None) -> list[Wire]:
    return [f for f in frames if f.kind == kind and (ack is None or bool(f.flags & ACK) is ack)]


def announced(conversation: Conversation, code: int, default: int) -> list[int]:
    """Return all values of a setting that its client has ever had."""
    frames = of_kind(conversation.client, SETTINGS, ack=False)
    return [default, *(value for frame in frames for key, value in frame.settings if key == code)]


def first_is_settings(conversation: Conversation) -> bool:
    return not conversation.server or (conversation.server[0].kind, conversation.server[0].flags) == (
        SETTINGS,
        0,
    )


def blocks_are_contiguous(conversation: Conversation) -> bool:
    """Whether behind each fragment that is not the last of its block stands the next of the same stream."""
    frames = conversation.server
    for frame, following in zip(frames, [*frames[1:], Wire(GOAWAY, 0, 0, b"")], strict=True):
        is_open = frame.kind in (HEADERS, CONTINUATION) and not frame.flags & END_HEADERS
        if is_open is not (following.kind == CONTINUATION) or (is_open and following.stream != frame.stream):
            return False
    return True


def nothing_behind_the_end(conversation: Conversation) -> bool:
    over: set[int] = set()
    for frame in conversation.server:
        if frame.kind in (DATA, HEADERS) and frame.stream in over:
            return False
        if frame.kind == RST_STREAM or (frame.kind in (DATA, HEADERS) and frame.flags & END_STREAM):
            over.add(frame.stream)
    return True


def last_stream_is_right(conversation: Conversation) -> bool:
    """Whether GOAWAY names none that the client did not open, and none lower than was answered."""
    goaway = conversation.goaway
    opened = [frame.stream & _MOST for frame in of_kind(conversation.client, HEADERS)]
    return goaway is None or max(conversation.statuses, default=0) <= goaway.number <= max(opened, default=0)


def nothing_behind_goaway(conversation: Conversation) -> bool:
    return conversation.is_sound or conversation.server[-1].kind == GOAWAY


def settings_are_acknowledged(conversation: Conversation) -> bool:
    asked = of_kind(conversation.client, SETTINGS, ack=False)
    answered = of_kind(conversation.server, SETTINGS, ack=True)
    return len(answered) == len(asked) if conversation.is_sound else len(answered) <= len(asked)


def settings_are_valid(conversation: Conversation) -> bool:
    pairs = [pair for frame in of_kind(conversation.server, SETTINGS, ack=False) for pair in frame.settings]
    return all(
        not (code == _PUSH and value)
        and not (code == _INITIAL_WINDOW and value > _MOST)
        and not (code == _MAX_FRAME and not 2**14 <= value < 2**24)
        for code, value in pairs
    )


def pings_are_answered(conversation: Conversation) -> bool:
    asked = [frame.payload for frame in of_kind(conversation.client, PING, ack=False)]
    answered = [frame.payload for frame in of_kind(conversation.server, PING, ack=True)]
    return answered == (asked if conversation.is_sound else asked[: len(answered)])


def increments_are_valid(conversation: Conversation) -> bool:
    sums: dict[int, int] = {}
    for frame in of_kind(conversation.server, WINDOW_UPDATE):
        sums[frame.stream] = sums.get(frame.stream, 0) + frame.number
        if not frame.number or len(frame.payload) != 4:
            return False
    return all(total <= _MOST for total in sums.values())


def content_fits_the_windows(conversation: Conversation) -> bool:
    """Whether there was ever room for that much; the client may have made less of it meanwhile."""
    room = {0: 65535}
    for stream in conversation.content:
        room[stream] = max(announced(conversation, _INITIAL_WINDOW, 65535))
    for frame in of_kind(conversation.client, WINDOW_UPDATE):
        if frame.stream in room:
            room[frame.stream] += frame.number
    sizes = {stream: len(content) for stream, content in conversation.content.items()}
    return sum(sizes.values()) <= room[0] and all(size <= room[stream] for stream, size in sizes.items())


def messages_are_in_order(conversation: Conversation) -> bool:
    """Whether each is of interim heads, a final head, content and at most one trailer section."""
    state: dict[int, int] = {}  # 0: before the final head, 1: in the content, 2: behind the trailers
    sections = iter(conversation.sections)
    for frame in conversation.server:
        now = state.get(frame.stream, 0)
        if frame.kind == DATA and now != 1:
            return False
        if frame.kind == HEADERS:
            status = dict(next(sections)[1]).get(b":status")
            if now == 2 or (now == 1) is (status is not None):
                return False
            state[frame.stream] = 2 if now else int(status is not None and status[:1] != b"1")
    return True


def lengths_are_right(conversation: Conversation) -> bool:
    for frame, lines in conversation.sections:
        length = dict(lines).get(b"content-length")
        whole = frame.stream in conversation.ended and not frame.flags & END_STREAM
        if length is not None and whole and int(length) != len(conversation.content[frame.stream]):
            return False
    return True


def names_are_lower_case(conversation: Conversation) -> bool:
    names = (name.removeprefix(b":") for _, lines in conversation.sections for name, _ in lines)
    return all(_NAME.fullmatch(name) for name in names)


def values_are_valid(conversation: Conversation) -> bool:
    values = (value for _, lines in conversation.sections for _, value in lines)
    return all(value.strip(b" \t") == value and not set(value) & set(b"\0\r\n") for value in values)


def nothing_is_connection_specific(conversation: Conversation) -> bool:
    return not any(name in _CONNECTION_SPECIFIC for _, lines in conversation.sections for name, _ in lines)


def status_is_first_and_alone(conversation: Conversation) -> bool:
    for _, lines in conversation.sections:
        pseudo = [name for name, _ in lines if name.startswith(b":")]
        if pseudo not in ([], [b":status"]) or (pseudo and lines[0][0] != b":status"):
            return False
    return True


def statuses_are_numbers(conversation: Conversation) -> bool:
    statuses = [value for _, lines in conversation.sections for name, value in lines if name == b":status"]
    return all(re.fullmatch(rb"[1-9][0-9][0-9]", status) and status != b"101" for status in statuses)


def dates_are_there(conversation: Conversation) -> bool:
    heads = (dict(lines) for _, lines in conversation.sections)
    final = [head for head in heads if head.get(b":status", b"1")[:1] in b"234"]
    return all(b"date" in head and parsedate_to_datetime(head[b"date"].decode()).tzinfo for head in final)


def are_of_the_client(conversation: Conversation) -> bool:
    """Whether the server speaks on streams that the client has opened, and on no other."""
    opened = {frame.stream & _MOST for frame in of_kind(conversation.client, HEADERS)}
    spoken = {frame.stream for frame in conversation.server if frame.kind in (DATA, HEADERS, RST_STREAM)}
    return spoken <= opened


RULES: list[Rule] = [
    Rule("sent-preface", "RFC 9113 §3.4", "The server connection preface consists of a potentially empty SETTINGS frame (Section 6.5) that MUST be the first frame the server sends in the HTTP/2 connection.", first_is_settings),
    Rule("sent-reserved-bit", "RFC 9113 §4.1", "The semantics of this bit are undefined, and the bit MUST remain unset (0x00) when sending and MUST be ignored when receiving.", lambda c: all(frame.stream <= _MOST for frame in c.server)),
    Rule("sent-unused-flags", "RFC 9113 §4.1", "Unused flags MUST be ignored on receipt and MUST be left unset (0x00) when sending.", lambda c: all(not frame.flags & ~_FLAGS.get(frame.kind, 0) for frame in c.server)),
    Rule("sent-frame-size", "RFC 9113 §4.2", "The size of a frame payload is limited by the maximum size that a receiver advertises in the SETTINGS_MAX_FRAME_SIZE setting.", lambda c: all(len(frame.payload) <= max(announced(c, _MAX_FRAME, 16384)) for frame in c.server)),
    Rule("sent-contiguous-blocks", "RFC 9113 §4.3", "Each field block MUST be transmitted as a contiguous sequence of frames, with no interleaved frames of any other type or from any other stream.", blocks_are_contiguous),
    Rule("sent-streams", "RFC 9113 §5.1.1", "Streams initiated by a client MUST use odd-numbered stream identifiers; those initiated by the server MUST use even-numbered stream identifiers.", are_of_the_client),
    Rule("sent-nothing-behind-the-end", "RFC 9113 §5.1", "An endpoint MUST NOT send frames other than PRIORITY on a closed stream.", nothing_behind_the_end),
    Rule("sent-last-stream", "RFC 9113 §5.4.1", "An endpoint that encounters a connection error SHOULD first send a GOAWAY frame (Section 6.8) with the stream identifier of the last stream that it successfully received from its peer.", last_stream_is_right, "SHOULD"),
    Rule("sent-goaway-is-last", "RFC 9113 §5.4.1", "After sending the GOAWAY frame for an error condition, the endpoint MUST close the TCP connection.", nothing_behind_goaway),
    Rule("sent-no-padding", "RFC 9113 §6.1", "Padding octets MUST be set to zero when sending.", lambda c: not any(frame.flags & 0x8 for frame in c.server)),
    Rule("sent-ack-is-empty", "RFC 9113 §6.5", "When this bit is set, the frame payload of the SETTINGS frame MUST be empty.", lambda c: not any(frame.payload for frame in of_kind(c.server, SETTINGS, ack=True))),
    Rule("sent-settings", "RFC 9113 §6.5.2", "A server MUST NOT explicitly set this value to 1.", settings_are_valid),
    Rule("sent-acks", "RFC 9113 §6.5.3", "Once all values have been processed, the recipient MUST immediately emit a SETTINGS frame with the ACK flag set.", settings_are_acknowledged),
    Rule("sent-pings", "RFC 9113 §6.7", "Receivers of a PING frame that does not include an ACK flag MUST send a PING frame with the ACK flag set in response, with an identical frame payload.", pings_are_answered),
    Rule("sent-increments", "RFC 9113 §6.9.1", "A sender MUST NOT allow a flow-control window to exceed 2^31-1 octets.", increments_are_valid),
    Rule("sent-windows", "RFC 9113 §6.9.1", "The sender MUST NOT send a flow-controlled frame with a length that exceeds the space available in either of the flow-control windows advertised by the receiver.", content_fits_the_windows),
    Rule("sent-messages", "RFC 9113 §8.1", "An HTTP message (request or response) consists of: one HEADERS frame, zero or more DATA frames containing the message content, and optionally one HEADERS frame containing the trailer section.", messages_are_in_order),
    Rule("sent-lengths", "RFC 9113 §8.1.1", "A request or response is also malformed if the value of a content-length header field does not equal the sum of the DATA frame payload lengths that form the content.", lengths_are_right),
    Rule("sent-names", "RFC 9113 §8.2", "Field names MUST be converted to lowercase when constructing an HTTP/2 message.", names_are_lower_case),
    Rule("sent-values", "RFC 9113 §8.2.1", "A field value MUST NOT contain the zero value, line feed, or carriage return at any position, and MUST NOT start or end with an ASCII whitespace character.", values_are_valid),
    Rule("sent-not-specific", "RFC 9113 §8.2.2", "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields.", nothing_is_connection_specific),
    Rule("sent-pseudo", "RFC 9113 §8.3.2", "This pseudo-header field MUST be included in all responses, including interim responses; pseudo-header fields precede all others.", status_is_first_and_alone),
    Rule("sent-status", "RFC 9113 §8.6", "HTTP/2 removes support for the 101 (Switching Protocols) informational status code.", statuses_are_numbers),
    Rule("sent-date", "RFC 9110 §6.6.1", "An origin server with a clock MUST generate a Date header field in all 2xx (Successful), 3xx (Redirection), and 4xx (Client Error) responses.", dates_are_there),
]  # fmt: skip
