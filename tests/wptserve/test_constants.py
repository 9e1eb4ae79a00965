"""wptserve.constants, wptserve.logger and the package itself: names that are there."""

from __future__ import annotations

import logging

import wptproto.wptserve as wptserve
from wptproto import Request, Response
from wptproto.wptserve import constants, logger


def test_constants() -> None:
    """Status codes have phrase and explanation, extensions a type, and pseudo-header fields are listed."""
    assert constants.response_codes[404][0] == "Not Found"
    assert constants.response_codes[404][1]
    assert constants.content_types["html"] == "text/html"
    assert {"method", "scheme", "path", "authority", "status"} <= set(constants.h2_headers)


def test_logger() -> None:
    """wptserve logs to the root logger, and so ours does in the end."""
    assert logger.get_logger() is logging.getLogger()


def test_the_package() -> None:
    """``import wptserve`` alone gives all modules that programs go on to from there."""
    assert (wptserve.Request, wptserve.Response) == (Request, Response)
    assert wptserve.WebTestHttpd is wptserve.server.WebTestHttpd
    submodules = "config constants handlers logger pipes ranges request response router routes stash utils"
    for name in submodules.split(" "):
        assert getattr(wptserve, name).__name__ == f"wptproto.wptserve.{name}"
