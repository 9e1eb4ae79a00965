"""What is imported when: nobody waits for what the first answer does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import wptproto
from wptproto import certs

ANSWER = """
import socket
import wptproto

def hello(request, response):
    return "Hello"

with wptproto.Server(ROOT, routes=[("GET", "/", hello)], http_port=0, https_port=None) as server:
    with socket.create_connection((b"127.0.0.1", server.http_port)) as client:
        client.sendall(b"GET PATH HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        assert client.makefile("rb").read().endswith(b"Hello")
"""


def modules_after(code: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has when it has run some code."""
    run = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    # Nor has coverage measured it, which would import more.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(run, check=True, capture_output=True, text=True, timeout=60, env=env)
    return set(done.stdout.split())


def among(modules: Iterable[str], *wanted: str) -> set[str]:
    """Return which of the modules are those that are named, or below them."""
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in wanted)}


def test_the_package_alone_is_next_to_nothing() -> None:
    """``import wptproto`` imports none of its modules, until a name is asked for."""
    modules = modules_after("import wptproto")
    assert among(modules, "wptproto", "asyncio", "dataclasses") == {"wptproto"}


def test_a_name_brings_its_own_module_alone() -> None:
    """Who wants an error to catch does not get a server."""
    modules = modules_after("from wptproto import HTTPException")
    assert among(modules, "wptproto") == {"wptproto", "wptproto.errors"}


@pytest.mark.parametrize("name", wptproto.__all__)
def test_each_public_name_is_there(name: str) -> None:
    """What ``__all__`` says can be had, and is what ``dir()`` shows."""
    assert getattr(wptproto, name) is getattr(wptproto, name)
    assert name in dir(wptproto)


def test_no_other_name_is_there() -> None:
    """A name that is not public is an AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="module 'wptproto' has no attribute 'Sever'"):
        getattr(wptproto, "Sever")  # noqa: B009 -- mypy knows, too


def test_an_answer_in_the_clear_needs_little() -> None:
    """A first answer over HTTP/1.1 has imported no HTTP/2, cryptography, pipes, forms or mail."""
    modules = modules_after(ANSWER.replace("ROOT", "None").replace("PATH", "/"))
    assert not among(
        modules, "h2", "hpack", "hyperframe", "wptproto.protocol.h2", "wptproto.exchange.h2_writer"
    )
    assert not among(modules, "wptproto.wire", "wptproto.server.accepting")
    assert not among(modules, "cryptography", "hashlib", "datetime", "encodings.idna", "tomllib")
    assert not among(
        modules, "wptproto.handlers.script", "wptproto.handlers.static", "wptproto.handlers.pipes.sub"
    )
    assert not among(
        modules, "python_multipart", "email", "tempfile", "shutil", "json", "uuid", "html", "difflib"
    )


def test_a_file_needs_little_more(tmp_path: Path) -> None:
    """A file that is served whole has imported no pipes, listings or multiparts."""
    (tmp_path / "file.txt").write_text("Hello")
    modules = modules_after(ANSWER.replace("ROOT", repr(str(tmp_path))).replace("PATH", "/file.txt"))
    assert "wptproto.handlers.static" in modules
    assert not among(modules, "wptproto.handlers.pipes.families", "wptproto.handlers.listing", "html", "uuid")


def test_certificates_that_fit_need_no_cryptography(tmp_path: Path) -> None:
    """Where certificates were made before, and were found to fit, a server of TLS begins without that."""
    serve = (
        f"with wptproto.Server(https_port=0, certs_dir={str(tmp_path)!r}) as server: server.client_context()"
    )
    made, found = (among(modules_after(f"import wptproto\n{serve}"), "cryptography") for _ in range(2))
    assert made
    assert not found


def test_a_certificate_of_one_s_own_needs_no_cryptography(tmp_path: Path) -> None:
    """Files that OpenSSL can use are looked at by nobody else."""
    files = certs.ensure(tmp_path)
    pair = f"certificate={str(files.certificate)!r}, key={str(files.key)!r}"
    modules = modules_after(f"import wptproto\nwith wptproto.Server(https_port=0, {pair}): pass")
    assert not among(modules, "cryptography", "wptproto.certs")


def test_who_asks_for_the_catalogue_s_names_needs_no_cryptography(tmp_path: Path) -> None:
    """A certificate that a client asks for by SNI is found, if it was made before."""
    serve = f"""
import socket, ssl, wptproto

with wptproto.Server(http_port=None, certs_dir={str(tmp_path)!r}) as server:
    with socket.create_connection(("127.0.0.1", server.https_port)) as client:
        server.client_context().wrap_socket(client, server_hostname="HOST").close()
"""
    made, found = (modules_after(serve.replace("HOST", "valid.localhost")) for _ in range(2))
    assert among(made, "cryptography")
    assert not among(found, "cryptography", "wptproto.certs.faulty")
    assert not among(modules_after(serve.replace("HOST", "localhost")), "wptproto.certs.catalogue")
