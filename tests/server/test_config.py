"""Config: what follows from its settings, which settings it refuses, and what a server makes of it."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import ConfigError, Request, Response, Server
from wptproto.server.config import Config

SETTINGS: dict[str, Any] = {
    "browser_host": "web.test",
    "alternate_hosts": {"alt": "other.test"},
    "subdomains": ["www", "www.www", "\u5929\u6c17\u306e\u826f\u3044\u65e5", "\u00e9l\u00e8ve"],
    "not_subdomains": ["nonexistent"],
    "ports": {"http": [8000, "auto"], "https": [8443], "ws": [9000]},
    "logging": {"level": "info"},
    "aliases": [{"url-path": "/x/", "local-dir": "dir"}],
    "ssl": {"type": "none"},
}
WEATHER = "xn--n8j6ds53lwwkrqhv28a"
PUPIL = "xn--lve-6lad"


@pytest.fixture
def config() -> Config:
    return Config.from_dict(SETTINGS)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults() -> None:
    """Without settings there is one host, localhost, and no port or directory."""
    config = Config()
    assert (config.browser_host, config.server_host, config.doc_root) == ("localhost", "localhost", None)
    assert (config.domains, config.not_domains) == ({"": {"": "localhost"}}, {"": {}})
    assert (config.ports, config.subdomains, config.paths) == ({}, (), {"doc_root": None})
    assert config.logging == {"level": "DEBUG", "suppress_handler_traceback": False}


def test_domains(config: Config) -> None:
    """Each host has each subdomain, as A-labels, and itself; those that lead nowhere are apart."""
    labels = {
        "www": "www",
        "www.www": "www.www",
        "\u5929\u6c17\u306e\u826f\u3044\u65e5": WEATHER,
        "\u00e9l\u00e8ve": PUPIL,
    }
    hosts = {"": "web.test", "alt": "other.test"}
    domains = {
        name: {"": host, **{label: f"{ascii_label}.{host}" for label, ascii_label in labels.items()}}
        for name, host in hosts.items()
    }
    not_domains = {name: {"nonexistent": f"nonexistent.{host}"} for name, host in hosts.items()}
    assert config.domains == domains
    assert config.not_domains == not_domains
    assert config.all_domains == {name: domains[name] | not_domains[name] for name in hosts}
    assert config.domains_set == {host for found in domains.values() for host in found.values()}
    assert config.not_domains_set == {"nonexistent.web.test", "nonexistent.other.test"}
    assert config.all_domains_set == config.domains_set | config.not_domains_set


def test_as_a_mapping(config: Config) -> None:
    """Each key is item and attribute, what follows and what is wptserve's alone included."""
    assert config["browser_host"] == config.browser_host == "web.test"
    assert config["ports"] == config.ports == {"http": [8000, 0], "https": [8443], "ws": [9000]}
    assert config["logging"]["level"] == "INFO"
    assert config["aliases"] == config.aliases == [{"url-path": "/x/", "local-dir": "dir"}]
    assert config["all_domains"] is config.all_domains
    assert {"domains", "ssl", "paths", "server_host"} <= set(config)
    assert len(config) == len(list(config)) == len(dict(config))
    assert all(config[key] == getattr(config, key) for key in config)
    assert "others" not in config
    assert "load" not in config
    assert config.get("load", "none") == "none"
    with pytest.raises(KeyError):
        config["load"]
    with pytest.raises(AttributeError, match="the config has no 'nothing'"):
        config.nothing  # noqa: B018


