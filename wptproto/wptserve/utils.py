"""wptserve.utils: small things that handler scripts use."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import TypeVar

from wptproto.errors import HTTPException
from wptproto.wptserve.logger import get_logger

__all__ = [
    "HTTPException",
    "get_error_cause",
    "get_logger",
    "get_port",
    "http2_compatible",
    "invert_dict",
    "is_bad_port",
    "isomorphic_decode",
    "isomorphic_encode",
]

K = TypeVar("K")
V = TypeVar("V")

# Those that browsers refuse to connect to: https://fetch.spec.whatwg.org/#port-blocking
# fmt: off
_BAD_PORTS = frozenset((
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512,
    513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719,
    1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
))
# fmt: on


def isomorphic_decode(value: str | bytes) -> str:
    """Return octets as text of one character to one octet (ISO-8859-1); text as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"text or octets are wanted, not {value!r}")


def isomorphic_encode(value: str | bytes) -> bytes:
    """Return text as octets, one to one character (ISO-8859-1); octets as they are."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1")
    raise TypeError(f"text or octets are wanted, not {value!r}")


def invert_dict(lists: Mapping[K, Iterable[V]]) -> dict[V, K]:
    """Return by each item of the lists the name that its list has; ValueError where an item has two."""
    found: dict[V, K] = {}
    for name, items in lists.items():
        for item in items:
            if item in found:
                raise ValueError(f"{item!r} stands below {found[item]!r} and below {name!r}")
            found[item] = name
    return found


def is_bad_port(port: int) -> bool:
    """Whether browsers refuse to connect to a port."""
    return port in _BAD_PORTS


def get_port(host: str = "") -> int:
    """Return a port that was free on a host a moment ago; to be given port 0 is surer."""
    while True:
        with socket.create_server((host or "127.0.0.1", 0)) as listening:
            port: int = listening.getsockname()[1]
        if not is_bad_port(port):
            return port


def http2_compatible() -> bool:
    """Whether HTTP/2 can be served; any Python that runs this package can."""
    return True


def get_error_cause(error: BaseException) -> BaseException:
    """Return what an exception was raised from, or while handling; where there is none, itself."""
    return error.__cause__ or error.__context__ or error
