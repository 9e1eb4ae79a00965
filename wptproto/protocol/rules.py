"""
Rules: what a server's connections go by, the same for all of them.

RFC 9112 leaves many choices between refusing a request and making the best of it. Whoever makes the best
of it differs sooner or later from the next in line about where a message ends, which is how requests are
smuggled (§11.2). So what is in doubt is refused here, and each such strictness has a name by which it can be
switched off, for a test that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from wptproto.errors import ConfigError, RemoteProtocolError
from wptproto.limits import DEFAULT_LIMITS, Limits

__all__ = ["DEFAULT_RULES", "Core", "Leniency", "Rules", "core_named", "leniencies", "too_large"]


class Core(StrEnum):
    """
    What a connection is made of; what comes of octets and calls is the same.

    Each value is the name to give in a configuration.

    Attributes:
        FAST: With rooms in place of what is slow: in h2, and in the reading of the same over and over.
        PLAIN: Without them, to tell whether they are at fault. HTTP/2 is as h2 has it.
    """

    FAST = "fast"
    PLAIN = "plain"


def core_named(name: object) -> Core:
    """
    Return the core of that name.

    Raises:
        ConfigError: There is none.
    """
    found = next((core for core in Core if core == name), None)
    if found is None:
        raise ConfigError(f"core: {name!r} is none of {', '.join(Core)}")
    return found


class Leniency(StrEnum):
    """
    What can be forgiven in a request, over HTTP/1.1 if nothing else is said.

    Each value is the name to give in a configuration.

    Attributes:
        BARE_CR: CR without LF counts as SP, in a field line (RFC 9112 §2.2).
        BARE_LF: LF alone ends a line, of the head or of the chunked framing (§2.2).
        CHUNK_EXTENSIONS: What stands behind a chunk's size may be anything (§7.1.1).
        CHUNKED_1_0: HTTP/1.0 has chunks, and the connection closes behind them (§6.1).
        EXPECT: Expectations that are not known are ignored (RFC 9110 §10.1.1).
        FIELD_NAME: A field's name may be anything that does not hold a colon (RFC 9110 §5.1).
        HOST: Host may be missing, repeated, or no host: the first counts, if it is one (§3.2).
        LENGTH_AND_CHUNKED: Transfer-Encoding overrides Content-Length, and the connection closes behind
            the content (§6.3).
        NUL: Counts as SP, in a field (RFC 9110 §5.5).
        OBS_FOLD: A line that begins with white space goes on with the one before it (§5.2).
        REPEATED_LENGTH: Content-Length may say the same number several times (RFC 9110 §8.6).
        REQUEST_LINE_SPACE: Any white space separates the parts of a request line, or surrounds them (§3).
        SCHEME: A request for https is answered that came in the clear, and one for any other scheme, as
            behind a gateway (RFC 9110 §7.4); over HTTP/2, too.
        SPACE_BEFORE_COLON: White space between a field's name and the colon is dropped (§5.1).
        TARGET: What is no request target, or not for this method, is taken for a path (§3.2).
        VERSION: Any version is taken for HTTP/1.1 (§2.3).
    """

    BARE_CR = "bare-cr"
    BARE_LF = "bare-lf"
    CHUNK_EXTENSIONS = "chunk-extensions"
    CHUNKED_1_0 = "chunked-1.0"
    EXPECT = "expect"
    FIELD_NAME = "field-name"
    HOST = "host"
    LENGTH_AND_CHUNKED = "length-and-chunked"
    NUL = "nul"
    OBS_FOLD = "obs-fold"
    REPEATED_LENGTH = "repeated-length"
    REQUEST_LINE_SPACE = "request-line-space"
    SCHEME = "scheme"
    SPACE_BEFORE_COLON = "space-before-colon"
    TARGET = "target"
    VERSION = "version"


def leniencies(names: Iterable[str]) -> frozenset[Leniency]:
    """
    Return what these names stand for; ``all`` is each of them.

    Raises:
        ConfigError: There is no such name.
    """
    known = {leniency.value: leniency for leniency in Leniency}
    wanted = [names] if isinstance(names, str) else list(names)
    if unknown := [name for name in wanted if name not in ["all", *known]]:
        raise ConfigError(f"lenient: {unknown[0]!r} is none of all, {', '.join(known)}")
    return frozenset(Leniency) if "all" in wanted else frozenset(known[name] for name in wanted)


class Rules(NamedTuple):
    """
    What a server's connections go by.

    Attributes:
        limits: How much a peer may ask for.
        lenient: What is forgiven, in HTTP/1.1 but for what says otherwise; nothing by default.
        date: Returns the value of Date for answers that no handler makes. Without one they have none: "An
            origin server without a clock MUST NOT generate a Date header field" (RFC 9110 §6.6.1).
        core: What connections are made of.
    """

    limits: Limits = DEFAULT_LIMITS
    lenient: frozenset[Leniency] = frozenset()
    date: Callable[[], bytes] | None = None
    core: Core = Core.FAST


DEFAULT_RULES = Rules()
"""Strict in everything, and without a clock."""


def too_large(limits: Limits) -> RemoteProtocolError:
    """Return the error of a peer whose content is beyond what the limits allow (RFC 9110 §15.5.14)."""
    # Over HTTP/2 it is no error of the stream.
    return RemoteProtocolError(limits.past("content_octets"), status_hint=413, error_code=0)