def test_frozen(config: Config) -> None:
    """No attribute or item can be set; what it was made of may change without it."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.browser_host = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        config["browser_host"] = "x"
    ports = {"http": [1]}
    made = Config(ports=ports)
    ports["http"].append(2)
    assert made.ports == {"http": [1]}


def test_copies(config: Config) -> None:
    """Copies are equal, as is a dict of the same; the values of a config can be made JSON."""
    assert copy.copy(config) == copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == config
    assert config == dict(config)
    assert json.loads(json.dumps(config["domains"])) == config.domains
    assert json.loads(json.dumps(config["subdomains"])) == SETTINGS["subdomains"]


def test_sets_of_subdomains() -> None:
    """Subdomains may be a set, as in programs for wptserve; each is there once, in order."""
    assert Config(subdomains={"b", "a"}).subdomains == ("a", "b")  # type: ignore[arg-type]
    assert Config(subdomains=["b", "a", "b"]).subdomains == ("b", "a")


def test_load(tmp_path: Path, config: Config) -> None:
    """A JSON file makes the same config as its settings do."""
    path = write(tmp_path / "config.json", json.dumps(SETTINGS))
    assert Config.load(path) == Config.load(str(path)) == config


def test_load_over_defaults(tmp_path: Path) -> None:
    """What a file does not say is as the defaults have it, key by key; its document root is found from it."""
    path = write(
        tmp_path / "config.json", '{"ports": {"http": [80]}, "doc_root": "root", "subdomains": ["a"]}'
    )
    defaults = {
        "ports": {"http": [8000, 8001], "https": [8443]},
        "subdomains": ["www"],
        "logging": {"level": "info"},
    }
    config = Config.load(path, defaults=defaults)
    assert config.ports == {"http": [80], "https": [8443]}
    assert (config.subdomains, config.logging["level"]) == (("a",), "INFO")
    assert config.doc_root == str(tmp_path / "root")
    absolute = write(tmp_path / "absolute.json", '{"doc_root": "/srv/root", "ports": {"http": 1}}')
    with pytest.raises(ConfigError, match=r"absolute.json: ports\[http\]: a list is wanted"):
        Config.load(absolute, defaults=defaults)
    assert Config.load(write(absolute, '{"doc_root": "/srv/root"}')).doc_root == "/srv/root"


def test_load_several(tmp_path: Path) -> None:
    """Of several files the last counts, then those before it, then the defaults; objects are merged."""
    first = write(tmp_path / "1.json", '{"ports": {"https": [2], "h2": [3]}, "subdomains": ["a"]}')
    second = write(tmp_path / "2.json", '{"ports": {"h2": [4]}, "subdomains": ["b"], "alternate_hosts": {}}')
    defaults = {
        "browser_host": "web.test",
        "ports": {"http": [1], "https": [1]},
        "alternate_hosts": {"a": "b"},
    }
    config = Config.load(first, second, defaults=defaults)
    assert (config.browser_host, config.subdomains) == ("web.test", ("b",))
    assert (config.ports, config.alternate_hosts) == ({"http": [1], "https": [2], "h2": [4]}, {"a": "b"})
    assert Config.load() == Config()
    assert defaults["ports"] == {"http": [1], "https": [1]}
    roots = write(tmp_path / "3.json", '{"doc_root": "root"}')
    assert Config.load(roots, first).doc_root == str(tmp_path / "root")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON: Expecting property name.* line 1 column 2"),
        pytest.param("9" * 5000, "not JSON: Exceeds the limit", id="digits"),
        pytest.param("[" * 100_000, "not JSON: maximum recursion depth exceeded", id="brackets"),
        ("[]", r"an object of settings is wanted, not \[\]"),
        ('{"doc_root": "a", "doc_root": "b"}', "doc_root: stands there twice"),
        ('{"browser_hots": "x"}', "browser_hots: there is no such key; is browser_host meant"),
        ('{"host": "x"}', "host: there is no such key; is browser_host meant"),
        ('{"host_ip": "x"}', "host_ip: there is no such key; is server_host meant"),
        ('{"others": {}}', "others: there is no such key"),
        ('{"xyz": {}}', "xyz: there is no such key$"),
        ('{"browser_host": 5}', "browser_host: a host's name or address is wanted, not 5"),
        ('{"browser_host": ""}', "browser_host: a host's name"),
        ('{"server_host": "http://x/"}', "server_host: a host's name"),
        ('{"alternate_hosts": ["x"]}', r"alternate_hosts: an object is wanted, not \['x'\]"),
        ('{"alternate_hosts": {"": "x"}}', 'alternate_hosts: the name "" is that of browser_host'),
        ('{"alternate_hosts": {"alt": null}}', r"alternate_hosts\[alt\]: a host's name"),
        ('{"subdomains": "www"}', "subdomains: a list is wanted, not 'www'"),
        ('{"subdomains": [1]}', "subdomains: a subdomain's name is wanted, not 1"),
        ('{"subdomains": [""]}', "subdomains: a subdomain's name is wanted, not ''"),
        (
            '{"not_subdomains": ["a..b"]}',
            "not_subdomains: 'a..b' is no domain's name: .*label empty",
        ),
        ('{"ports": [80]}', "ports: an object is wanted"),
        ('{"ports": {"http": 80}}', r"ports\[http\]: a list is wanted, not 80"),
        ('{"ports": {"http": [80, 65536]}}', r"ports\[http\]\[1\]: a port from 0 to 65535 .* not 65536"),
        ('{"ports": {"http": [true]}}', r"ports\[http\]\[0\]: a port"),
        ('{"ports": {"http": ["80"]}}', r"ports\[http\]\[0\]: a port"),
        ('{"doc_root": 1}', "doc_root: a directory is wanted, not 1"),
        ('{"doc_root": ""}', "doc_root: a directory is wanted"),
        ('{"aliases": {}}', r"aliases: a list is wanted"),
        ('{"aliases": ["/x/"]}', r"aliases\[0\]: an object is wanted, not '/x/'"),
        ('{"aliases": [{"url-path": "/x/"}]}', r"aliases\[0\]: url-path and local-dir are wanted, texts"),
        ('{"aliases": [{"url-path": "/x/", "local-dir": 1}]}', r"aliases\[0\]: url-path and local-dir"),
        ('{"logging": "debug"}', "logging: an object is wanted"),
        ('{"logging": {"levl": 1}}', r"logging\[levl\]: there is no such key; there are level, suppress_h"),
        ('{"logging": {"level": "loud"}}', r"logging\[level\]: a level such as info is wanted, not 'loud'"),
        ('{"logging": {"suppress_handler_traceback": 1}}', r"logging\[suppress_.*\]: true or false"),
        ('{"limits": []}', r"limits: an object is wanted, not \[\]"),
        ('{"limits": {"idle": 1}}', "limits: there is no limit 'idle'; there are .*idle_s"),
        ('{"limits": {"idle_s": -1}}', "limits: idle_s is a number of seconds above 0, not -1"),
        ('{"lenient": "bare-lf"}', "lenient: a list is wanted, not 'bare-lf'"),
        ('{"lenient": ["x"]}', "lenient: 'x' is none of all, bare-cr,"),
        ('{"core": "slow"}', "core: 'slow' is none of fast, plain"),
        ('{"core": ["fast"]}', r"core: \['fast'\] is none of fast, plain"),
        *(
            (f'{{"workers": {found}}}', "workers: a number of processes from 1 to 999 is wanted, not ")
            for found in ("0", "1000", "1.0", "true", '"2"', "null")
        ),
        ('{"lenient": [[]]}', r"lenient: \[\] is none of all, bare-cr,"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A mistake in a file is an error that says file, key, and what is wanted."""
    path = write(tmp_path / "config.json", text)
    with pytest.raises(ConfigError, match=said) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there, or not UTF-8, is an error that says so."""
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read: No such file"):
        Config.load(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"doc_root": "\xe9"}')
    with pytest.raises(ConfigError, match=r"latin\.json: not UTF-8 at octet 14"):
        Config.load(tmp_path / "latin.json")


@pytest.mark.parametrize("name", ["_x", "domains", "ports", "keys"])
def test_further_keys(name: str) -> None:
    """Further keys are read as the others are, and cannot have the names of those."""
    assert Config(others={"further": 1}).further == 1
    with pytest.raises(ConfigError, match=f"{name}: no further key"):
        Config(others={name: 1})


# --- in a server ---------------------------------------------------------------------------------

TEMPLATE = (
    "{{host}} {{ports[http][0]}} {{ports[https][0]}} {{ports[h2][0]}} {{ports[ws][0]}} {{domains[www]}} "
    "{{hosts[alt][]}} {{hosts[alt][nonexistent]}} {{server_host}} {{logging[level]}} {{paths[doc_root]}}"
)


def test_templates_and_scripts(certs_dir: Path, tmp_path: Path, kind: Kind, config: Config) -> None:
    """Templates and scripts find the config's names, and the server's real ports, over each protocol."""
    (tmp_path / "dir").mkdir()
    write(tmp_path / "names.sub.txt", TEMPLATE)
    write(
        tmp_path / "names.py",
        "def main(request, response):\n"
        "    config = request.server.config\n"
        "    return '%s %s' % (config['ports']['http'][0], config.all_domains['alt']['www'])\n",
    )
    with (
        Server(tmp_path, http_port=0, https_port=0, certs_dir=certs_dir, config=config) as server,
        connect(server, kind) as peer,
    ):
        http, https = server.http_port, server.https_port
        assert peer.request("/names.sub.txt").text == (
            f"web.test {http} {https} {https} 9000 www.web.test "
            f"other.test nonexistent.other.test web.test INFO {tmp_path}"
        )
        assert peer.request("/names.py").text == f"{http} www.other.test"


def test_ports_while_it_runs(certs_dir: Path, tmp_path: Path) -> None:
    """A running server's config has its real ports, none for what is off; at rest it has the wanted."""
    config = Config(ports={"http": [0], "https": [0], "ws": [9]}, doc_root=str(tmp_path))
    server = Server(certs_dir=certs_dir, https_port=None, config=config)
    assert (server.doc_root, server.config) == (tmp_path, config)
    with server:
        assert server.config.ports == {"http": [server.http_port], "ws": [9]}
        assert server.config.doc_root == str(tmp_path)
    assert server.config == config


