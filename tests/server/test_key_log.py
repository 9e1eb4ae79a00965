"""SSLKEYLOGFILE: where it comes from, who writes to it, and who reads along."""

from __future__ import annotations

import gc
import multiprocessing
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Server
from wptproto.server.key_log import KeyLog


def made(certs_dir: Path, **settings: Any) -> Server:
    return Server(
        routes=[("GET", "/", lambda request, response: "Hello")],
        certs_dir=certs_dir,
        **{"http_port": None, "https_port": 0, **settings},
    )


def ask(server: Server, name: str = "localhost") -> None:
    """Ask over TLS, for a host by SNI."""
    context = server.client_context()
    with (
        socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=name) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.makefile("rb").read().endswith(b"Hello")


def secrets(path: Path) -> set[bytes]:
    """Return the random numbers of the clients whose secrets are in a key log."""
    return {line.split()[1] for line in path.read_bytes().splitlines() if not line.startswith(b"#")}


def test_a_key_log_has_every_connection(tmp_path: Path, certs_dir: Path) -> None:
    """Connections of all ports, and of certificates by name, are in the file that was asked for."""
    path = tmp_path / "keys.log"
    with made(certs_dir, keylog=path) as server:
        ask(server)
        ask(server, "valid.localhost")
    with made(certs_dir, keylog=str(path)) as server:
        ask(server)
    assert len(secrets(path)) == 3


def test_the_environment_says_where(tmp_path: Path, certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSLKEYLOGFILE is respected, unless something else is asked for, which may be nothing."""
    path, other = tmp_path / "keys.log", tmp_path / "other.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(path))
    servers = [made(certs_dir), made(certs_dir, keylog=other), made(certs_dir, keylog="")]
    monkeypatch.delenv("SSLKEYLOGFILE")  # the clients below would obey it, too
    for server in (*servers, made(certs_dir)):
        with server:
            ask(server)
    assert len(secrets(path)) == 1
    assert len(secrets(other)) == 1


def test_an_empty_environment_is_none(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSLKEYLOGFILE that is empty is as if it were not there."""
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    server = made(certs_dir)
    assert server._credentials.key_log.path is None


def test_a_file_that_cannot_be(tmp_path: Path, certs_dir: Path) -> None:
    """A key log that cannot be written is said when the server listens; without TLS there is none."""
    server = made(certs_dir, keylog=tmp_path / "nowhere" / "keys.log")
    with pytest.raises(
        ConfigError, match=r"keys\.log, of keylog or SSLKEYLOGFILE, cannot be written: No such"
    ):
        server.start()
    with made(certs_dir, keylog=tmp_path / "nowhere" / "keys.log", http_port=0, https_port=None):
        pass


def test_reading_along(tmp_path: Path, certs_dir: Path) -> None:
    """Who reads along has the lines from then on, each once, whether or not there is a file for others."""
    for keylog in ("", tmp_path / "keys.log"):
        with made(certs_dir, keylog=keylog) as server:
            ask(server)
            read = server._credentials.key_log.reader()
            assert read() == b""
            ask(server)
            first = read()
            assert len({line.split()[1] for line in first.splitlines()}) == 1
            assert first.endswith(b"\n")
            assert read() == b""
            ask(server, "valid.localhost")
            second = read()
            assert len({line.split()[1] for line in second.splitlines()}) == 1
            assert first.split()[1] != second.split()[1]
            assert len(server._credentials.key_log.reader()()) == 0
        assert server._credentials.key_log.path is not None
        server._credentials.key_log.close()


def test_a_reader_comes_before_the_contexts(certs_dir: Path) -> None:
    """It may begin before the server listens, and outlives its stop."""
    server = made(certs_dir)
    read = server._credentials.key_log.reader()
    for _ in range(2):
        with server:
            ask(server)
        assert b"TRAFFIC_SECRET" in read()
    server._credentials.key_log.close()


def test_a_file_for_readers_alone_is_private_and_goes(certs_dir: Path) -> None:
    """It is in a directory of its owner's alone, and taken away at the end; the server can go on."""
    with made(certs_dir) as server:
        log = server._credentials.key_log
        read = log.reader()
        path = log.path
        assert path is not None
        assert path.parent.stat().st_mode & 0o777 == 0o700
        ask(server)
        log.close()
        log.close()
        assert not path.parent.exists()
        assert read() == b""
        ask(server)
        assert not path.parent.exists()


def test_what_somebody_asked_for_stays(tmp_path: Path) -> None:
    """A file that is not for readers alone is not taken away."""
    path = tmp_path / "keys.log"
    log = KeyLog(path)
    log.check()
    log.close()
    assert path.exists()
    assert log.path == path


def test_it_goes_with_its_server() -> None:
    """If nobody closes it, it goes when it is forgotten; but not with a forked child."""
    log = KeyLog()
    log.reader()
    path = log.path
    assert path is not None
    child = multiprocessing.get_context("fork").Process(target=log.close)
    child.start()
    child.join()
    assert path.exists()
    del log
    gc.collect()
    assert_soon(lambda: not path.exists())


def test_a_line_is_read_whole(tmp_path: Path) -> None:
    """What is half written waits for its end."""
    path = tmp_path / "keys.log"
    read = KeyLog(path).reader()
    path.write_bytes(b"CLIENT_RANDOM 1 2\nCLIENT")
    assert read() == b"CLIENT_RANDOM 1 2\n"
    path.write_bytes(b"CLIENT_RANDOM 1 2\nCLIENT_RANDOM 3 4\n")
    assert read() == b"CLIENT_RANDOM 3 4\n"
