"""wptserve.utils: small things."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

import pytest

from tests.helpers.waiting import assert_soon
from wptproto import errors
from wptproto.wptserve import utils


def test_isomorphic() -> None:
    """Octets and text become each other, one to one, and what is right already stays."""
    octets = bytes(range(256))
    text = octets.decode("latin-1")
    assert utils.isomorphic_decode(octets) == utils.isomorphic_decode(text) == text
    assert utils.isomorphic_encode(octets) == utils.isomorphic_encode(text) == octets


def test_isomorphic_takes_nothing_else() -> None:
    """What is neither is a TypeError that shows it."""
    for convert in (utils.isomorphic_decode, utils.isomorphic_encode):
        with pytest.raises(TypeError, match="not 7"):
            convert(7)  # type: ignore[arg-type]


def test_invert_dict() -> None:
    """Items lead to the name of their list, and to one name alone."""
    assert utils.invert_dict({"a": [1, 2], "b": [3]}) == {1: "a", 2: "a", 3: "b"}
    with pytest.raises(ValueError, match="1 stands below 'a' and below 'b'"):
        utils.invert_dict({"a": [1], "b": [1]})


def test_get_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port is free, and one that browsers go to."""
    asked: list[int] = []

    def every_other(port: int) -> bool:
        asked.append(port)
        return len(asked) % 2 == 1

    def is_free() -> bool:
        port = utils.get_port()
        assert port == asked[-1]
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return True
        return False  # somebody else has got it meanwhile

    monkeypatch.setattr(utils, "is_bad_port", every_other)
    assert_soon(is_free)
    assert len(asked) % 2 == 0


@pytest.mark.parametrize(("port", "bad"), [(22, True), (6667, True), (80, False), (8000, False)])
def test_is_bad_port(port: int, bad: bool) -> None:
    """Ports of other protocols are bad."""
    assert utils.is_bad_port(port) is bad


def test_get_error_cause() -> None:
    """What was there first is told, as far as it is known."""
    plain, other = ValueError(), KeyError()
    assert utils.get_error_cause(plain) is plain
    plain.__context__ = other
    assert utils.get_error_cause(plain) is other
    plain.__cause__ = LookupError()
    assert utils.get_error_cause(plain) is plain.__cause__


def test_what_is_the_packages_own() -> None:
    """HTTPException is ours, HTTP/2 is there, and the logger is the root's."""
    assert utils.HTTPException is errors.HTTPException
    assert utils.http2_compatible()
    assert utils.get_logger() is logging.getLogger()