def test_aliases(certs_dir: Path, tmp_path: Path, kind: Kind) -> None:
    """What a config mounts is found from the document root; an argument comes before it."""
    for path in ("root/dir", "beside", "other"):
        (tmp_path / path).mkdir(parents=True)
        write(tmp_path / path / "file.txt", path)
    aliases = [
        {"url-path": "/a/", "local-dir": "dir"},
        {"url-path": "/one/file.txt", "local-dir": "../beside"},
        {"url-path": "/b/", "local-dir": str(tmp_path / "beside")},
        {"url-path": "/c/", "local-dir": "dir"},
    ]
    config = Config(doc_root=str(tmp_path / "root"), aliases=aliases)
    mounts = {"/c/": tmp_path / "other"}
    with Server(config=config, mounts=mounts, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        asked = ("/a/file.txt", "/one/file.txt", "/b/file.txt", "/c/file.txt")
        assert [peer.request(path).text for path in asked] == ["root/dir", "beside", "beside", "other"]


def test_aliases_without_a_root(tmp_path: Path) -> None:
    """Without a document root, only a whole path can be mounted."""
    with pytest.raises(ConfigError, match="aliases: dir would be below the document root, and there is none"):
        Server(config=Config(aliases=[{"url-path": "/a/", "local-dir": "dir"}]))
    Server(config=Config(aliases=[{"url-path": "/a/", "local-dir": str(tmp_path)}]))


def names_of(server: Server, *asked: str) -> list[bool]:
    """Return for which names clients accept the server's certificate."""
    found = []
    for name in asked:
        with socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as plain:
            try:
                server.client_context().wrap_socket(plain, server_hostname=name).close()
            except ssl.SSLCertVerificationError:
                found.append(False)
            else:
                found.append(True)
    return found


def test_certificate(certs_dir: Path, config: Config) -> None:
    """The certificate is for all domains of the config, beside localhost; not for those that lead nowhere."""
    config = replace(config, aliases=[])
    with Server(http_port=None, https_port=0, certs_dir=certs_dir, config=config) as server:
        assert names_of(server, *sorted(config.domains_set)) == [True] * len(config.domains_set)
        assert names_of(server, "天気の良い日.web.test", f"{PUPIL}.other.test", "localhost") == [True] * 3
        assert names_of(server, "nonexistent.web.test", "x.www.web.test") == [False] * 2
        assert server.ca == certs_dir / "ca.pem"


def test_certificates_stay(tmp_path: Path, config: Config) -> None:
    """Servers with several configs in one directory find their certificates as they left them."""
    configs = [replace(config, aliases=[]), Config(), Config(browser_host="web.example", subdomains=["www"])]

    def start_all() -> dict[str, bytes]:
        for config in configs:
            with Server(http_port=None, https_port=0, certs_dir=tmp_path, config=config):
                pass
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    made = start_all()
    assert len([name for name in made if name.startswith("server") and "key" not in name]) == 3
    assert start_all() == made


def test_certificate_for_an_address(certs_dir: Path) -> None:
    """An address can be the main host; no certificate can be for names below it, and none is asked for."""
    config = Config(browser_host="127.0.0.1", subdomains=["www"])
    with Server(http_port=None, certs_dir=certs_dir, config=config) as server:
        assert names_of(server, "127.0.0.1", "localhost") == [True, True]


@pytest.mark.parametrize(
    ("hosts", "server_host", "address"),
    [
        (None, "127.0.0.2", "127.0.0.2"),
        ("127.0.0.3", "127.0.0.2", "127.0.0.3"),
        (None, "web.test", "127.0.0.1"),
    ],
)
def test_server_host(hosts: str | None, server_host: str, address: str) -> None:
    """It listens where the config says, unless it is told otherwise, or is told the name of the main host."""
    config = Config(browser_host="web.test", server_host=server_host)
    with Server(hosts=hosts, https_port=None, config=config) as server:
        socket.create_connection((address, server.http_port or 0), timeout=10).close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "def main(request, response):\n    1 / 0\n",
            'script.py", line 2, in main: ZeroDivisionError: division',
        ),
        ("def main(:\n", "SyntaxError: invalid syntax (script.py, line 1)"),
    ],
)
def test_suppressed_tracebacks(
    tmp_path: Path, certs_dir: Path, kind: Kind, script: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of an error, client and log get one line that says where it was, if the config wants it so."""
    write(tmp_path / "script.py", script)
    config = Config(logging={"suppress_handler_traceback": True})
    with Server(tmp_path, certs_dir=certs_dir, config=config) as server, connect(server, kind) as peer:
        answer = peer.request("/script.py")
    assert answer.status == 500
    told = json.loads(answer.content)["error"]["message"]
    assert said in told
    assert said in caplog.text
    assert "Traceback" not in told + caplog.text
    assert "\n" not in told


def test_what_a_handler_sees(certs_dir: Path) -> None:
    """request.server offers all that is public of the server; what is set on it stays with the request."""
    seen: list[Any] = []

    def handler(request: Request, response: Response) -> None:
        mine = request.server
        seen.extend([mine == server, server == mine, mine == copy.copy(mine), hash(mine) == hash(server)])
        seen.extend([mine.config is server.config, mine.http_url() == server.http_url()])
        seen.extend([mine.router is server.router, not hasattr(mine, "_engine"), not hasattr(mine, "kept")])
        mine.kept = True
        seen.append(mine.kept and not hasattr(server, "kept"))

    with (
        Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None) as server,
        connect(server, "h1") as peer,
    ):
        assert [peer.request().status for _ in range(2)] == [200, 200]
    assert seen == [True] * 20
