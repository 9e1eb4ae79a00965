"""
pcapng, for Wireshark and its like: a server's connections as packets, with what it takes to decrypt them.

A server has octets and no packets, so these are made up around them (:mod:`wptproto.trace.tcp_packets`): what
the network did, such as losses and delays, is not there. Faults, violations and errors stand as comments on
the packets behind them: ``frame.comment`` finds these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from wptproto.errors import ConfigError
from wptproto.trace import pcapng_blocks as blocks
from wptproto.trace.events import (
    ConnectionClosed,
    ConnectionOpened,
    EndOfInput,
    FaultHappened,
    HandlerEnded,
    OctetsSeen,
    TlsAgreed,
    TlsFailed,
    TraceEvent,
    Violated,
)
from wptproto.trace.tcp_packets import Packet, TcpPackets
from wptproto.version import __version__

__all__ = ["PcapngWriter"]

KeyLog = Callable[[], bytes]


class _Traffic:
    """What there is to know of one connection."""

    def __init__(self, opened: ConnectionOpened) -> None:
        self.packets = TcpPackets(opened.origin.connection, opened.client, opened.server)
        self.is_tls = opened.is_tls
        self.in_handshake = opened.is_tls
        self.held: OctetsSeen | None = None
        self.comments: list[str] = []
        self.was_reset = False


class PcapngWriter:
    """Writes pcapng. Any thread may call it."""

    def __init__(self, to: str | PathLike[str] | BinaryIO, key_log: KeyLog | None = None) -> None:
        """
        Args:
            to: A path, whose file is written anew; or a file for octets, which remains its owner's.
            key_log: Returns what has come to the key log of the server (as of SSLKEYLOGFILE) since it was
                last called; None is for TLS that remains encrypted.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._own: BinaryIO | None = None
        if isinstance(to, str | PathLike):
            try:
                self._own = Path(to).open("wb")  # noqa: SIM115 -- see close()
            except OSError as error:
                raise ConfigError(f"trace: {to} cannot be written: {error.strerror}") from None
            self._file: BinaryIO = self._own
        else:
            self._file = to
        self._key_log = key_log
        self._lock = Lock()
        self._connections: dict[int, _Traffic] = {}
        self._file.write(blocks.section_header(f"wptproto {__version__}") + blocks.interface("wptproto"))
        self._file.flush()

    def __call__(self, event: TraceEvent) -> None:
        with self._lock:
            if isinstance(event, ConnectionOpened):
                traffic = _Traffic(event)
                self._connections[event.origin.connection] = traffic
                self._write(traffic, traffic.packets.opened(), event)
            elif (found := self._connections.get(event.origin.connection)) is not None:
                self._take(found, event)

    def flush(self) -> None:
        """Have what was taken in the file."""
        with self._lock:
            for traffic in self._connections.values():
                self._let_go(traffic)
            with suppress(ValueError):  # it is closed, by us or its owner
                self._file.flush()

    def close(self) -> None:
        """Have everything in the file; once more does nothing."""
        self.flush()
        if self._own is not None:
            self._own.close()

    # --- within --------------------------------------------------------------------------------

    def _take(self, traffic: _Traffic, event: TraceEvent) -> None:
        if traffic.in_handshake:
            self._let_go(traffic)
        if isinstance(event, OctetsSeen):
            if traffic.in_handshake and not event.sent:
                # It may say what makes the keys, and have in it what is encrypted by them already; they are
                # known when TLS has read it. So it waits for what the connection does next.
                traffic.held = event
            else:
                self._carry(traffic, event)
        elif isinstance(event, TlsAgreed):
            traffic.in_handshake = False
        elif isinstance(event, EndOfInput) and not traffic.is_tls:
            self._write(traffic, traffic.packets.ended(False), event)
        elif isinstance(event, ConnectionClosed):
            self._close(traffic, event)
        elif said := _comment(event):
            traffic.comments.append(said)
            traffic.was_reset |= isinstance(event, FaultHappened) and event.fault.startswith("reset(")

    def _let_go(self, traffic: _Traffic) -> None:
        """Write what was held back of a handshake, behind the keys that have become known."""
        held, traffic.held = traffic.held, None
        lines = b"" if self._key_log is None else self._key_log()
        if lines:
            self._file.write(blocks.secrets(lines))
        if held is not None:
            self._carry(traffic, held)

    def _carry(self, traffic: _Traffic, seen: OctetsSeen) -> None:
        self._write(traffic, traffic.packets.carried(seen.sent, seen.octets), seen)

    def _close(self, traffic: _Traffic, event: ConnectionClosed) -> None:
        del self._connections[event.origin.connection]
        packets = traffic.packets
        if traffic.was_reset or event.how != "closed":
            # Who has been told to reset does; else it is the peer by whom connections are broken off.
            self._write(traffic, packets.reset(traffic.was_reset), event)
        else:
            self._write(traffic, packets.ended(True), event)
            self._write(traffic, packets.ended(False), event)

    def _write(self, traffic: _Traffic, packets: Iterable[Packet], event: TraceEvent) -> None:
        for packet in packets:
            comments, traffic.comments = tuple(traffic.comments), []
            at_s = event.origin.at_s
            self._file.write(blocks.packet(packet.octets, at_s, sent=packet.sent, comments=comments))
        self._file.flush()  # who looks while the server runs, or behind its crash, finds all there is


def _comment(event: TraceEvent) -> str:
    """Return what an event has to say that does not show in packets; empty for most."""
    if isinstance(event, FaultHappened):
        return f"on purpose: {event.fault}"
    if isinstance(event, Violated):
        return f"the client's violation: {event.reason}"
    if isinstance(event, TlsFailed):
        return f"TLS failed: {event.reason}"
    if isinstance(event, HandlerEnded) and event.error is not None:
        return f"the handler of exchange {event.exchange} raised {event.error}"
    return ""
