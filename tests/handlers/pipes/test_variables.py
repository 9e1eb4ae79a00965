"""What the names in a template stand for."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.inline import begin
from wptproto import Request
from wptproto.handlers.pipes import PipeError, template
from wptproto.protocol.h1 import H1Connection

DOMAINS = {
    "": {"": "web.test", "www": "www.web.test"},
    "alt": {"": "other.test", "www": "www.other.test"},
}
CONFIG = {
    "browser_host": "web.test",
    "server_host": "127.0.0.1",
    "all_domains": DOMAINS,
    "domains": {},
    "ports": {"http": [8000], "ws": [9000]},
    "logging": {"level": "DEBUG"},
    "_private": "no",
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def requested(
    target: str = "/dir/file", *fields: str, host: str = "web.test:8000", config: Any = CONFIG
) -> Request:
    lines = "".join(f"{field}\r\n" for field in (f"Host: {host}", *fields))
    exchange, _ = begin(H1Connection(), f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
    exchange.request.server = SimpleNamespace(config=config)
    return exchange.request


def value(expression: str, request: Request) -> str:
    return template(request, f"{{{{{expression}}}}}".encode(), "none").decode()


def refused(expression: str, request: Request) -> str:
    with pytest.raises(PipeError) as caught:
        value(expression, request)
    return str(caught.value)


# --- server --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("host", "web.test"),
        ("hosts[][]", "web.test"),
        ("hosts[][www]", "www.web.test"),
        ("hosts[alt][]", "other.test"),
        ("hosts[alt][www]", "www.other.test"),
        ("domains[]", "web.test"),
        ("domains[www]", "www.web.test"),
        ("ports[http][0]", "8000"),
        ("ports[ws][0]", "9000"),
        ("browser_host", "web.test"),
        ("server_host", "127.0.0.1"),
        ("logging[level]", "DEBUG"),
    ],
)
@pytest.mark.parametrize("config", [CONFIG, SimpleNamespace(**CONFIG)], ids=["mapping", "attributes"])
def test_config(expression: str, expected: str, config: object) -> None:
    """Names of hosts, ports and any key come of the server's config, a mapping or an object."""
    assert value(expression, requested(config=config)) == expected


def test_mixed_config() -> None:
    """What a mapping has as attributes alone counts too; without all_domains, domains does."""

    class Mixed(dict[str, Any]):
        domains = DOMAINS
        port = 1
        _own = "no"

    request = requested(config=Mixed(browser_host="web.test", location="hidden"))
    assert value("hosts[alt][]", request) == "other.test"
    assert value("port", request) == "1"
    assert value("location", request) == "hidden"
    for absent in ("keys", "_own", "__doc__"):
        assert f"nothing is called '{absent}'" in refused(absent, request)


def test_no_config() -> None:
    """Without a config, what comes of it is missing by name, and the rest is there."""
    request = requested()
    for server in (None, SimpleNamespace(config=None), SimpleNamespace(config={})):
        request.server = server
        assert value("location[scheme]", request) == "http"
        assert "the server's config has no browser_host" in refused("host", request)
        assert "the server's config has no all_domains or domains" in refused("domains[]", request)
        assert "there are headers, GET, hosts, domains, host, location, url_base, uuid()" in refused(
            "ports[http][0]", request
        )


# --- request -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web.test:8000", "http://web.test:8000 http web.test:8000 web.test 8000"),
        ("Web.Test:8000", "http://web.test:8000 http web.test:8000 web.test 8000"),
        ("web.test", "http://web.test:2 http web.test:2 web.test 2"),
        ("[::1]:8000", "http://[::1]:8000 http [::1]:8000 ::1 8000"),
    ],
)
def test_location(host: str, expected: str) -> None:
    """location has the parts of the URL; where the client named no port, the server's."""
    text = " ".join(f"{{{{location[{part}]}}}}" for part in ("server", "scheme", "host", "hostname", "port"))
    assert template(requested(host=host), text.encode()).decode() == expected


def test_location_path() -> None:
    """The path is as it was sent, and the query has its question mark even if it has nothing else."""
    request = requested("/a%20b/c?d=%3C&e")
    assert value("location[path]", request) == value("location[pathname]", request) == "/a%20b/c"
    assert value("location[query]", request) == "?d=%3C&e"
    assert value("location[query]", requested("/")) == "?"
    assert "location has no [search]" in refused("location[search]", request)


def test_url_base() -> None:
    """url_base is the request's."""
    request = requested()
    assert value("url_base", request) == "/"
    request.url_base = "/mounted/"
    assert value("url_base", request) == "/mounted/"


def test_headers() -> None:
    """headers has the request's fields, without case; one that is missing is an error."""
    request = requested("/", "X-Test: value", "X-Empty:")
    assert value("headers[x-TEST]", request) == "value"
    assert value("headers[X-Empty]", request) == ""
    assert "the request has no field 'X-None'; for another value in its place, write" in refused(
        "headers[X-None]", request
    )
    assert "the request has no field 5" in refused("headers[5]", request)
    assert "the name '天' has characters that are not in ISO-8859-1" in refused("headers[天]", request)


