"""
Reading the head of an HTTP/1.1 request: request line and field lines (RFC 9112 §3, §5).

The request line is judged as soon as it is there, for a client of HTTP/0.9 sends no more than that; the
field lines when all of them are. Both by their grammar, octet for octet. Where the RFC leaves a choice, what
is in doubt is refused, if no Leniency forgives it. One choice goes the other way: control characters in
a field's value, but CR, LF and NUL, are kept ("recipients MAY retain such characters", RFC 9110 §5.5),
because browsers send what a page puts into a value, and tests want to see that arrive.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.rules import Leniency, Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead, Version
from wptproto.semantics.target import Authority, Target, parse_authority, parse_target

__all__ = ["HeadOctets", "HeadReader", "RequestLine", "parse_field_lines"]

# RFC 9110 §5.6.2: token = 1*tchar.
_TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
# RFC 9112 §3: request-line = method SP request-target SP HTTP-version.
_REQUEST_LINE = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9])\.([0-9])")
# RFC 9112 §3: "such whitespace includes one or more of the following octets: SP, HTAB, VT (%x0B), FF (%x0C),
# or bare CR."
_SPACE = re.compile(rb"[ \t\v\f\r]+")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
# RFC 9112 §5: field-line = field-name ":" OWS field-value OWS.
_FIELD_LINE = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([^\0\r\n]*)")
_ANY_FIELD_LINE = re.compile(rb"([^\0\r\n: \t](?:[^\0\r\n:]*[^\0\r\n: \t])?):([^\0\r\n]*)")
_SECTION_END = re.compile(rb"(?<!\r)\n|\r\n\r\n")
_LENIENT_SECTION_END = re.compile(rb"\n\r?\n")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_BARE_CR = re.compile(rb"\r(?!\n)")
_FOLD = re.compile(rb"\r\n[ \t]+")

_TCHAR = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TLS_HANDSHAKE = 0x16
_SHOWN_OCTETS = 200


class RequestLine(NamedTuple):
    """The three parts of a request line (RFC 9112 §3)."""

    method: str
    target: Target
    version: Version


class HeadOctets(NamedTuple):
    """
    A head, of which the request line is read.

    Attributes:
        line: What that says.
        section: The field lines, each with its CRLF, and the empty line behind them.
        whole: All of it, as received.
    """

    line: RequestLine
    section: bytes
    whole: bytes


class HeadReader:
    """Takes one head after the other off what was received."""

    def __init__(self, rules: Rules) -> None:
        self._limits = rules.limits
        self._lenient = rules.lenient
        self._line: RequestLine | None = None
        self._line_end = 0  # of the request line, behind its LF
        self._scanned = 0  # octets in which the end was looked for, in vain

    def read(self, buffer: bytearray) -> RequestHead | None:
        """
        Take a head, and the empty lines before it, from the front of *buffer*.

        Returns:
            None where more must be received first; what there is of the head stays.

        Raises:
            RemoteProtocolError: It is none, or too large.
        """
        octets = self.take(buffer)
        return None if octets is None else self.parse(octets)

    def take(self, buffer: bytearray) -> HeadOctets | None:
        """Take the octets of a head, as :meth:`read` does, which :meth:`parse` goes on with."""
        if self._line is None:
            self._drop_empty_lines(buffer)
            self._line = self._read_request_line(buffer)
            if self._line is None:
                return None
        end = self._find_end(buffer)
        if end is None:
            return None
        octets = bytes(buffer[:end])
        del buffer[:end]
        line, self._line, self._scanned = self._line, None, 0
        return HeadOctets(line, octets[self._line_end :], octets)

    def parse(self, octets: HeadOctets) -> RequestHead:
        """
        Read the field lines of a head.

        Raises:
            RemoteProtocolError: They are none, or too many, or do not tell whom the request is for.
        """
        line, section, whole = octets
        if Leniency.BARE_LF in self._lenient:
            section = _BARE_LF.sub(b"\r\n", section)
        fields = parse_field_lines(section[:-2], self._limits, self._lenient)
        authority = self._authority(line, fields)
        method, target, version = line
        return RequestHead(
            method, target.octets, target.path, authority, version, fields, whole, target.scheme
        )

    # --- the request line ----------------------------------------------------------------------

    def _drop_empty_lines(self, buffer: bytearray) -> None:
        # RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD
        # ignore at least one empty line (CRLF) received prior to the request-line."
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        if Leniency.BARE_LF in self._lenient:
            while buffer.startswith((b"\r\n", b"\n")):
                del buffer[: buffer.index(b"\n") + 1]

    def _read_request_line(self, buffer: bytearray) -> RequestLine | None:
        if buffer and buffer != b"\r":
            self._check_first_octet(buffer)
        end = buffer.find(b"\n", self._scanned)
        self._scanned = len(buffer)
        # CR may be the last octet that is there, and LF the one too many.
        if (end + 1 if end >= 0 else len(buffer)) > self._limits.request_line_octets:
            raise RemoteProtocolError(self._limits.past("request_line_octets"), status_hint=414)
        if end < 0:
            return None
        line = bytes(buffer[: end + 1])
        if not line.endswith(b"\r\n") and Leniency.BARE_LF not in self._lenient:
            raise RemoteProtocolError(f"the request line ends with LF alone: {_shown(line)}")
        self._line_end = end + 1
        self._scanned = 0
        return _parse_request_line(line[:-1].removesuffix(b"\r"), self._lenient)

    def _check_first_octet(self, buffer: bytearray) -> None:
        first = buffer[0]
        if first in _TCHAR or (Leniency.REQUEST_LINE_SPACE in self._lenient and first in b" \t\v\f\r"):
            return
        hint = "; this looks like TLS, and the port speaks plain HTTP" if first == _TLS_HANDSHAKE else ""
        raise RemoteProtocolError(f"no request begins with {bytes(buffer[:1])!r}{hint}")

    # --- the field lines -----------------------------------------------------------------------

    def _find_end(self, buffer: bytearray) -> int | None:
        """Return where the head ends, behind its empty line; None where it is not there yet."""
        lenient = Leniency.BARE_LF in self._lenient
        start = max(self._line_end - 2, self._scanned - 3, 0)
        match = (_LENIENT_SECTION_END if lenient else _SECTION_END).search(buffer, start)
        self._scanned = len(buffer)
        end = match.end() if match is not None else len(buffer)
        if end - self._line_end > self._limits.field_section_octets:
            raise RemoteProtocolError(self._limits.past("field_section_octets"), status_hint=431)
        if match is None:
            return None
        if match.group() == b"\n":
            line = bytes(buffer[buffer.rfind(b"\n", 0, end - 1) + 1 : end])
            raise RemoteProtocolError(f"a line of the head ends with LF alone: {_shown(line)}")
        return end

    def _authority(self, line: RequestLine, fields: Fields) -> bytes:
        """Return whom a request is for (RFC 9112 §3.2, §3.3)."""
        hosts = fields.get_list(b"host")
        try:
            if len(hosts) > 1:
                raise RemoteProtocolError(
                    f"{len(hosts)} Host fields, and there has to be one (RFC 9112 §3.2)"
                )
            if not hosts and line.version == "HTTP/1.1":
                raise RemoteProtocolError("no Host (RFC 9112 §3.2)")
            named = parse_authority(hosts[0]) if hosts else None
        except RemoteProtocolError:
            if Leniency.HOST not in self._lenient:
                raise
            named = _first_authority(hosts)
        # RFC 9112 §3.2.2: an absolute target outweighs Host.
        return bytes(line.target.authority or named or b"")


def parse_field_lines(section: bytes, limits: Limits, lenient: frozenset[Leniency]) -> Fields:
    """
    Take apart the lines of a header or trailer section.

    Args:
        section: Whole lines, each with its CRLF.
        limits: Of which *field_lines* counts here.
        lenient: What is forgiven.

    Returns:
        Names and values as received, but for the white space around a value.

    Raises:
        RemoteProtocolError: One of them is no field line, or there are too many.
    """
    if lenient:
        section = _mended(section, lenient)
    lines = section.split(b"\r\n")
    lines.pop()
    if len(lines) > limits.field_lines:
        raise RemoteProtocolError(limits.past("field_lines"), status_hint=431)
    grammar = _ANY_FIELD_LINE if Leniency.FIELD_NAME in lenient else _FIELD_LINE
    found: list[FieldLine] = []
    for line in lines:
        match = grammar.fullmatch(line)
        if match is None:
            raise RemoteProtocolError(f"{_what_is_wrong_with_field(line)}: {_shown(line)}")
        found.append((match[1], match[2].strip(b" \t")))
    return Fields(found)


def _mended(section: bytes, lenient: frozenset[Leniency]) -> bytes:
    if Leniency.BARE_CR in lenient:
        section = _BARE_CR.sub(b" ", section)
    if Leniency.NUL in lenient:
        section = section.replace(b"\0", b" ")
    if Leniency.OBS_FOLD in lenient and not section.startswith((b" ", b"\t")):
        section = _FOLD.sub(b" ", section)
    if Leniency.SPACE_BEFORE_COLON in lenient:
        lines = [line.partition(b":") for line in section.split(b"\r\n")]
        section = b"\r\n".join(name.rstrip(b" \t") + colon + value for name, colon, value in lines)
    return section


def _what_is_wrong_with_field(line: bytes) -> str:
    name, colon, value = line.partition(b":")
    if line.startswith((b" ", b"\t")):
        return "a folded line in a field section (RFC 9112 §5.2)"
    if b"\r" in line:
        return "CR without LF in a field line"
    if not colon:
        return "a field line without a colon"
    if name.endswith((b" ", b"\t")):
        return "white space between a field's name and the colon (RFC 9112 §5.1)"
    if b"\0" in value and _TOKEN.fullmatch(name):
        return "NUL in a field's value"
    return "a field's name is no token"


def _first_authority(hosts: list[bytes]) -> Authority | None:
    try:
        return parse_authority(hosts[0]) if hosts else None
    except RemoteProtocolError:
        return None


def _parse_request_line(line: bytes, lenient: frozenset[Leniency]) -> RequestLine:
    match = _REQUEST_LINE.fullmatch(line)
    if match is not None:
        method, target, major, minor = match.groups()
    else:
        method, target, major, minor = _forgiven_request_line(line, lenient)
    if method == b"PRI" and Leniency.VERSION not in lenient:
        raise RemoteProtocolError("the HTTP/2 connection preface is broken (RFC 9113 §3.4)")
    version = _version(major, minor, lenient)
    name = method.decode("ascii")
    try:
        return RequestLine(name, parse_target(name, target), version)
    except RemoteProtocolError:
        if Leniency.TARGET not in lenient:
            raise
        path = target if target.startswith(b"/") else b"/" + target
        return RequestLine(name, Target(target, path), version)


def _version(major: bytes, minor: bytes, lenient: frozenset[Leniency]) -> Version:
    if major == b"1":
        # RFC 9110 §2.5: a higher minor version is compatible with ours.
        return "HTTP/1.0" if minor == b"0" else "HTTP/1.1"
    if Leniency.VERSION in lenient:
        return "HTTP/1.1"
    spoken = f"HTTP/{major.decode('ascii')}.{minor.decode('ascii')}"
    raise RemoteProtocolError(f"{spoken} is not spoken on this connection", status_hint=505)


def _forgiven_request_line(line: bytes, lenient: frozenset[Leniency]) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the parts of a request line that strictly is none, if what is wrong with it is forgiven."""
    spaced = Leniency.REQUEST_LINE_SPACE in lenient
    words = [word for word in _SPACE.split(line) if word] if spaced else line.split(b" ")
    if len(words) != 3 or not all(words):
        without = "" if len(words) != 2 else "; a version is missing, and HTTP/0.9 is not spoken"
        raise RemoteProtocolError(
            f"a request line is a method, a target and a version, with one SP between them{without}: "
            f"{_shown(line)}"
        )
    method, target, version = words
    if _TOKEN.fullmatch(method) is None:
        raise RemoteProtocolError(f"the method is no token: {_shown(method)}")
    if any(not 0x21 <= octet <= 0x7E for octet in target) and Leniency.TARGET not in lenient:
        raise RemoteProtocolError(f"octets in the target that no URI has: {_shown(target)}")
    if _VERSION.fullmatch(version) is None:
        if Leniency.VERSION not in lenient:
            raise RemoteProtocolError(f"not a version of HTTP: {_shown(version)}")
        return method, target, b"1", b"1"
    return method, target, version[5:6], version[7:8]


def _shown(octets: bytes) -> str:
    """Return octets as an error shows them: the beginning, if they are many."""
    return repr(octets) if len(octets) <= _SHOWN_OCTETS else f"{octets[:_SHOWN_OCTETS]!r}..."
