"""openssl s_client, which renegotiates when it is told to."""

from __future__ import annotations

import subprocess

import pytest

from tests.helpers.programs import program
from wptproto import Server


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_renegotiation(alpn: str, server: Server) -> None:
    """A client that would renegotiate is told that nobody does, and others are served (RFC 9113 §9.2.1)."""
    command = ["s_client", "-tls1_2", "-alpn", alpn, "-connect", f"127.0.0.1:{server.https_port}"]
    done = subprocess.run(
        [program("openssl"), *command], input="R\n", capture_output=True, text=True, timeout=20
    )
    assert f"ALPN protocol: {alpn}" in done.stdout
    assert "RENEGOTIATING" in done.stdout + done.stderr
    assert "no renegotiation" in done.stderr
    assert done.returncode != 0