def test_header_or_default() -> None:
    """header_or_default() is a field's value, or else the default."""
    request = requested("/", "X-Test: value")
    assert value("header_or_default(X-Test, other)", request) == "value"
    assert value("header_or_default(X-None, other)", request) == "other"
    assert "takes 2 arguments, got 1" in refused("header_or_default(X-None)", request)
    assert "takes 2 arguments, got 3" in refused("header_or_default(X-None,a,b)", request)
    assert "ISO-8859-1" in refused("header_or_default(天,a)", request)


def test_get() -> None:
    """GET has the first value of each name in the query, nothing for others, and none for a number."""
    request = requested("/?v=%C3%A9&two=1&two=2&1=one&%E9=latin&=empty")
    assert [value(f"GET[{name}]", request) for name in ("v", "two", "none", "1", "é", "")] == [
        "é",
        "1",
        "",
        "",
        "latin",
        "empty",
    ]
    assert "ISO-8859-1" in refused("GET[天]", request)


def test_uuid() -> None:
    """uuid() is a random one."""
    assert UUID.fullmatch(value("uuid()", requested()))


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "dir").mkdir(parents=True)
    (root / "dir" / "ten.txt").write_bytes(b"0123456789")
    (tmp_path / "outside").write_bytes(b"")
    return root


def in_root(root: Path, target: str = "/dir/file") -> Request:
    request = requested(target)
    request.doc_root = str(root)
    return request


def test_file_hash(root: Path) -> None:
    """file_hash() is a file's hash in base64, by one of the usual algorithms."""
    request = in_root(root)
    assert value("file_hash(md5, dir/ten.txt)", request) == "eB5eJF1ptWaXm4bijSPyxw=="
    assert value("file_hash(sha512,dir/ten.txt)", request).startswith("u5bC/EDS1UYX1vJ2/r5XH2I6ja3wtzSF")
    assert "there is no algorithm 'crc'; there are md5, sha1," in refused("file_hash(crc,ten.txt)", request)
    assert "'none.txt', from the document root, cannot be read: No such file" in refused(
        "file_hash(md5,none.txt)", request
    )
    assert "'dir', from the document root, cannot be read: Is a directory" in refused(
        "file_hash(md5,dir)", request
    )
    assert " null " in refused("file_hash(md5,\0)", request)  # byte, or character, as Python has it
    assert "file_hash(algorithm, path) takes 2 arguments, got 1" in refused("file_hash(md5)", request)
    for outside in ("../outside", "dir/../../outside", "/etc/hostname"):
        assert f"{outside!r}, from the document root, lies outside of it" in refused(
            f"file_hash(md5,{outside})", request
        )


def test_file_hash_of_no_file(root: Path, tmp_path: Path) -> None:
    """What a link out of the root leads to is not read, and nothing whose reading might never end."""
    (tmp_path / "outside").write_text("outside")
    (root / "link-out").symlink_to(tmp_path / "outside")
    (root / "link-in").symlink_to(root / "dir" / "ten.txt")
    os.mkfifo(root / "fifo")
    request = in_root(root)
    assert value("file_hash(md5,link-in)", request) == value("file_hash(md5,dir/ten.txt)", request)
    assert "'link-out', from the document root, lies outside of it" in refused(
        "file_hash(md5,link-out)", request
    )
    assert "'fifo', from the document root, cannot be read: it is no regular file" in refused(
        "file_hash(md5,fifo)", request
    )


@pytest.mark.parametrize(
    ("target", "path", "expected"),
    [
        ("/dir/file", "a.txt", "dir/a.txt"),
        ("/dir/file", "../a.txt", "a.txt"),
        ("/dir/file", "/a.txt", "a.txt"),
        ("/dir/file", " a.txt", "dir/ a.txt"),
        ("/dir/", "a.txt", "dir/a.txt"),
        ("//dir/file", "a.txt", "dir/a.txt"),
        ("/d%69r/file", "a.txt", "d%69r/a.txt"),
        ("/dir/file?x", "a.txt", "dir/a.txt"),
        # As wptserve has it, for better or worse.
        ("/file", "a.txt", "file/a.txt"),
        ("/file", "../a.txt", "a.txt"),
        ("/dir/file?x=/y", "a.txt", "dir/file?x=/a.txt"),
    ],
)
def test_fs_path(root: Path, target: str, path: str, expected: str) -> None:
    """fs_path() is the absolute path of a file, reckoned from the request's directory or the root."""
    assert value(f"fs_path({path})", in_root(root, target)) == str(root / expected)


def test_fs_path_outside(root: Path) -> None:
    """fs_path() stays below the document root, of which there has to be one."""
    request = in_root(root)
    assert "'dir/../../a.txt', from the document root, lies outside" in refused(
        "fs_path(../../a.txt)", request
    )
    assert "fs_path(path) takes 1 argument, got 0" in refused("fs_path()", request)
    request.doc_root = None
    assert "this server has no document root" in refused("fs_path(/a.txt)", request)
    assert "this server has no document root" in refused("file_hash(md5,a.txt)", request)
