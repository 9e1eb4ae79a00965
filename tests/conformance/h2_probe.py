"""Probes: frames that a client sends over HTTP/2, and how a server may react to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import HeadersFrame, SettingsFrame

from tests.conformance.probe import Level
from wptproto.protocol.h2_frames import PREFACE
from wptproto.semantics.fields import FieldLine

__all__ = [
    "GET",
    "OPENING",
    "POST",
    "H2Probe",
    "answered",
    "begun",
    "broken",
    "frame",
    "reset",
    "section",
]

OPENING = PREFACE + SettingsFrame(0).serialize()
GET: tuple[FieldLine, ...] = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"h"),
    (b":path", b"/get"),
)
POST: tuple[FieldLine, ...] = ((b":method", b"POST"), *GET[1:3], (b":path", b"/echo"))


@dataclass(frozen=True, kw_only=True)
class H2Probe:
    """
    One row.

    Attributes:
        id: Its name, once in all tables.
        section: Where the rule stands.
        sends: Octets: frames behind a client's preface.
        stream: The one that is looked at.
        goaway: Error codes of which the connection ends with one; none where it goes on.
        resets: Error codes of which the stream is reset with one; none where it is not.
        statuses: Of the response on the stream; none where no response is looked for.
        says: What its content holds.
        level: How strict the rule is; "ours" where the RFC leaves a choice, and this is the strict one.
        sentence: The rule in the words of the RFC.
        opening: What the client begins with.
        kinds: The ways it makes sense.
        stray_resets: Other streams that are reset besides.
        then: Octets behind the end of the stream.
        ends: Whether the connection ends, without an error, when its streams have.
    """

    id: str
    section: str
    sends: bytes
    stream: int = 1
    goaway: tuple[ErrorCodes, ...] = ()
    resets: tuple[ErrorCodes, ...] = ()
    statuses: tuple[int, ...] = ()
    says: bytes = b""
    level: Level = "MUST"
    sentence: str = ""
    opening: bytes = OPENING
    kinds: tuple[Literal["h2", "h2c"], ...] = ("h2", "h2c")
    stray_resets: tuple[int, ...] = ()
    then: bytes = b""
    ends: bool = False


def broken(
    id: str,
    section: str,
    sends: bytes,
    *codes: ErrorCodes,
    sentence: str = "",
    level: Level = "MUST",
    opening: bytes = OPENING,
) -> H2Probe:
    """Return a probe that is a connection error, of PROTOCOL_ERROR or one of *codes*."""
    return H2Probe(
        id=id,
        section=section,
        sends=sends,
        goaway=codes or (ErrorCodes.PROTOCOL_ERROR,),
        sentence=sentence,
        level=level,
        opening=opening,
    )


def reset(
    id: str,
    section: str,
    sends: bytes,
    *codes: ErrorCodes,
    sentence: str = "",
    level: Level = "MUST",
    statuses: tuple[int, ...] = (),
) -> H2Probe:
    """Return a probe that is an error of stream 1, of PROTOCOL_ERROR or one of *codes*; others go on."""
    return H2Probe(
        id=id,
        section=section,
        sends=sends,
        resets=codes or (ErrorCodes.PROTOCOL_ERROR,),
        statuses=statuses,
        sentence=sentence,
        level=level,
    )


def answered(
    id: str,
    section: str,
    sends: bytes,
    *,
    status: int = 200,
    says: bytes = b"",
    sentence: str = "",
    level: Level = "MUST",
) -> H2Probe:
    """Return a probe whose request, on stream 1, is answered."""
    return H2Probe(
        id=id, section=section, sends=sends, statuses=(status,), says=says, sentence=sentence, level=level
    )


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return a frame, whatever it says (RFC 9113 §4.1)."""
    return b"%b%c%c%b%b" % (
        len(payload).to_bytes(3, "big"),
        kind,
        flags,
        stream_id.to_bytes(4, "big"),
        payload,
    )


def section(lines: Iterable[FieldLine] = GET) -> bytes:
    """Return a field block that stands for itself: nothing goes into the table."""
    encoder = Encoder()
    encoder.header_table_size = 0
    return encoder.encode(list(lines))


def begun(stream_id: int = 1, lines: Iterable[FieldLine] = GET, *, end: bool = True) -> bytes:
    """Return a request's HEADERS frame."""
    flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
    return HeadersFrame(stream_id, section(lines), flags=flags).serialize()
