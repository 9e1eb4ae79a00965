"""A checkout: what is one, the names and ports it is served with, and what else is mounted in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import connect
from wptproto import wpt
from wptproto.errors import ConfigError

ONLY_FREE_PORTS: dict[str, Any] = {"http_port": 0, "https_port": 0, "h2_port": 0}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "resources" / "webidl2" / "lib").mkdir(parents=True)
    (root / "resources" / "testharness.js").write_text("harness")
    (root / "resources" / "webidl2" / "lib" / "webidl2.js").write_text("parser")
    (root / "ports.sub.txt").write_text("{{ports[http][0]}} {{ports[ws][0]}} {{hosts[alt][www.élève]}}")
    (root / "x.any.js").write_text("")
    return root


def test_what_is_no_checkout(tmp_path: Path) -> None:
    """A directory without the harness is no checkout, and one that is not there is none at all."""
    with pytest.raises(ConfigError, match=r"is no checkout .* it has no resources.testharness\.js"):
        wpt.server(tmp_path)
    with pytest.raises(ConfigError, match=r"cannot serve .*absent: No such file"):
        wpt.checkout_config(tmp_path / "absent")


def test_defaults(checkout: Path) -> None:
    """The hosts, labels and ports are those that the tests count on."""
    config = wpt.checkout_config(checkout)
    assert (config.browser_host, config.alternate_hosts) == (
        "web-platform.test",
        {"alt": "not-web-platform.test"},
    )
    assert config.domains[""]["天気の良い日"] == "xn--n8j6ds53lwwkrqhv28a.web-platform.test"
    assert config.domains["alt"]["élève.www2"] == "xn--lve-6lad.www2.not-web-platform.test"
    assert len(config.domains_set) == 2 * (1 + 5 + 25)
    assert "nonexistent.nonexistent.not-web-platform.test" in config.not_domains_set
    assert [config.ports[kind] for kind in ("http", "https", "h2")] == [[8000, 8001], [8443, 8444], [9000]]


def test_files_of_settings(checkout: Path, tmp_path: Path) -> None:
    """The checkout's own file counts before the defaults, and files that are named before that."""
    (checkout / "config.json").write_text('{"browser_host": "a.test", "ports": {"https": [4, 5], "h2": [6]}}')
    (tmp_path / "more.json").write_text('{"ports": {"h2": ["auto"]}, "alternate_hosts": {"b": "b.test"}}')
    config = wpt.checkout_config(checkout, tmp_path / "more.json")
    assert config.browser_host == "a.test"
    assert config.alternate_hosts == {"alt": "not-web-platform.test", "b": "b.test"}
    ports = [config.ports[kind] for kind in ("http", "https", "h2", "ws")]
    assert ports == [[8000, 8001], [4, 5], [0], [8888]]


def test_a_wrong_file(checkout: Path) -> None:
    """What is wrong in a file is said with its name."""
    (checkout / "config.json").write_text('{"prots": {}}')
    with pytest.raises(ConfigError, match=r"config\.json: prots: there is no such key; is ports meant"):
        wpt.checkout_config(checkout)


def test_serving(checkout: Path, certs_dir: Path) -> None:
    """Templates have the ports that are listened on, and the harness finds its parser by another name."""
    rewrites = [("*", "/other", "/resources/testharness.js")]
    with (
        wpt.server(checkout, rewrites=rewrites, certs_dir=certs_dir, **ONLY_FREE_PORTS) as server,
        connect(server, "h1") as peer,
    ):
        said = f"{server.http_port} 8888 www.xn--lve-6lad.not-web-platform.test"
        assert peer.request("/ports.sub.txt").text == said
        assert peer.request("/resources/WebIDLParser.js").text == "parser"
        assert peer.request("/resources/testharness.js").text == "harness"
        assert peer.request("/other").text == "harness"
        assert peer.request("/x.any.worker.html").status == 200


def test_mounts(checkout: Path, tmp_path: Path, certs_dir: Path) -> None:
    """Tests in what is mounted, by the config or here, have their wrappers; a single file needs none."""
    for name in ("aliased", "mounted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.any.js").write_text("")
    aliases = [
        {"url-path": "/a/", "local-dir": "../aliased"},
        {"url-path": "/aliased.any.js", "local-dir": "../aliased"},
    ]
    (checkout / "config.json").write_text(json.dumps({"aliases": aliases}))
    mounts = {"/a/b/": tmp_path / "mounted"}
    with (
        wpt.server(checkout, mounts=mounts, certs_dir=certs_dir, **ONLY_FREE_PORTS) as server,
        connect(server, "h1") as peer,
    ):
        for base, name in (("/a", "aliased"), ("/a/b", "mounted")):
            page = peer.request(f"{base}/{name}.any.html")
            assert f'<script src="{base}/{name}.any.js">' in page.text
            assert peer.request(f"{base}/{name}.any.js").status == 200
        assert peer.request("/aliased.any.js").status == 200
        assert peer.request("/aliased.any.html").status == 404
        assert peer.request("/a/x.any.html").status == 404
