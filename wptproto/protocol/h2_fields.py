"""
HTTP/2 field sections: what a request's says, and what a response's becomes (RFC 9113 §8.2, §8.3).

h2 could check what it receives, but a malformed message is an error of its stream
(RFC 9113 §8.1.1), and h2 makes it one of the connection. So its checks are off, and stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.h1_octets import content_length
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead, ResponseHead
from wptproto.semantics.target import parse_authority, parse_target

__all__ = ["ResponseSection", "lowered", "request_head", "response_section", "trailer_section"]

# RFC 9113 §8.2.2: "the Connection header field and those listed as having connection-specific semantics
# in [RFC 9110 §7.6.1] (that is, Proxy-Connection, Keep-Alive, Transfer-Encoding, and Upgrade)"
_CONNECTION_SPECIFIC = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)
_TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-z]+")
_FORBIDDEN = re.compile(rb"[\0\r\n]|\A[ \t]|[ \t]\Z")
_SCHEME = re.compile(rb"[A-Za-z][-+.A-Za-z0-9]*")

# What a request has to have, and all it may have (RFC 9113 §8.3.1, §8.5). Extended CONNECT
# (RFC 8441) is only for clients to which it was offered.
_REQUIRED = frozenset((b":method", b":scheme", b":path"))
_REQUIRED_OF_CONNECT = frozenset((b":method", b":authority"))
_PSEUDO = _REQUIRED | _REQUIRED_OF_CONNECT


def request_head(lines: Iterable[FieldLine]) -> RequestHead:
    """
    Read a request's field section: the pseudo-fields are its request line, and :authority is Host.

    Raises:
        RemoteProtocolError: The request is malformed.
    """
    pseudo, fields = _split(lines)
    method = pseudo.get(b":method", b"")
    required = _REQUIRED_OF_CONNECT if method == b"CONNECT" else _REQUIRED
    if missing := required - pseudo.keys():
        raise RemoteProtocolError(f"a request without {_names(missing)}")
    if _TOKEN.fullmatch(method) is None:
        raise RemoteProtocolError(f":method is no token: {method!r}")
    authority, fields = _authority(pseudo, fields)
    named = bytes(parse_authority(authority))
    if method == b"CONNECT":
        if surplus := pseudo.keys() - required:
            raise RemoteProtocolError(f"CONNECT with {_names(surplus)}")
        target = parse_target("CONNECT", authority)
    else:
        if _SCHEME.fullmatch(pseudo[b":scheme"]) is None:
            raise RemoteProtocolError(f":scheme is none: {pseudo[b':scheme']!r}")
        path = pseudo[b":path"]
        if not path.startswith((b"/", b"*")):
            raise RemoteProtocolError(f":path is neither a path nor, for OPTIONS, an asterisk: {path!r}")
        target = parse_target(method.decode("ascii"), path)
    return RequestHead(
        method=method.decode("ascii"),
        target=target.octets,
        path=target.path,
        authority=named,
        version="HTTP/2.0",
        fields=Fields(fields),
        scheme=pseudo.get(b":scheme", b"").lower(),
    )


def trailer_section(lines: Iterable[FieldLine]) -> Fields:
    """
    Read a request's trailers.

    Raises:
        RemoteProtocolError: They are malformed, and so the request is.
    """
    pseudo, fields = _split(lines)
    if pseudo:
        # RFC 9113 §8.1: "Trailers MUST NOT include pseudo-header fields"
        raise RemoteProtocolError(f"trailers with {_names(pseudo)}")
    return Fields(fields)


class ResponseSection(NamedTuple):
    """
    A response's head as HTTP/2 has it.

    Attributes:
        lines: Its field section, of which :status comes first.
        promised: The length of content that its fields promise, if they promise one that could be kept.
    """

    lines: tuple[FieldLine, ...]
    promised: int | None


def response_section(head: ResponseHead) -> ResponseSection:
    """Return what a response's head becomes."""
    try:
        promised = content_length(head.fields)
    except ValueError:
        promised = None
    return ResponseSection(((b":status", b"%d" % head.status), *lowered(head.fields)), promised)


def lowered(fields: Fields) -> list[FieldLine]:
    """Return fields as they are, but for names in lower case and what only HTTP/1.1 has a place for."""
    # White space around a value is no part of it (RFC 9110 §5.5): over HTTP/1.1 the reader takes it off, and
    # HTTP/2 has no place for it (RFC 9113 §8.2.1).
    lines = ((name.lower(), value.strip(b" \t")) for name, value in fields)
    return [(name, value) for name, value in lines if name not in _CONNECTION_SPECIFIC]


def _split(lines: Iterable[FieldLine]) -> tuple[dict[bytes, bytes], list[FieldLine]]:
    """Part pseudo-fields from fields, and see that each can be what it is."""
    pseudo: dict[bytes, bytes] = {}
    fields: list[FieldLine] = []
    for name, value in lines:
        # RFC 9113 §8.2.1: no NUL, LF, CR, and no white space around the value.
        if _FORBIDDEN.search(value):
            raise RemoteProtocolError(f"not a field value, of {name!r}: {value!r}")
        if name in _PSEUDO:
            # RFC 9113 §8.3: "The same pseudo-header field name MUST NOT appear more than once"; and all of
            # them "MUST appear in a field block before all regular field lines".
            if fields or name in pseudo:
                raise RemoteProtocolError(f"{_names([name])} twice, or behind a field")
            pseudo[name] = value
        elif name.startswith(b":"):
            # RFC 9113 §8.3: those of responses, and undefined ones.
            raise RemoteProtocolError(f"not a pseudo-field of requests: {name!r}")
        elif _NAME.fullmatch(name) is None:
            raise RemoteProtocolError(f"not a field name in lower case: {name!r}")
        elif name in _CONNECTION_SPECIFIC or (name == b"te" and value.lower() != b"trailers"):
            raise RemoteProtocolError(f"{name!r} has no place in HTTP/2: {value!r}")
        else:
            fields.append((name, value))
    return pseudo, fields


def _authority(pseudo: dict[bytes, bytes], fields: list[FieldLine]) -> tuple[bytes, list[FieldLine]]:
    """Return what names the server, and the fields with it in front, as Host."""
    hosts = [value for name, value in fields if name == b"host"]
    authority = pseudo.get(b":authority")
    if len(hosts) > 1 or (not hosts and authority is None):
        raise RemoteProtocolError(f"neither :authority nor one Host, but {len(hosts)}")
    if authority is None:
        return hosts[0], fields
    if not authority:
        # RFC 9110 §4.2.1: "A recipient that processes such a URI reference MUST reject it as invalid."
        raise RemoteProtocolError(":authority is empty")
    # RFC 9113 §8.3.1: "A server SHOULD treat a request as malformed if it contains a Host header field
    # that identifies an entity that differs from the entity in the ":authority" pseudo-header field."
    if hosts and hosts[0] != authority:
        raise RemoteProtocolError(f":authority is {authority!r}, but Host is {hosts[0]!r}")
    return authority, [(b"host", authority), *(line for line in fields if line[0] != b"host")]


def _names(names: Iterable[bytes]) -> str:
    return b", ".join(sorted(names)).decode("ascii")
