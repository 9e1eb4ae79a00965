"""What is said of a server that listens."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wptproto import Server, certs
from wptproto.server.config import Config
from wptproto.welcome import ready_line, resolver_rules, welcome


def said_of(server: Server, certs_dir: Path | None = None) -> str:
    return welcome(server, ["nothing"], path="/", own_certificate=False, certs_dir=certs_dir)


def test_every_port(certs_dir: Path) -> None:
    """Every port is named, with what it speaks, and a command for each protocol."""
    with Server(http_port=[0, 0], https_port=None, h2_port=[0, 0], certs_dir=certs_dir) as server:
        text = said_of(server)
        for port in server.http_ports:
            assert f"    http://localhost:{port}/     HTTP/1.1, and HTTP/2 in the clear\n" in text
        for port in server.h2_ports:
            assert f"    https://localhost:{port}/    HTTP/2 alone, over TLS\n" in text
        assert f"    curl --http2 --cacert {server.ca} https://localhost:{server.h2_port}/\n" in text


def test_names(certs_dir: Path) -> None:
    """Of a config's names it says the first, how many there are, and how a client is told where they are."""
    config = Config(browser_host="a.test", alternate_hosts={"alt": "bb.test"}, subdomains=["www", "www1"])
    with Server(https_port=None, config=config) as server:
        assert (
            "\nIt is also a.test, bb.test, www.a.test, www.bb.test and 2 more, for clients told so:\n"
            'Chromium by --host-resolver-rules="MAP a.test 127.0.0.1, MAP *.a.test 127.0.0.1, '
            'MAP bb.test 127.0.0.1, MAP *.bb.test 127.0.0.1",\n'
            "curl by --connect-to ::127.0.0.1: and others by the system's hosts file.\n"
        ) in said_of(server)
    with Server(https_port=None) as server:
        assert "It is also" not in said_of(server)


@pytest.mark.parametrize(
    ("host", "address"),
    [("::1", "[::1]"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("127.0.0.2", "127.0.0.2")],
)
def test_where_the_names_lead(host: str, address: str) -> None:
    """They lead to where the server listens, which for all addresses is loopback."""
    with Server(https_port=None, hosts=host, config=Config(browser_host="a.test")) as server:
        assert f"--connect-to ::{address}: " in said_of(server)


def test_other_machines(caplog: pytest.LogCaptureFixture) -> None:
    """Where other machines can reach it, that is said, and logged; at loopback there is nothing to say."""
    with Server(https_port=None) as server:
        assert "Other machines" not in said_of(server) + caplog.text
    with Server(https_port=None, hosts="0.0.0.0") as server:
        for text in (said_of(server), caplog.text):
            assert "Other machines may reach 0.0.0.0: anyone there can" in text


def test_resolver_rules() -> None:
    """Chromium's rules are for the hosts and for all that is below them, but what shall lead nowhere."""
    assert resolver_rules(Config(), "[::1]") == "MAP localhost [::1], MAP *.localhost [::1]"
    config = Config(browser_host="a.test", not_subdomains=["none"])
    assert resolver_rules(config, "127.0.0.1") == (
        "MAP none.a.test ~NOTFOUND, MAP a.test 127.0.0.1, MAP *.a.test 127.0.0.1"
    )


def test_certificates(tmp_path: Path) -> None:
    """An authority that is for certain names is found by them; what is already trusted needs none."""
    config = Config(browser_host="web.example", subdomains=["www"])
    with Server(http_port=None, certs_dir=tmp_path, config=config) as server:
        names = ["www.web.example", "web.example"]
        assert f": wptproto certs {' '.join(names)} --certs {tmp_path}\n" in said_of(server, tmp_path)
        assert certs.ensure(tmp_path, (*certs.DEFAULT_NAMES, *names)).ca == server.ca
    with Server(http_port=None, certs_dir=tmp_path, config=Config(browser_host="web.test")) as server:
        assert said_of(server).endswith(": wptproto certs\n\n")
        own = welcome(server, [], path="/", own_certificate=True, certs_dir=None)
        assert "wptproto certs" not in own


def test_ready_line() -> None:
    """What is off is null, or none; the process is the one that serves."""
    with Server(https_port=None) as server:
        facts = json.loads(ready_line(server))
        assert facts == {
            "urls": {"http": server.http_url(), "https": None, "h2": None},
            "ports": {"http": server.http_port, "https": None, "h2": None},
            "all_urls": {"http": [server.http_url()], "https": [], "h2": []},
            "all_ports": {"http": [server.http_port], "https": [], "h2": []},
            "ca": None,
            "pid": os.getpid(),
        }
