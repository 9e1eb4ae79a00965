"""Listening: addresses, ports, and what is said where they cannot be had."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.helpers.waiting import assert_soon
from wptproto import ConfigError
from wptproto.server import listener
from wptproto.server.listener import DEFAULT_HOSTS, exposure, is_wildcard, listen, shares


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listening(closing: ExitStack, hosts: tuple[str, ...], port: int = 0) -> list[tuple[str, int]]:
    return [closing.enter_context(sock).getsockname()[:2] for sock in listen(hosts, port)]


def test_one_port_on_all(closing: ExitStack) -> None:
    """Port 0 is one free port, the same on all hosts."""
    names = listening(closing, DEFAULT_HOSTS)
    assert [address for address, _ in names] == ["127.0.0.1", "::1"]
    assert len({port for _, port in names}) == 1


def test_a_name_is_all_its_addresses(closing: ExitStack) -> None:
    """A name stands for each address it has, and an address that is named twice for one."""
    names = listening(closing, ("127.0.0.1", "localhost", "127.0.0.1"))
    assert len(names) == len(set(names)) <= 2


@pytest.mark.parametrize("host", ["a..b", "no such host", "x" * 70 + ".test"])
def test_no_host(host: str) -> None:
    """What is no host is an error that shows it."""
    with pytest.raises(ConfigError, match="is not known"):
        listen((host,), 0)


def test_no_ipv6(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IPv6 the default hosts are one; but an IPv6 host that was asked for is missed."""
    real = listener._listen_one

    def without(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return real(family, address, port)

    monkeypatch.setattr(listener, "_listen_one", without)
    assert [address for address, _ in listening(closing, DEFAULT_HOSTS)] == ["127.0.0.1"]
    with pytest.raises(ConfigError, match="::1 is no address of this machine"):
        listen(("::1",), 0)


def test_port_that_is_taken_on_the_other_address(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port of one address may be taken on another; then another one is tried."""
    taken: list[int] = []
    real = listener._listen_one

    def sometimes(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6 and len(taken) < 3:
            taken.append(port)
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(family, address, port)

    monkeypatch.setattr(listener, "_listen_one", sometimes)
    names = listening(closing, DEFAULT_HOSTS)
    assert len(names) == 2
    assert len(taken) == 3


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EADDRINUSE, "port 80 on 127.0.0.1 is in use"),
        (errno.EACCES, "port 80 on 127.0.0.1 is not allowed to this user"),
        (errno.EADDRNOTAVAIL, "127.0.0.1 is no address of this machine"),
        (errno.EIO, "cannot listen on port 80 of 127.0.0.1: "),
    ],
)
def test_why_not(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    """Each reason is a sentence of its own."""

    def refuse(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        raise OSError(number, "the system's words")

    monkeypatch.setattr(listener, "_listen_one", refuse)
    with pytest.raises(ConfigError, match=said):
        listen(("127.0.0.1",), 80)


@pytest.mark.parametrize("hosts", [DEFAULT_HOSTS, ("localhost",), ("127.0.0.2",), ("::1", "127.0.0.1")])
def test_this_machine_alone(hosts: tuple[str, ...]) -> None:
    """At loopback there is nothing to warn of."""
    assert exposure(hosts) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"])
def test_other_machines(host: str) -> None:
    """Elsewhere there is: what is served is code, too."""
    said = exposure(("127.0.0.1", host))
    assert said.startswith(f"Other machines may reach {host}: ")
    assert "run its handler scripts" in said


def test_wildcard() -> None:
    """The unspecified addresses stand for all of the machine's."""
    assert [is_wildcard(host) for host in ("0.0.0.0", "::", "127.0.0.1", "localhost")] == [
        True,
        True,
        False,
        False,
    ]


# --- several processes -----------------------------------------------------------------------------


def shared(closing: ExitStack, count: int) -> list[list[socket.socket]]:
    found = shares(listen(("127.0.0.1",), 0), count)
    for sock in [sock for share in found for sock in share]:
        closing.enter_context(sock)
    return found


def accepted(sock: socket.socket) -> int:
    """Return how many connections there are to accept."""
    count = 0
    try:
        while True:
            sock.accept()[0].close()
            count += 1
    except BlockingIOError:
        return count


@pytest.mark.parametrize("balances", [listener._BALANCES, False])
def test_shares(closing: ExitStack, monkeypatch: pytest.MonkeyPatch, balances: bool) -> None:
    """Each share has the same port; what comes is in one queue, or, where the system does that, in each."""
    monkeypatch.setattr(listener, "_BALANCES", balances)
    socks = [sock for share in shared(closing, 3) for sock in share]
    (address,) = {sock.getsockname() for sock in socks}
    assert len({sock.fileno() for sock in socks}) == 3
    for _ in range(100):
        closing.enter_context(socket.create_connection(address))
    counts = [0, 0, 0]

    def have_come() -> bool:
        for place, sock in enumerate(socks):
            counts[place] += accepted(sock)
        return sum(counts) >= 100

    assert_soon(have_come)
    assert sum(counts) == 100
    assert min(counts) > 5 if balances else counts == [100, 0, 0]


def test_shares_of_nobody_else(closing: ExitStack) -> None:
    """A port that several processes share cannot be had by another program, for several or for one."""
    port = shared(closing, 2)[0][0].getsockname()[1]
    with pytest.raises(ConfigError, match="in use by another program"):
        listen(("127.0.0.1",), port)


def test_shares_that_cannot_be_had(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is an error that says why, and none is left open."""
    real = listener._twin
    made: list[socket.socket] = []

    def one(first: socket.socket) -> socket.socket:
        if made:
            raise OSError(errno.EMFILE, "Too many open files")
        made.append(real(first))
        return made[0]

    monkeypatch.setattr(listener, "_BALANCES", True)
    monkeypatch.setattr(listener, "_twin", one)
    first = listen(("127.0.0.1",), 0)
    closing.enter_context(first[0])
    with pytest.raises(ConfigError, match=r"cannot listen on port \d+ of 127.0.0.1: Too many open files"):
        shares(first, 3)
    assert made[0].fileno() == -1


def test_a_twin_that_cannot_be_had(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second socket that the system refuses the port is closed."""
    (first,) = listen(("127.0.0.1",), 0)
    closing.enter_context(first)
    other = socket.socket(socket.AF_INET6)  # has no use for such an address
    monkeypatch.setattr(listener, "_socket", lambda family: other)
    with pytest.raises(OSError, match=r".") as caught:
        listener._twin(first)
    assert caught.value.errno is not None
    assert other.fileno() == -1
