"""wptserve.config: the builder, and what it builds."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any, ClassVar

import pytest

from wptproto.wptserve.config import Config, ConfigBuilder

LOGGER = logging.getLogger("tests.wptserve")


def build(**settings: Any) -> Any:
    with ConfigBuilder(LOGGER, **settings) as config:
        return config


def test_what_follows() -> None:
    """Domains, hosts and paths follow from what was given."""
    config = build(
        browser_host="a.test", alternate_hosts={"alt": "b.test"}, subdomains={"élève"}, not_subdomains=["no"]
    )
    assert config.domains == {
        "": {"": "a.test", "élève": "xn--lve-6lad.a.test"},
        "alt": {"": "b.test", "élève": "xn--lve-6lad.b.test"},
    }
    assert config.not_domains == {"": {"no": "no.a.test"}, "alt": {"no": "no.b.test"}}
    assert config.all_domains["alt"]["no"] == "no.b.test"
    assert config.all_domains_set == config.domains_set | config.not_domains_set
    assert "xn--lve-6lad.b.test" in config.domains_set
    assert (config.server_host, config["server_host"]) == ("a.test", "a.test")
    assert build(server_host="0.0.0.0").server_host == "0.0.0.0"
    assert build(doc_root="/dir").paths == {"doc_root": "/dir"}
    assert config.logging == {"level": "DEBUG", "suppress_handler_traceback": False}


def test_ports() -> None:
    """``auto`` is a free port; those of TLS are left out where there is none."""
    ports = {"http": ["auto", 8001], "https": [8443], "ws": [1], "wss": [2]}
    first, second = build(ports=ports).ports["http"]
    assert 0 < first < 65536
    assert second == 8001
    assert build(ports=ports).ports.keys() == {"http", "ws"}
    assert build(ports=ports, ssl={"type": "pregenerated", "pregenerated": PAIR}).ports["https"] == [8443]


PAIR = {"host_key_path": "key.pem", "host_cert_path": "cert.pem"}


def test_certificates(tmp_path: Path) -> None:
    """There are none, those that are given, or some that are made for all domains."""
    assert build().ssl_config is None
    assert build(ssl={"type": "pregenerated", "pregenerated": PAIR}).ssl_config == {
        "key_path": "key.pem",
        "cert_path": "cert.pem",
        "ca_cert_path": None,
        "encrypt_after_connect": False,
    }
    made = build(browser_host="made.test", ssl={"type": "openssl", "openssl": {"base_path": str(tmp_path)}})
    assert all(Path(made.ssl_config[name]).is_file() for name in ("key_path", "cert_path", "ca_cert_path"))
    with pytest.raises(ValueError, match="not 'bogus'"):
        build(ssl={"type": "bogus"})


def test_certificates_where_the_user_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory, certificates are where all others are."""
    monkeypatch.setattr("wptproto.certs.keeping.default_directory", lambda: tmp_path)
    assert Path(build(ssl={"type": "openssl"}).ssl_config["cert_path"]).parent == tmp_path


def test_settings_can_be_changed() -> None:
    """A setting is an attribute; of those that are dicts, an update changes the keys that there are."""
    builder = ConfigBuilder(LOGGER)
    builder.browser_host = "a.test"
    builder.update({"doc_root": "/", "ssl": {"encrypt_after_connect": True, "more": 1, "none": {}}})
    assert builder.doc_root == "/"
    assert builder.ssl["encrypt_after_connect"]
    assert "more" not in builder.ssl
    with builder as config:
        assert config.browser_host == "a.test"
    assert build().browser_host == "localhost"
    with pytest.raises(AttributeError, match="no setting called 'nothing'"):
        _ = builder.nothing


def test_settings_that_are_none() -> None:
    """Names that there are not are errors."""
    with pytest.raises(TypeError, match="a, b"):
        build(a=1, b=2)
    with pytest.raises(KeyError, match="'a'"):
        ConfigBuilder(LOGGER).update({"a": 1})


def test_settings_that_have_another_name(caplog: pytest.LogCaptureFixture) -> None:
    """Older names count, with a warning."""
    builder = ConfigBuilder(LOGGER, host="a.test")
    builder.update({"external_host": "b.test"})
    with builder as config:
        assert (config.browser_host, config.server_host) == ("a.test", "b.test")
    assert [record.getMessage() for record in caplog.records] == [
        "the setting host is called browser_host by now",
        "the setting external_host is called server_host by now",
    ]


class OwnConfig(Config):
    """What a program makes of Config."""


class OwnBuilder(ConfigBuilder):
    """What a program makes of ConfigBuilder."""

    _default: ClassVar[dict[str, Any]] = {**ConfigBuilder._default, "ws_doc_root": None}
    computed_properties: ClassVar[list[str]] = ["ws_doc_root", *ConfigBuilder.computed_properties]
    default_config_cls = OwnConfig

    def _get_ws_doc_root(self, data: dict[str, Any]) -> str:
        return data["ws_doc_root"] or f"{data['doc_root']}/websockets"

    def _get_paths(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**super()._get_paths(data), "ws_doc_root": data["ws_doc_root"]}


def test_builders_of_ones_own() -> None:
    """A builder made from this one has further keys, and says how they follow."""
    with OwnBuilder(LOGGER, doc_root="/dir") as config:
        assert isinstance(config, OwnConfig)
        assert config.paths == {"doc_root": "/dir", "ws_doc_root": "/dir/websockets"}
    with ConfigBuilder(LOGGER, config_cls=OwnConfig) as config:
        assert isinstance(config, OwnConfig)


def test_a_config_does_not_change() -> None:
    """Whoever sets something is told where to."""
    config = build()
    with pytest.raises(ValueError, match="set browser_host on its builder"):
        config.browser_host = "a.test"
    with pytest.raises(ValueError, match="set browser_host on its builder"):
        config["browser_host"] = "a.test"
    with pytest.raises(ValueError, match="cannot be called _a"):
        Config({"_a": 1})


def test_a_config_is_a_mapping() -> None:
    """It has its keys and no others, can be pickled, and said in JSON."""
    config = build(subdomains={"a"}, doc_root=Path("/dir"))
    assert "browser_host" in config
    assert "host" not in config
    assert len(config) == len(list(config))
    assert pickle.loads(pickle.dumps(config)) == config
    said = json.loads(json.dumps(config.as_dict()))
    assert (said["subdomains"], said["doc_root"], said["ssl_config"]) == (["a"], "/dir", None)
    assert "localhost" in repr(config)
    with pytest.raises(AttributeError, match="no 'nothing'"):
        _ = config.nothing
